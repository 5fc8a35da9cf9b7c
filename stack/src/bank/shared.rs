//! What the threads that wait for processes and the bank itself both see.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    DatabaseRoute, Error, Result,
    bank::tail,
    data_dir::DataDir,
    databases::{Prepared, by_port, server_of},
    http,
    leash::Leash,
    postgres::Cluster,
    process::Process,
    state::{DatabaseState, Known, Owner, ProcessState, State, Status},
    topology::{self, Environment, Service},
};

/// The name of the private server among the processes.
pub const POSTGRES: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) myself: Weak<Shared>,
    pub(super) data: DataDir,
    pub(super) binaries: PathBuf,
    pub(super) services: Vec<Service>,
    pub(super) environment: BTreeMap<String, Environment>,
    pub(super) database_route: Option<DatabaseRoute>,
    pub(super) cluster: Option<Cluster>,
    pub(super) databases: OnceLock<Vec<Prepared>>,
    pub(super) detached: bool,
    pub(super) is_ready: AtomicBool,
    pub(super) stopping: AtomicBool,
    pub(super) exits: Option<UnboundedSender<String>>,
    pub(super) leash: Option<Leash>,
    pub(super) processes: Mutex<BTreeMap<String, Process>>,
}

impl Shared {
    pub(super) fn databases(&self) -> &[Prepared] {
        self.databases.get().map_or(&[], Vec::as_slice)
    }

    /// The database a service uses.
    pub(super) fn database(&self, name: &str) -> Result<&Prepared> {
        let service = self.services.iter().find(|service| service.name == name);
        let owner = service.map_or(name, |service| service.database.as_str());
        self.databases()
            .iter()
            .find(|one| one.name == owner)
            .ok_or_else(|| self.unknown(name))
    }

    /// The URL by which a process reaches a database; the way is told apart by its name.
    fn route(&self, way: &str, database: &Prepared) -> Result<String> {
        let direct = &database.service_url;
        match &self.database_route {
            Some(route) => by_port(direct, route.port(way, server_of(direct)?)),
            None => Ok(direct.clone()),
        }
    }

    /// The service with this name, `None` for PostgreSQL.
    pub(super) fn service(&self, name: &str) -> Result<Option<&Service>> {
        if name == POSTGRES && self.cluster.is_some() {
            return Ok(None);
        }
        self.services
            .iter()
            .find(|service| service.name == name)
            .map(Some)
            .ok_or_else(|| self.unknown(name))
    }

    pub(super) fn unknown(&self, name: &str) -> Error {
        Error::Unknown(name.to_owned(), self.names().join(", "))
    }

    pub(super) fn names(&self) -> Vec<String> {
        let postgres = self.cluster.as_ref().map(|_| POSTGRES.to_owned());
        postgres
            .into_iter()
            .chain(self.services.iter().map(|service| service.name.clone()))
            .collect()
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        let service = self.services.iter().find(|service| service.name == name);
        service.map_or_else(
            || self.data.logs().join("postgres.log"),
            |service| service.log.clone(),
        )
    }

    pub(super) fn all(&self) -> BTreeMap<String, Process> {
        self.lock().clone()
    }

    pub(super) fn current(&self, name: &str) -> Option<Process> {
        self.lock().get(name).cloned()
    }

    /// Starts a process. Its end is noted in state.json the moment it happens.
    pub(super) fn spawn(&self, name: &str, settings: &Environment) -> Result<()> {
        let service = self.service(name)?;
        let mut processes = self.lock();
        if let Some(running) = processes
            .get(name)
            .filter(|process| process.ended().is_none())
        {
            return Err(Error::Refused(format!(
                "{name} already runs (pid {})",
                running.pid()
            )));
        }
        let on_end = {
            let (shared, name) = (self.myself.clone(), name.to_owned());
            move |_| {
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                shared.write_state();
                if let (Some(leash), Some(process)) = (&shared.leash, shared.current(&name))
                    && process.ended().is_some()
                {
                    leash.release(process.pid());
                }
                if !shared.stopping.load(Ordering::SeqCst)
                    && let Some(exits) = &shared.exits
                {
                    let _ = exits.send(name);
                }
            }
        };
        let process = match (service, &self.cluster) {
            (Some(service), _) => {
                Process::spawn(self.command(service, settings)?, on_end).map_err(Error::io(
                    format!("cannot start {}", self.program(service).display()),
                ))?
            }
            (None, Some(cluster)) => {
                let mut own = self.environment.get(name).cloned().unwrap_or_default();
                own.extend(settings.clone());
                cluster.spawn(&self.log(name), &own, on_end)?
            }
            (None, None) => return Err(self.unknown(name)),
        };
        if let Some(leash) = &self.leash {
            leash.hold(process.pid());
        }
        if let Some(old) = processes.insert(name.to_owned(), process)
            && let Some(leash) = &self.leash
        {
            leash.release(old.pid());
        }
        self.save(&processes)
    }

    /// The program of a service with everything it is told.
    pub(super) fn command(&self, service: &Service, settings: &Environment) -> Result<Command> {
        let errors = self.stderr_file(&service.name);
        let stderr = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&errors)
            .map_err(Error::path("open", &errors))?;
        let url = self.route(&service.name, self.database(&service.name)?)?;
        let mut command = service_command(&self.program(service), service, &url);
        for (variable, name) in &service.beside {
            command.env(variable, self.route(name, self.database(name)?)?);
        }
        command.envs(self.environment.get(&service.name).into_iter().flatten());
        command.envs(settings);
        command
            .current_dir(self.data.root())
            .stdout(Stdio::null())
            .stderr(stderr);
        Ok(command)
    }

    /// Waits until the process answers, polling `path` of a service.
    pub(super) async fn answers(&self, name: &str, path: &str) -> Result<()> {
        let Some(process) = self.current(name) else {
            return Err(self.unknown(name));
        };
        let service = match (self.service(name)?, &self.cluster) {
            (Some(service), _) => service,
            (None, Some(cluster)) => return cluster.ready(&process, &self.log(name)).await,
            (None, None) => return Err(self.unknown(name)),
        };
        let began = Instant::now();
        loop {
            let answer = http::get(service.port, path).await;
            // Looked at after the answer: a service that found its port taken ends, and what
            // answered was a stranger.
            if let Some(status) = process.ended() {
                let name = name.to_owned();
                return Err(Error::Ended {
                    output: self.last_words(&name),
                    name,
                    status,
                });
            }
            let answer = match answer {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => format!("GET {path}: {} {}", answer.status, answer.body),
                Err(error) => format!("GET {path}: {error}"),
            };
            if began.elapsed() > PATIENCE {
                let (name, seconds) = (name.to_owned(), PATIENCE.as_secs());
                return Err(Error::NotReady {
                    name,
                    seconds,
                    answer,
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What a process said at the end: its standard error, or else its log.
    pub(super) fn last_words(&self, name: &str) -> String {
        let errors = tail(&self.stderr_file(name));
        if errors.trim().is_empty() {
            tail(&self.log(name))
        } else {
            errors
        }
    }

    pub(super) fn stderr_file(&self, name: &str) -> PathBuf {
        self.data.run().join(format!("{name}.stderr"))
    }

    pub(super) fn program(&self, service: &Service) -> PathBuf {
        self.binaries.join(service.kind.binary())
    }

    pub(super) fn write_state(&self) {
        // Nobody is there to hear of a failure, and the next change writes the whole again.
        let _ = self.save(&self.lock());
    }

    pub(super) fn state(&self) -> State {
        self.state_of(&self.lock())
    }

    fn save(&self, processes: &BTreeMap<String, Process>) -> Result<()> {
        let known = processes
            .iter()
            .filter(|(_, process)| process.ended().is_none());
        Owner {
            supervisor: Known::note("stack", std::process::id()),
            detached: self.detached,
            ready: self.is_ready.load(Ordering::SeqCst),
            processes: known
                .map(|(name, process)| Known::note(name, process.pid()))
                .collect(),
        }
        .write(&self.data)?;
        self.state_of(processes).write(&self.data)
    }

    fn state_of(&self, processes: &BTreeMap<String, Process>) -> State {
        let text = |path: &Path| path.display().to_string();
        let described = self.names().into_iter().map(|name| {
            let running = processes
                .get(&name)
                .filter(|process| process.ended().is_none());
            let service = self.services.iter().find(|service| service.name == name);
            ProcessState {
                pid: running.map(Process::pid),
                url: service.map(Service::url),
                log: text(&self.log(&name)),
                status: if running.is_some() {
                    Status::Running
                } else {
                    Status::Down
                },
                name,
            }
        });
        let databases = self.databases().iter().map(|database| DatabaseState {
            name: database.name.clone(),
            database_url: database.tools_url.clone(),
        });
        State {
            data_dir: text(self.data.root()),
            processes: described.collect(),
            databases: databases.collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Process>> {
        self.processes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Made in two steps, because the threads that wait for processes hold it weakly.
    pub(super) fn new(make: impl FnOnce(Weak<Shared>) -> Shared) -> Arc<Shared> {
        Arc::new_cyclic(|myself| make(myself.clone()))
    }
}

/// A service program with everything it is told, and nothing of what others are told: a service
/// refuses settings it does not know.
pub fn service_command(program: &Path, service: &Service, database_url: &str) -> Command {
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        if variable.to_str().is_some_and(topology::is_setting) {
            command.env_remove(&variable);
        }
    }
    command
        .envs(&service.environment)
        .env(service.database_variable(), database_url);
    command.stdin(Stdio::null());
    command
}

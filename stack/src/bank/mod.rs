//! A running bank.

mod launch;
mod shared;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::task::JoinSet;

use crate::{
    Error, Options, PortLease, Result,
    data_dir::{DataDir, Lock},
    databases::{self, Borrowed},
    postgres::Cluster,
    process::Process,
    state::{Owner, State},
    topology::{Environment, Kind, Service},
};
pub use launch::{Step, run_step};
use shared::Shared;
pub use shared::{POSTGRES, service_command};

/// The services promise to end within 10 s of being asked.
const PATIENCE: Duration = Duration::from_secs(12);
/// How long what is left of a killed PostgreSQL may keep a new one from starting.
const REMAINS: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_millis(100);
const POSTGRES_PATIENCE: Duration = Duration::from_secs(30);

/// A bank that runs on this machine. Dropping it kills its processes, PostgreSQL included if that is
/// the bank's own; [`stop`](Self::stop) lets them finish.
#[derive(Debug)]
pub struct Bank {
    shared: Arc<Shared>,
    offset: u16,
    throw_away: bool,
    _lease: Option<Arc<PortLease>>,
    _lock: Lock,
}

/// One process of a bank, as it is now.
#[derive(Debug, Clone)]
pub struct Running {
    /// `None` when it is down.
    pub pid: Option<u32>,
    /// Where it answers; `None` for PostgreSQL.
    pub url: Option<String>,
    /// Its log file.
    pub log: PathBuf,
}

/// How a process ended.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// Its exit code or the signal.
    pub status: ExitStatus,
    /// How long ago it was started.
    pub age: Duration,
}

impl Bank {
    /// Starts everything and returns when every service is ready.
    ///
    /// # Errors
    /// When the data directory's bank runs already, or any step fails; then nothing is left running.
    pub async fn start(options: Options) -> Result<Self> {
        launch::launch(options).await
    }

    /// Everything but the services: the databases exist and can be reached, nothing serves.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn prepare(options: &Options) -> Result<Self> {
        launch::prepare(options).await
    }

    /// Brings the schemas up to date, and with [`Step::Seed`] inserts the seed data.
    ///
    /// # Errors
    /// When a service program fails; what it said is part of the error.
    pub async fn migrate(&self, step: Step) -> Result<()> {
        self.shared.migrate(step).await
    }

    /// One process, by its name in state.json: `postgres`, `accounts-service`, `accounts-service-2`, …
    ///
    /// # Errors
    /// When the bank has no such process.
    pub fn process(&self, name: &str) -> Result<Running> {
        let service = self.shared.service(name)?;
        let pid = self
            .shared
            .current(name)
            .filter(|one| one.ended().is_none())
            .map(|one| one.pid());
        let log = self.shared.log(name);
        Ok(Running {
            pid,
            url: service.map(Service::url),
            log,
        })
    }

    /// The names of all its processes, PostgreSQL first if it is the bank's own.
    pub fn names(&self) -> Vec<String> {
        self.shared.names()
    }

    /// The services, with their ports and settings.
    pub fn services(&self) -> &[Service] {
        &self.shared.services
    }

    /// Where a service answers.
    ///
    /// # Errors
    /// When the bank has no such service.
    pub fn url(&self, name: &str) -> Result<String> {
        self.process(name)?
            .url
            .ok_or_else(|| self.shared.unknown(name))
    }

    /// What is added to every port.
    pub fn port_offset(&self) -> u16 {
        self.offset
    }

    /// A superuser's URL of a service's database (that which was given, where somebody gave one).
    ///
    /// # Errors
    /// When no such service has a database.
    pub fn database_url(&self, name: &str) -> Result<String> {
        self.shared
            .database(name)
            .map(|database| database.tools_url.clone())
    }

    /// The URL by which a service itself connects: its own role.
    ///
    /// # Errors
    /// When no such service has a database.
    pub fn service_database_url(&self, name: &str) -> Result<String> {
        self.shared
            .database(name)
            .map(|database| database.service_url.clone())
    }

    /// Where everything is kept.
    pub fn data(&self) -> &DataDir {
        &self.shared.data
    }

    /// What state.json says.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// Sends a signal to a process: `Signal::KILL`, `STOP`, `CONT`, …
    ///
    /// # Errors
    /// When the bank has no such process, or it has ended.
    pub fn kill(&self, name: &str, signal: Signal) -> Result<()> {
        self.running(name)?
            .signal(signal)
            .map_err(Error::io(format!("cannot signal {name}")))
    }

    /// Waits until a process has ended and says how, the signal included.
    ///
    /// # Errors
    /// When the bank has no such process, or it was never started.
    pub async fn wait_exit(&self, name: &str) -> Result<ExitStatus> {
        Ok(self.running(name)?.wait().await)
    }

    /// How a process ended; `None` while it runs, and when it was never started.
    pub fn last_end(&self, name: &str) -> Option<End> {
        let process = self.shared.current(name)?;
        process.ended().map(|status| End {
            status,
            age: process.age(),
        })
    }

    /// Starts a process again that has ended, and returns when it answers: PostgreSQL to queries, a
    /// service to `GET /health`. Whether what *it* needs is there, `GET /ready` tells.
    ///
    /// # Errors
    /// When it runs already, or does not come up.
    pub async fn start_process(&self, name: &str) -> Result<()> {
        self.start_process_with(name, &Environment::new()).await
    }

    /// The same with settings that hold until it ends.
    ///
    /// # Errors
    /// As above.
    pub async fn start_process_with(&self, name: &str, settings: &Environment) -> Result<()> {
        let began = Instant::now();
        loop {
            self.spawn(name, settings)?;
            match self.shared.answers(name, "/health").await {
                // The children of a killed server notice within moments that it is gone; until then
                // they hold its shared memory, and a new one refuses to start.
                Err(Error::Ended { .. }) if name == POSTGRES && began.elapsed() < REMAINS => {
                    tokio::time::sleep(RETRY).await;
                }
                done => return done,
            }
        }
    }

    /// Starts a process and does not wait for it.
    ///
    /// # Errors
    /// When it runs already, or cannot be started.
    pub fn spawn(&self, name: &str, settings: &Environment) -> Result<()> {
        self.shared.spawn(name, settings)
    }

    /// Waits until a service says that it is ready (PostgreSQL: answers queries).
    ///
    /// # Errors
    /// When it ends first, or a minute has passed.
    pub async fn ready(&self, name: &str) -> Result<()> {
        self.shared.answers(name, "/ready").await
    }

    /// Ends everything in order, so that what is under way can finish: orders, coordinators, then the
    /// other services, then PostgreSQL. Databases in somebody else's cluster are dropped.
    ///
    /// # Errors
    /// When those cannot be dropped. Everything is stopped all the same.
    pub async fn stop(self) -> Result<()> {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.end_services(|kind| kind == Kind::Orders).await;
        self.end_services(|kind| kind == Kind::Transactions).await;
        self.end_services(|kind| !matches!(kind, Kind::Orders | Kind::Transactions))
            .await;
        if let Some(postgres) = self.shared.current(POSTGRES) {
            postgres.end(Signal::INT, POSTGRES_PATIENCE).await;
        }
        let borrowed: Vec<Borrowed> = self
            .shared
            .databases()
            .iter()
            .filter_map(|one| one.borrowed.clone())
            .collect();
        databases::give_back(&borrowed).await
    }

    async fn end_services(&self, wanted: impl Fn(Kind) -> bool) {
        let mut ending = JoinSet::new();
        for service in self
            .shared
            .services
            .iter()
            .filter(|service| wanted(service.kind))
        {
            if let Some(process) = self.shared.current(&service.name) {
                ending.spawn(async move { process.end(Signal::TERM, PATIENCE).await });
            }
        }
        ending.join_all().await;
    }

    fn running(&self, name: &str) -> Result<Process> {
        self.shared.service(name)?;
        self.shared.current(name).ok_or_else(|| {
            Error::io(format!("{name} was never started"))(io::ErrorKind::NotFound.into())
        })
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        let processes: BTreeMap<String, Process> = self.shared.all();
        let (postgres, services): (Vec<_>, Vec<_>) = processes
            .into_iter()
            .partition(|(name, _)| name == POSTGRES);
        for (_, service) in &services {
            let _ = service.signal(Signal::KILL);
        }
        // A cluster that is kept writes out its caches; one that is not, just goes.
        let farewell = if self.throw_away {
            Signal::QUIT
        } else {
            Signal::INT
        };
        for (_, postgres) in &postgres {
            let _ = postgres.signal(farewell);
        }
        for (_, process) in services.iter().chain(&postgres) {
            if process.wait_blocking(POSTGRES_PATIENCE).is_none() {
                let _ = process.signal(Signal::KILL);
            }
        }
        self.shared.write_state();
        Owner::remove(&self.shared.data);
        if self.throw_away {
            let _ = Cluster::erase_outside(&self.shared.data);
        }
    }
}

/// The end of a log file, for an error message.
pub fn tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(4096)..]).into_owned();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

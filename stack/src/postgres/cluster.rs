//! A private cluster: made once, kept in the data directory, run as a child process.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use super::{Binaries, Unprivileged, place};
use crate::{
    Error, Result,
    data_dir::{DataDir, random_hex},
    ports::PostgresPort,
    process::Process,
    state::{read_json, write_json},
    topology::Environment,
};

/// The name of the one superuser of a private cluster.
const SUPERUSER: &str = "postgres";
const PATIENCE: Duration = Duration::from_secs(60);
/// Whether the system can force all that a disk still owes onto it with one call.
const SYNCS_WHOLE_DISKS: bool = cfg!(target_os = "linux");

/// What a cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody's bank: every commit reaches the disk before it is acknowledged.
    Keep,
    /// A test run that deletes it afterwards. Nothing is forced to the disk: what a killed *process*
    /// has written survives in the operating system all the same, and machines are not switched off
    /// in tests.
    ThrowAway,
}

/// What is remembered of a cluster between runs, in a file only its owner can read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Saved {
    /// The cluster's own folder; outside the data directory where the server's user cannot reach it.
    pub folder: PathBuf,
    /// The port it listened on last, and listens on again if nobody took it meanwhile.
    pub port: u16,
    /// The superuser's password.
    pub superuser_password: String,
    /// The passwords of the services' roles.
    pub passwords: BTreeMap<String, String>,
}

/// A cluster that exists; whether it runs is another matter.
#[derive(Debug, Clone)]
pub struct Cluster {
    binaries: Binaries,
    user: Option<Unprivileged>,
    purpose: Purpose,
    connections: u32,
    saved: Saved,
    _port: Arc<PostgresPort>,
}

impl Cluster {
    /// Opens the data directory's cluster, or makes it.
    ///
    /// # Errors
    /// When there is no PostgreSQL of the right version, or initdb fails.
    pub fn open(
        data: &DataDir,
        purpose: Purpose,
        connections: u32,
        progress: &dyn Fn(&str),
    ) -> Result<Self> {
        let user = Unprivileged::needed()?;
        if let Some(saved) = Self::saved_in(data)? {
            let folder = place::find(data, &saved.folder)?;
            let version = folder.join("PG_VERSION");
            let version = fs::read_to_string(&version).map_err(Error::path("read", &version))?;
            let binaries = Binaries::require(version.trim().parse().unwrap_or(0))?;
            let port = Arc::new(PostgresPort::take(Some(saved.port))?);
            let saved = Saved {
                folder,
                port: port.port(),
                ..saved
            };
            return Ok(Self {
                binaries,
                user,
                purpose,
                connections,
                saved,
                _port: port,
            });
        }
        let binaries = Binaries::find(None).ok_or_else(super::install::missing)?;
        let folder = place::make(data, user, progress)?;
        let port = Arc::new(PostgresPort::take(None)?);
        let saved = Saved {
            folder,
            port: port.port(),
            superuser_password: random_hex(16)?,
            passwords: BTreeMap::new(),
        };
        let cluster = Self {
            binaries,
            user,
            purpose,
            connections,
            saved,
            _port: port,
        };
        cluster.initialise()?;
        cluster.save(data)?;
        Ok(cluster)
    }

    /// Remembers port and passwords for the next run.
    ///
    /// # Errors
    /// Those of writing.
    pub fn save(&self, data: &DataDir) -> Result<()> {
        let path = data.cluster_file();
        write_json(&path, &self.saved)?;
        // Without its passwords the cluster is lost, however safe its own files are.
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(Error::path("write", &path))
    }

    /// Deletes the cluster of a data directory if it lies outside of it; what is inside goes with it.
    ///
    /// # Errors
    /// When something cannot be deleted.
    pub fn erase_outside(data: &DataDir) -> Result<()> {
        match Self::saved_in(data)? {
            Some(saved) => place::erase_outside(data, &saved.folder),
            None => Ok(()),
        }
    }

    /// Deletes the cluster's files, wherever they lie, without waiting for it: two thousand files take
    /// seconds on a busy disk.
    ///
    /// # Errors
    /// When they cannot be moved out of the way.
    pub fn discard(data: &DataDir) -> Result<()> {
        match Self::saved_in(data)? {
            Some(saved) => place::discard(data, &saved.folder),
            None => Ok(()),
        }
    }

    fn saved_in(data: &DataDir) -> Result<Option<Saved>> {
        read_json(&data.cluster_file())
    }

    /// What has to be kept between runs.
    pub fn saved(&mut self) -> &mut Saved {
        &mut self.saved
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.saved.folder
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.saved.port
    }

    /// A superuser's URL.
    pub fn url(&self, database: &str) -> String {
        self.url_of(SUPERUSER, &self.saved.superuser_password, database)
    }

    /// The URL of any role. Passwords are hexadecimal, so nothing needs escaping.
    pub fn url_of(&self, role: &str, password: &str, database: &str) -> String {
        format!(
            "postgres://{role}:{password}@127.0.0.1:{}/{database}",
            self.saved.port
        )
    }

    /// Starts the server, on its old port if that is free, with `environment` beside our own. What it
    /// says goes to `log`.
    ///
    /// # Errors
    /// When the server or its log cannot be started.
    pub fn spawn(
        &self,
        log: &Path,
        environment: &Environment,
        on_end: impl FnOnce(std::process::ExitStatus) + Send + 'static,
    ) -> Result<Process> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(log)
            .map_err(Error::path("open", log))?;
        let second = output.try_clone().map_err(Error::path("open", log))?;
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(&self.saved.folder)
            .envs(environment)
            .stdout(output)
            .stderr(second);
        for (name, value) in self.settings() {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        Process::spawn(command, on_end).map_err(Error::io("cannot start PostgreSQL"))
    }

    /// Waits until the server answers queries.
    ///
    /// # Errors
    /// When it ends first, or a minute has passed.
    pub async fn ready(&self, process: &Process, log: &Path) -> Result<()> {
        let began = Instant::now();
        let options: PgConnectOptions = self.url("postgres").parse().map_err(Error::database(
            "the address of our own server is malformed",
        ))?;
        loop {
            if let Some(status) = process.ended() {
                return Err(Error::Ended {
                    name: "postgres".into(),
                    status,
                    output: crate::bank::tail(log),
                });
            }
            let answer = match options.clone().disable_statement_logging().connect().await {
                Ok(connection) => {
                    let _ = PgConnection::close(connection).await;
                    return Ok(());
                }
                Err(error) => error.to_string(),
            };
            if began.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(Error::NotReady {
                    name: "postgres".into(),
                    seconds,
                    answer,
                });
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("listen_addresses", "127.0.0.1".into()),
            ("port", self.saved.port.to_string()),
            // A socket's path may have about 100 letters; a data directory's may have more.
            ("unix_socket_directories", String::new()),
            ("max_connections", self.connections.to_string()),
            ("shared_buffers", "128MB".into()),
            ("max_wal_size", "2GB".into()),
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
            ("logging_collector", "off".into()),
            ("log_line_prefix", "%m [%p] %d ".into()),
        ];
        if self.purpose == Purpose::ThrowAway {
            settings.extend([("fsync", "off".into()), ("full_page_writes", "off".into())]);
        }
        if SYNCS_WHOLE_DISKS {
            // After a crash, one call for the disk instead of one for each of two thousand files.
            settings.push(("recovery_init_sync_method", "syncfs".into()));
        }
        settings
    }

    fn initialise(&self) -> Result<()> {
        let folder = &self.saved.folder;
        let password = folder.with_extension("password");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&password)
            .map_err(Error::path("write", &password))?;
        file.write_all(self.saved.superuser_password.as_bytes())
            .map_err(Error::path("write", &password))?;
        if let Some(user) = self.user {
            user.own(&password)?;
        }
        let mut command = self.command("initdb");
        command.args(["--encoding=UTF8", "--no-locale", "--auth=scram-sha-256"]);
        command.arg(format!("--username={SUPERUSER}"));
        command.arg("--pwfile").arg(&password).arg("-D").arg(folder);
        if self.purpose == Purpose::ThrowAway || SYNCS_WHOLE_DISKS {
            command.arg("--no-sync");
        }
        let output = command.output().map_err(Error::io("cannot start initdb"));
        let _ = fs::remove_file(&password);
        let output = output?;
        if !output.status.success() {
            let text = [output.stdout, output.stderr].concat();
            let output_text = String::from_utf8_lossy(&text).into_owned();
            return Err(Error::Tool {
                program: "initdb".into(),
                status: output.status,
                output: output_text,
            });
        }
        let rules = folder.join("pg_hba.conf");
        let text = "# Only passwords, and only from this machine.\n\
                    host all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(&rules, text).map_err(Error::path("write", &rules))?;
        match self.purpose {
            Purpose::Keep => sync_disk_of(folder),
            Purpose::ThrowAway => Ok(()),
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.program(program));
        // The working directory of the caller may be closed to the server's user.
        command.current_dir("/").stdin(Stdio::null());
        // Ctrl-C at the terminal is ours to answer.
        command.process_group(0);
        // Messages in English, and on macOS no threads that the server then refuses to run with.
        command
            .env("LC_ALL", "C")
            .env_remove("PGDATA")
            .env_remove("PGPORT")
            .env_remove("PGOPTIONS");
        if let Some(user) = self.user {
            user.apply(&mut command);
        }
        command
    }
}

/// What initdb itself would do file by file, in a tenth of the time.
#[cfg(target_os = "linux")]
fn sync_disk_of(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| Ok(rustix::fs::syncfs(folder)?))
        .map_err(Error::path("write", folder))
}

/// Initdb did it.
#[cfg(not(target_os = "linux"))]
fn sync_disk_of(_folder: &Path) -> Result<()> {
    Ok(())
}

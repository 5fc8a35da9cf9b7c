//! A PostgreSQL of its own for one service, so that it can be killed, stopped or starved while the
//! others keep theirs.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use stack::Signal;
use stack::data_dir::DataDir;
use stack::databases;
use stack::leash::Leash;
use stack::postgres::{Cluster, Purpose};
use stack::process::Process;
use stack::topology::Database;

/// A server that ends when dropped.
pub struct Server {
    cluster: Cluster,
    data: DataDir,
    log: PathBuf,
    environment: BTreeMap<String, String>,
    process: Mutex<Process>,
    leash: Leash,
}

impl Server {
    /// Makes a cluster in `folder` and starts it with `environment`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(folder: &Path, environment: BTreeMap<String, String>) -> Self {
        let data = DataDir::open(folder, None).expect("a folder");
        let cluster = Cluster::open(&data, Purpose::ThrowAway, 100, &|_| {}).expect("a cluster");
        let log = data.logs().join("postgres.log");
        let process = cluster.spawn(&log, &environment, |_| {});
        let process = process.expect("PostgreSQL starts");
        let leash = Leash::new().expect("a shell");
        leash.hold(process.pid());
        cluster.ready(&process, &log).await.expect("it is ready");
        Self {
            cluster,
            data,
            log,
            environment,
            process: Mutex::new(process),
            leash,
        }
    }

    /// Makes a database with a role of its own and gives back the URL, for `ACCOUNTS_DATABASE_URL`
    /// and the like.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn database(&self, name: &str) -> String {
        let wanted = [Database {
            name: name.to_owned(),
            database: format!("{name}_db"),
            role: format!("{name}_role"),
            variable: String::new(),
        }];
        let mut cluster = self.cluster.clone();
        let made = databases::in_private_cluster(&mut cluster, &wanted).await;
        made.expect("a database").remove(0).service_url
    }

    /// A superuser's URL of one of its databases.
    #[must_use]
    pub fn superuser_url(&self, name: &str) -> String {
        self.cluster.url(&format!("{name}_db"))
    }

    /// What it says.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.cluster.port())
    }

    fn process(&self) -> Process {
        self.process.lock().expect("lock").clone()
    }

    /// Sends a signal to the server's first process.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        self.process().signal(signal).expect("it runs");
    }

    /// Stops all of its processes, or lets them go on: a machine that hangs and is not dead.
    ///
    /// # Panics
    /// When they cannot be found.
    pub fn freeze(&self, frozen: bool) {
        let signal = if frozen { Signal::STOP } else { Signal::CONT };
        freeze_family(self.process().pid(), signal);
    }

    /// Kills it as a machine would, and sees that it is gone by that signal.
    ///
    /// # Panics
    /// When it ended otherwise.
    pub async fn kill(&self) {
        let process = self.process();
        drop(process.signal(Signal::KILL));
        assert_eq!(process.wait().await.signal(), Some(9));
        self.leash.release(process.pid());
    }

    /// Starts it again once it has ended.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn restart(&self) {
        self.process().wait().await;
        let began = std::time::Instant::now();
        loop {
            let process = self.cluster.spawn(&self.log, &self.environment, |_| {});
            let process = process.expect("PostgreSQL starts");
            self.leash.hold(process.pid());
            *self.process.lock().expect("lock") = process.clone();
            match self.cluster.ready(&process, &self.log).await {
                Ok(()) => return,
                // Its former children hold its shared memory until they notice.
                Err(error) => assert!(began.elapsed() < crate::PATIENCE, "{error}"),
            }
        }
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.process().ended().is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.process();
        let _ = process.signal(Signal::QUIT);
        if process.ended().is_none() {
            self.freeze(false);
        }
        if process.wait_blocking(crate::PATIENCE).is_none() {
            let _ = process.signal(Signal::KILL);
        }
        let _ = Cluster::erase_outside(&self.data);
    }
}

/// Signals a process and its children. PostgreSQL makes no grandchildren.
pub(crate) fn freeze_family(parent: u32, signal: Signal) {
    let mut family = vec![parent];
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `pid (name) state ppid …`, and the name may hold anything.
        let ppid = stat.rsplit(')').next().and_then(|rest| {
            let mut words = rest.split_whitespace();
            words.nth(1)?.parse::<u32>().ok()
        });
        if ppid == Some(parent) {
            family.push(pid);
        }
    }
    for pid in family {
        let pid = i32::try_from(pid)
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }
}

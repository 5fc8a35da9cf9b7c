//! What a bank is to be like.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::mpsc::UnboundedSender;

use crate::{PortLease, databases::CLUSTER_VARIABLE, topology::Environment};

/// Where the databases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterChoice {
    /// A cluster of the bank's own under its data directory, which can be killed and started again
    /// as the process `postgres`.
    Private,
    /// Databases with names of their own in a running cluster, at this superuser's URL; dropped by
    /// [`stop`](crate::Bank::stop). Much faster, and the server cannot be touched.
    Existing(String),
}

/// Which ports.
#[derive(Debug, Clone)]
pub enum Ports {
    /// An offset that is free, kept until the bank is gone.
    Free,
    /// This offset.
    Offset(u16),
    /// An offset that was reserved before, because something else has to know it too.
    Leased(Arc<PortLease>),
}

/// Leads a service to its database by another way, such as a proxy that loses what a network loses.
#[derive(Clone)]
pub struct DatabaseRoute(Arc<Route>);

type Route = dyn Fn(&str, &str) -> u16 + Send + Sync;

impl DatabaseRoute {
    /// `route` is given the name of a process and `host:port` of the server, whenever that process
    /// is started; it gives back the port on 127.0.0.1 that the process is to use instead.
    pub fn new(route: impl Fn(&str, &str) -> u16 + Send + Sync + 'static) -> Self {
        Self(Arc::new(route))
    }

    pub(crate) fn port(&self, process: &str, server: &str) -> u16 {
        self.0(process, server)
    }
}

impl fmt::Debug for DatabaseRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseRoute")
    }
}

/// Told what is being done, in words for a person.
pub type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// What [`Bank::start`](crate::Bank::start) starts. Begin with [`Options::for_tests`] and change
/// what matters.
#[derive(Clone)]
pub struct Options {
    /// How many accounts-services, each with its own database.
    pub banks: u16,
    /// How many transactions-services, all on one database.
    pub coordinators: u16,
    /// Whether there is an orders-service, with its database and its documents.
    pub orders: bool,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Where logs go; `None`: into the data directory.
    pub logs: Option<PathBuf>,
    /// Which ports.
    pub ports: Ports,
    /// Where the databases are.
    pub cluster: ClusterChoice,
    /// The folder with the services' programs.
    pub binaries: PathBuf,
    /// Settings for all processes (`BANK_…`, `ACCOUNTS_…`), with the numbers that
    /// [`Topology`](crate::topology::Topology) explains.
    pub settings: Environment,
    /// How services reach their databases, where not directly.
    pub database_route: Option<DatabaseRoute>,
    /// Settings for one process, by its name in state.json; they win over everything. `postgres` is
    /// the private server.
    pub environment: BTreeMap<String, Environment>,
    /// Whether the development seed data is inserted.
    pub seed: bool,
    /// Whether a private cluster is forgotten with the bank: nothing is forced to the disk, and what
    /// lies outside the data directory is deleted at the end.
    pub throw_away: bool,
    /// Whether state.json is to say that a background process owns this bank.
    pub detached: bool,
    /// Told what is being done.
    pub progress: Progress,
    /// Told the name of each process that ended, unless the bank itself ended it.
    pub exits: Option<UnboundedSender<String>>,
}

impl Options {
    /// One bank and one coordinator without orders, with seed data, in `data_dir`, on free ports, with a throw-away
    /// cluster, silent; the cluster at `TEST_POSTGRES_URL` is used where that is set.
    pub fn for_tests(data_dir: impl AsRef<Path>) -> Self {
        Self {
            banks: 1,
            coordinators: 1,
            orders: false,
            data_dir: data_dir.as_ref().to_path_buf(),
            logs: None,
            ports: Ports::Free,
            cluster: env::var(CLUSTER_VARIABLE)
                .map_or(ClusterChoice::Private, ClusterChoice::Existing),
            binaries: binaries_beside_this_program(),
            settings: Environment::new(),
            database_route: None,
            environment: BTreeMap::new(),
            seed: true,
            throw_away: true,
            detached: false,
            progress: Arc::new(|_| {}),
            exits: None,
        }
    }

    /// Adds a setting for every process it concerns.
    #[must_use]
    pub fn setting(mut self, variable: &str, value: impl fmt::Display) -> Self {
        self.settings.insert(variable.to_owned(), value.to_string());
        self
    }

    /// Adds a setting for one process.
    #[must_use]
    pub fn setting_for(mut self, process: &str, variable: &str, value: impl fmt::Display) -> Self {
        self.environment
            .entry(process.to_owned())
            .or_default()
            .insert(variable.to_owned(), value.to_string());
        self
    }
}

/// Where cargo puts the workspace's programs when it has built this one; test programs lie one
/// folder deeper.
pub fn binaries_beside_this_program() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("."));
    match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder).to_path_buf(),
        _ => folder.to_path_buf(),
    }
}

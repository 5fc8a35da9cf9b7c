//! Bringing a bank up, step by step.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinSet;

use super::{Bank, POSTGRES, Shared};
use crate::{
    ClusterChoice, Error, Options, PortLease, Result,
    data_dir::DataDir,
    databases::{self, Prepared},
    leash::Leash,
    leftovers, logs,
    options::Ports,
    postgres::{Cluster, Purpose},
    state::Owner,
    topology::{Database, Environment, Topology},
};

/// What each service may open, unless it is told otherwise; and what tools and tests may need beside.
const CONNECTIONS_PER_SERVICE: u32 = 32;
const CONNECTIONS_BESIDE: u32 = 40;

/// What a service program does before it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Brings the database's schema up to date.
    Migrate,
    /// The same, and inserts the development seed data where it is missing.
    Seed,
}

/// Everything but the services: data directory, cluster, databases.
pub(super) async fn prepare(options: &Options) -> Result<Bank> {
    let data = DataDir::open(&options.data_dir, options.logs.as_deref())?;
    let Some(lock) = data.lock()? else {
        return Err(Error::Refused(format!(
            "a bank already runs in {}; stop it first (scripts/stop, or Ctrl-C where it runs)",
            data.root().display()
        )));
    };
    leftovers::end(&data, &*options.progress).await?;
    logs::rotate_all(data.logs());
    Owner::announce(&data, options.detached)?;
    let (offset, lease) = match &options.ports {
        Ports::Offset(offset) => (*offset, None),
        Ports::Leased(lease) => (lease.offset(), Some(Arc::clone(lease))),
        Ports::Free => {
            let lease = PortLease::take(options.banks, options.coordinators, options.orders)?;
            (lease.offset(), Some(Arc::new(lease)))
        }
    };
    let topology = Topology {
        banks: options.banks,
        coordinators: options.coordinators,
        orders: options.orders,
        port_offset: offset,
        settings: options.settings.clone(),
    };
    let (given, missing) = split(topology.databases(), &options.settings);
    let services = topology.services(data.logs())?;
    let cluster = match &options.cluster {
        ClusterChoice::Private if !missing.is_empty() => {
            let pools = services.iter().map(|service| 1 + service.beside.len());
            Some(open_cluster(&data, options, pools.sum())?)
        }
        _ => None,
    };
    let bank = Bank {
        shared: Shared::new(|myself| Shared {
            myself,
            binaries: options.binaries.clone(),
            services,
            environment: options.environment.clone(),
            database_route: options.database_route.clone(),
            cluster,
            databases: OnceLock::new(),
            detached: options.detached,
            is_ready: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            exits: options.exits.clone(),
            // A bank that is kept goes on without us; `stop` and the next start find it.
            leash: if options.throw_away {
                Leash::new().ok()
            } else {
                None
            },
            processes: Mutex::new(BTreeMap::new()),
            data,
        }),
        offset,
        throw_away: options.throw_away,
        _lease: lease,
        _lock: lock,
    };
    let made = make_databases(&bank, options, &missing).await?;
    let _ = bank
        .shared
        .databases
        .set(given.into_iter().chain(made).collect());
    bank.shared.write_state();
    Ok(bank)
}

/// All of it.
pub(super) async fn launch(options: Options) -> Result<Bank> {
    let bank = prepare(&options).await?;
    let step = if options.seed {
        Step::Seed
    } else {
        Step::Migrate
    };
    (options.progress)("Bringing schemas up to date");
    bank.shared.migrate(step).await?;
    (options.progress)("Starting services");
    for service in bank.services() {
        let errors = bank.shared.stderr_file(&service.name);
        fs::write(&errors, "").map_err(Error::path("write", &errors))?;
        bank.spawn(&service.name, &Environment::new())?;
    }
    // All are started before the first is waited for: they may need each other to be ready.
    for service in bank.services() {
        bank.ready(&service.name).await?;
    }
    bank.shared.is_ready.store(true, Ordering::SeqCst);
    bank.shared.write_state();
    Ok(bank)
}

impl Shared {
    /// Brings every database up to date, all at once; the seed data belongs to the first bank.
    pub(super) async fn migrate(&self, step: Step) -> Result<()> {
        let mut running = JoinSet::new();
        for service in self
            .services
            .iter()
            .filter(|service| service.database == service.name)
        {
            let step = if service.number == 1 {
                step
            } else {
                Step::Migrate
            };
            let command = self.command(service, &Environment::new())?;
            let name = service.name.clone();
            running.spawn(async move { run_step(command, &name, step).await });
        }
        while let Some(done) = running.join_next().await {
            done.unwrap_or_else(|error| {
                Err(Error::Refused(format!("a migration broke off: {error}")))
            })?;
        }
        Ok(())
    }
}

/// Runs a service program for one step and waits for its end.
///
/// # Errors
/// When it cannot be started or fails; what it said is part of the error.
pub async fn run_step(mut command: Command, name: &str, step: Step) -> Result<()> {
    let (flag, verb) = match step {
        Step::Migrate => ("--migrate", "migrating"),
        Step::Seed => ("--seed", "seeding"),
    };
    command
        .arg(flag)
        // Ctrl-C at the terminal is ours to answer.
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(Error::io(format!("cannot start {name}")))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let lines = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<_> = lines.lines().collect();
    Err(Error::Tool {
        program: format!("{verb} the database of {name}"),
        status: output.status,
        output: lines[lines.len().saturating_sub(12)..].join("\n"),
    })
}

/// Which databases somebody gave, and which have to be made.
fn split(wanted: Vec<Database>, settings: &Environment) -> (Vec<Prepared>, Vec<Database>) {
    let mut given = Vec::new();
    let mut missing = Vec::new();
    for one in wanted {
        match settings.get(&one.variable).filter(|url| !url.is_empty()) {
            None => missing.push(one),
            Some(url) => given.push(Prepared {
                name: one.name,
                service_url: url.clone(),
                tools_url: url.clone(),
                borrowed: None,
            }),
        }
    }
    (given, missing)
}

fn open_cluster(data: &DataDir, options: &Options, pools: usize) -> Result<Cluster> {
    let each = options
        .settings
        .get("BANK_DATABASE_CONNECTIONS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(CONNECTIONS_PER_SERVICE);
    let pools = u32::try_from(pools).unwrap_or(u32::MAX);
    // Requests have some, and the commit protocol as many again.
    let connections = pools
        .saturating_mul(each.saturating_mul(2))
        .saturating_add(CONNECTIONS_BESIDE)
        .max(100);
    let purpose = if options.throw_away {
        Purpose::ThrowAway
    } else {
        Purpose::Keep
    };
    Cluster::open(data, purpose, connections, &*options.progress)
}

async fn make_databases(
    bank: &Bank,
    options: &Options,
    missing: &[Database],
) -> Result<Vec<Prepared>> {
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    match &options.cluster {
        ClusterChoice::Existing(url) => databases::in_existing_cluster(url, missing).await,
        ClusterChoice::Private => {
            (options.progress)("Starting PostgreSQL");
            bank.spawn(POSTGRES, &Environment::new())?;
            bank.ready(POSTGRES).await?;
            let Some(cluster) = &bank.shared.cluster else {
                return Ok(Vec::new());
            };
            let mut cluster = cluster.clone();
            let made = databases::in_private_cluster(&mut cluster, missing).await?;
            cluster.save(&bank.shared.data)?;
            Ok(made)
        }
    }
}

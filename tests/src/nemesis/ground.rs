//! The bank under test, with everything that can be done to it: links between all processes, and
//! for each database a PostgreSQL, a disk and a clock of its own, as far as the faults need them.

use std::collections::BTreeMap;

use stack::Options;
use tempfile::TempDir;

use super::fault::{CLOCKED, Kind, SERVERS};
use crate::bank::{ACCOUNTS, ACCOUNTS_2, TRANSACTIONS, TestBank};
use crate::{Clock, Server, SmallDisk};

/// Enough for a database that is used for an hour, small enough to be filled in a moment.
const DISK_MEGABYTES: u32 = 400;
/// The longest that customer-service allows: nobody logs in again during a run.
const TOKEN_SECONDS: u32 = 3_000;

/// What is destroyed. Ends in this order: services, servers, disks.
pub(super) struct Ground {
    pub(super) bank: TestBank,
    pub(super) servers: BTreeMap<&'static str, Server>,
    pub(super) disks: BTreeMap<&'static str, SmallDisk>,
    pub(super) server_clocks: BTreeMap<&'static str, Clock>,
    pub(super) service_clocks: BTreeMap<&'static str, Clock>,
    _folders: Vec<TempDir>,
    /// The kinds of faults that can be made here.
    pub(super) mix: Vec<Kind>,
    /// Why the others cannot.
    pub(super) skipped: Vec<String>,
}

impl Ground {
    /// Starts a bank on which these kinds of faults can be made.
    ///
    /// # Panics
    /// When it does not start.
    pub(super) async fn prepare(mut mix: Vec<Kind>) -> Self {
        let mut skipped = Vec::new();
        let mut disks = BTreeMap::new();
        if mix.contains(&Kind::Disk) {
            let mounted = SERVERS.map(|name| Some((name, SmallDisk::mount(DISK_MEGABYTES)?)));
            let mounted: Option<Vec<_>> = mounted.into_iter().collect();
            match mounted {
                Some(mounted) => disks.extend(mounted),
                None => skip(
                    &mut mix,
                    &mut skipped,
                    Kind::Disk,
                    "only root can mount one",
                ),
            }
        }
        let (mut server_clocks, mut service_clocks) = (BTreeMap::new(), BTreeMap::new());
        if mix.contains(&Kind::Clock) {
            match (clocks(&SERVERS), clocks(&CLOCKED)) {
                (Some(servers), Some(services)) => {
                    (server_clocks, service_clocks) = (servers, services);
                }
                _ => skip(
                    &mut mix,
                    &mut skipped,
                    Kind::Clock,
                    "libfaketime is not here",
                ),
            }
        }
        let mut servers = BTreeMap::new();
        let mut folders = Vec::new();
        if mix
            .iter()
            .any(|kind| matches!(kind, Kind::Postgres | Kind::Disk | Kind::Clock))
        {
            for name in SERVERS {
                let clock = server_clocks.get(name).map(Clock::environment);
                let folder = match disks.get(name) {
                    Some(disk) => SmallDisk::folder(disk).join("data"),
                    None => {
                        let folder = tempfile::tempdir().expect("a folder");
                        let path = folder.path().to_owned();
                        folders.push(folder);
                        path
                    }
                };
                let server = Server::start(&folder, clock.unwrap_or_default()).await;
                servers.insert(name, server);
            }
        }
        let mut urls = Vec::new();
        for (name, server) in &servers {
            let (variable, stem) = match *name {
                TRANSACTIONS => ("TRANSACTIONS_DATABASE_URL", "transactions"),
                ACCOUNTS => ("ACCOUNTS_DATABASE_URL", "accounts"),
                ACCOUNTS_2 => ("ACCOUNTS_2_DATABASE_URL", "accounts_2"),
                other => panic!("{other} has no database of its own"),
            };
            urls.push((variable, server.database(stem).await));
        }
        let change = |mut options: Options| {
            options.banks = 2;
            options.coordinators = 2;
            options = options.setting("CUSTOMER_ACCESS_TOKEN_SECONDS", TOKEN_SECONDS);
            for (variable, url) in urls {
                options = options.setting(variable, url);
            }
            for (name, clock) in &service_clocks {
                for (variable, value) in Clock::environment(clock) {
                    options = options.setting_for(name, &variable, value);
                }
            }
            options
        };
        let bank = TestBank::start_with_proxies(change).await;
        Self {
            bank,
            servers,
            disks,
            server_clocks,
            service_clocks,
            _folders: folders,
            mix,
            skipped,
        }
    }

    /// Ends the bank in good order.
    pub(super) async fn stop(self) {
        self.bank.stop().await;
    }
}

fn clocks(names: &[&'static str]) -> Option<BTreeMap<&'static str, Clock>> {
    names
        .iter()
        .map(|name| Some((*name, Clock::find()?)))
        .collect()
}

fn skip(mix: &mut Vec<Kind>, skipped: &mut Vec<String>, kind: Kind, why: &str) {
    mix.retain(|one| *one != kind);
    skipped.push(format!("{kind}: {why}"));
}

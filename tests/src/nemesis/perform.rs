//! Doing faults to a bank, and undoing them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use stack::Signal;
use tokio::task::JoinHandle;

use super::fault::{Fault, Weather};
use super::ground::Ground;
use crate::{Clock, Flow, Proxy, Server};

/// How long something may take to come up again.
const LIMIT: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_millis(200);

/// The hands of the nemesis.
pub(super) struct Hands {
    pub(super) ground: Arc<Ground>,
    flapping: Mutex<HashMap<(&'static str, &'static str), JoinHandle<()>>>,
}

impl Hands {
    pub(super) fn new(ground: Arc<Ground>) -> Self {
        Self {
            ground,
            flapping: Mutex::default(),
        }
    }

    /// Begins a fault.
    pub(super) async fn begin(&self, fault: Fault) {
        let bank = &self.ground.bank.bank;
        match fault {
            Fault::Kill(name) => {
                // It may be gone by itself, which the report tells.
                if bank.kill(name, Signal::KILL).is_ok() {
                    drop(bank.wait_exit(name).await);
                }
            }
            Fault::Stop(name) => drop(bank.kill(name, Signal::STOP)),
            Fault::Link(from, to, weather) => self.spoil(from, to, weather),
            Fault::Isolate(name) => self.ground.bank.network().isolate(name),
            Fault::KillPostgres(name) => {
                if let Some(server) = self.server(name) {
                    server.kill().await;
                }
            }
            Fault::StopPostgres(name) => {
                if let Some(server) = self.server(name) {
                    server.freeze(true);
                }
            }
            Fault::FullDisk(name) => {
                let ground = Arc::clone(&self.ground);
                let filled = tokio::task::spawn_blocking(move || {
                    ground.disks.get(name).map(crate::SmallDisk::fill)
                });
                drop(filled.await);
            }
            Fault::PostgresClock(name, by) => self.set(self.ground.server_clocks.get(name), by),
            Fault::ServiceClock(name, by) => self.set(self.ground.service_clocks.get(name), by),
        }
    }

    /// Ends it. What was killed answers again when this returns, or a minute has passed.
    pub(super) async fn heal(&self, fault: Fault) {
        let bank = &self.ground.bank.bank;
        match fault {
            Fault::Kill(name) => self.start(name).await,
            Fault::Stop(name) => drop(bank.kill(name, Signal::CONT)),
            Fault::Link(from, to, _) => {
                if let Some(flapping) = self.flapping.lock().expect("lock").remove(&(from, to)) {
                    flapping.abort();
                }
                self.ground.bank.network().link(from, to).heal();
            }
            // No other fault of the network is at work beside this one.
            Fault::Isolate(_) => self.ground.bank.network().heal(),
            Fault::KillPostgres(name) => self.mend(name).await,
            Fault::StopPostgres(name) => {
                if let Some(server) = self.ground.servers.get(name) {
                    server.freeze(false);
                }
            }
            Fault::FullDisk(name) => {
                if let Some(disk) = self.ground.disks.get(name) {
                    disk.free();
                }
                self.mend(name).await;
            }
            Fault::PostgresClock(name, _) => self.set(self.ground.server_clocks.get(name), 0),
            Fault::ServiceClock(name, _) => self.set(self.ground.service_clocks.get(name), 0),
        }
    }

    fn spoil(&self, from: &'static str, to: &'static str, weather: Weather) {
        let link: &Proxy = self.ground.bank.network().link(from, to);
        match weather {
            Weather::Cut => link.cut(),
            Weather::Late(time) => link.both(Flow::Delay(Duration::from_millis(time))),
            Weather::LosesThere => link.there(Flow::Lose),
            Weather::LosesBack => link.back(Flow::Lose),
            Weather::Hangs => link.both(Flow::Hold),
            Weather::Resets(percent) => link.reset_per_cent(percent),
            Weather::Flaps(time) => {
                let link = link.clone();
                let flapping = tokio::spawn(async move {
                    let period = Duration::from_millis(time);
                    link.flap_during(period, std::future::pending::<()>()).await;
                });
                let mut all = self.flapping.lock().expect("lock");
                if let Some(before) = all.insert((from, to), flapping) {
                    before.abort();
                }
            }
        }
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn set(&self, clock: Option<&Clock>, seconds: i64) {
        if let Some(clock) = clock {
            clock.ahead(seconds);
        }
    }

    /// The server of a service, while it runs.
    fn server(&self, name: &str) -> Option<&Server> {
        let server = self.ground.servers.get(name)?;
        (!server.has_ended()).then_some(server)
    }

    /// Starts a process until it runs. While its database is away it may well end again.
    async fn start(&self, name: &str) {
        let bank = &self.ground.bank.bank;
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            let started = bank.start_process(name).await;
            let runs = bank.process(name).is_ok_and(|one| one.pid.is_some());
            if started.is_ok() || runs {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Starts a PostgreSQL if it has ended, and waits until it takes connections.
    async fn mend(&self, name: &str) {
        let Some(server) = self.ground.servers.get(name) else {
            return;
        };
        let Ok(url) = self.ground.bank.bank.database_url(name) else {
            return;
        };
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            if server.has_ended() {
                server.restart().await;
            }
            let connected =
                tokio::time::timeout(Duration::from_secs(2), PgConnection::connect(&url));
            if let Ok(Ok(connection)) = connected.await {
                drop(connection.close().await);
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// What ended although nobody ended it, at the end of a run.
    pub(super) fn ended_by_themselves(&self) -> Vec<String> {
        let bank = &self.ground.bank.bank;
        bank.names()
            .into_iter()
            .filter(|name| bank.process(name).is_ok_and(|one| one.pid.is_none()))
            .collect()
    }
}

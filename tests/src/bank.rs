//! A bank of its own for one test.

use std::collections::HashMap;
use std::sync::Mutex;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use stack::{Bank, ClusterChoice, Options, Signal};
use tempfile::TempDir;

use crate::actor::{Actor, Urls};
use crate::{Network, PATIENCE};

/// Who people are.
pub const CUSTOMER: &str = "customer-service";
/// The first bank.
pub const ACCOUNTS: &str = "accounts-service";
/// The second bank, where there are two.
pub const ACCOUNTS_2: &str = "accounts-service-2";
/// The coordinator.
pub const TRANSACTIONS: &str = "transactions-service";
/// The cash desk, where a test has asked for it ([`TestBank::start_with_orders`]).
pub const ORDERS: &str = "orders-service";
/// The second coordinator process, where there are two.
pub const SECOND_COORDINATOR: &str = "transactions-service-2";

/// A running bank with everything shortened, and what a test needs to look inside it.
pub struct TestBank {
    /// The processes.
    pub bank: Bank,
    actors: Mutex<HashMap<String, Actor>>,
    pools: Mutex<HashMap<String, PgPool>>,
    pub(crate) network: Option<Network>,
    _data: TempDir,
}

impl TestBank {
    /// One bank, one coordinator.
    pub async fn start() -> Self {
        Self::start_with(|options| options).await
    }

    /// Two banks, one coordinator.
    pub async fn start_two_banks() -> Self {
        Self::start_with(|mut options| {
            options.banks = 2;
            options
        })
        .await
    }

    /// One bank, one coordinator, and the cash desk.
    pub async fn start_with_orders() -> Self {
        Self::start_with(|mut options| {
            options.orders = true;
            options
        })
        .await
    }

    /// For tests of load: a machine that is busy is not a fault, so nothing is given up early.
    pub async fn start_patient(change: impl FnOnce(Options) -> Options) -> Self {
        Self::start_with(|options| {
            change(options)
                .setting("TRANSACTIONS_LEASE_MS", 10_000)
                .setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 25_000)
                .setting("TRANSACTIONS_SAGA_TIMEOUT_MS", 25_000)
                .setting("TRANSACTIONS_CALL_TIMEOUT_MS", 8_000)
                .setting("TRANSACTIONS_SETTLE_PATIENCE_MS", 8_000)
        })
        .await
    }

    /// With a PostgreSQL of its own, which the test may kill.
    pub async fn start_with_own_postgres(banks: u16) -> Self {
        Self::start_with(|mut options| {
            options.cluster = ClusterChoice::Private;
            options.banks = banks;
            options
        })
        .await
    }

    /// With anything changed.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(change: impl FnOnce(Options) -> Options) -> Self {
        let data = tempfile::Builder::new()
            .prefix("bank-")
            .tempdir()
            .expect("a folder");
        let shortened = Options::for_tests(data.path())
            .setting("TRANSACTIONS_LEASE_MS", 1_000)
            .setting("TRANSACTIONS_RECOVERY_TICK_MS", 100)
            .setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 1_500)
            .setting("TRANSACTIONS_CALL_TIMEOUT_MS", 2_000)
            .setting("TRANSACTIONS_SETTLE_PATIENCE_MS", 1_000)
            .setting("TRANSACTIONS_IN_DOUBT_AFTER_MS", 1_000)
            .setting("ACCOUNTS_IN_DOUBT_AFTER_MS", 300)
            .setting("BANK_DATABASE_CONNECTIONS", 6);
        let bank = Bank::start(planted(change(shortened)))
            .await
            .expect("the bank starts");
        Self {
            bank,
            actors: Mutex::default(),
            pools: Mutex::default(),
            network: None,
            _data: data,
        }
    }

    /// A superuser's connections to the database of a service.
    ///
    /// # Panics
    /// When there is no such database.
    pub async fn database(&self, service: &str) -> PgPool {
        if let Some(pool) = self.pools.lock().expect("lock").get(service) {
            return pool.clone();
        }
        let url = self.bank.database_url(service).expect("a database");
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .connect_lazy(&url)
            .expect("a database URL");
        let mut pools = self.pools.lock().expect("lock");
        pools.entry(service.to_owned()).or_insert(pool).clone()
    }

    /// The next connection to this database is a new one: it is no longer the same database.
    pub(crate) fn forget_connections(&self, service: &str) {
        self.pools.lock().expect("lock").remove(service);
    }

    /// Where a service listens.
    ///
    /// # Panics
    /// When there is no such service.
    #[must_use]
    pub fn url(&self, service: &str) -> String {
        self.bank.url(service).expect("a service")
    }

    /// Nobody in particular.
    #[must_use]
    pub fn anonymous(&self) -> Actor {
        Actor::anonymous(Urls {
            customer: self.url(CUSTOMER),
            accounts: self.url(ACCOUNTS),
            transactions: self.url(TRANSACTIONS),
        })
    }

    /// Somebody of the seed data; the first time they log in.
    pub async fn actor(&self, username: &str) -> Actor {
        if let Some(actor) = self.actors.lock().expect("lock").get(username) {
            return actor.clone();
        }
        let actor = self.anonymous().log_in(username).await;
        let mut actors = self.actors.lock().expect("lock");
        actors.entry(username.to_owned()).or_insert(actor).clone()
    }

    /// Forgets all tokens: everybody logs in again when they are next needed.
    ///
    /// # Panics
    /// When another thread panicked.
    pub fn log_in_anew(&self) {
        self.actors.lock().expect("lock").clear();
    }

    /// The customer Alice.
    pub async fn alice(&self) -> Actor {
        self.actor("alice-customer").await
    }

    /// The teller.
    pub async fn teller(&self) -> Actor {
        self.actor("tom-teller").await
    }

    /// The first admin.
    pub async fn admin(&self) -> Actor {
        self.actor("ada-admin").await
    }

    /// A teller at the second bank.
    pub async fn second_teller(&self) -> Actor {
        self.teller().await.at(Some(&self.url(ACCOUNTS_2)), None)
    }

    /// Kills a process as the machine would, and sees that it is gone by that signal.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub async fn kill(&self, name: &str) {
        // It may be gone already: that is what a failpoint does.
        drop(self.bank.kill(name, Signal::KILL));
        self.died(name).await;
    }

    /// Waits until a process is dead by SIGKILL.
    ///
    /// # Panics
    /// When it ended otherwise.
    pub async fn died(&self, name: &str) {
        use std::os::unix::process::ExitStatusExt;
        let ended = tokio::time::timeout(PATIENCE, self.bank.wait_exit(name)).await;
        let ended = ended.unwrap_or_else(|_| panic!("{name} is still alive"));
        let status = ended.expect("it was started");
        assert_eq!(status.signal(), Some(9), "{name} ended otherwise: {status}");
    }

    /// Starts a process again, without any failpoint.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn restart(&self, name: &str) {
        self.bank
            .start_process(name)
            .await
            .expect("it starts again");
    }

    /// Ends the bank in good order.
    ///
    /// # Panics
    /// When a process does not end.
    pub async fn stop(self) {
        let pools = std::mem::take(&mut *self.pools.lock().expect("lock"));
        for pool in pools.into_values() {
            pool.close().await;
        }
        self.bank.stop().await.expect("the bank stops");
    }
}

/// With the mistake that the test was run with, if any: see `docs/planted-bugs.md`.
fn planted(options: Options) -> Options {
    let settings = ["TRANSACTIONS_PLANTED_BUG", "ACCOUNTS_PLANTED_BUG"];
    settings
        .into_iter()
        .fold(options, |options, name| match std::env::var(name) {
            Ok(bug) => options.setting(name, bug),
            Err(_) => options,
        })
}

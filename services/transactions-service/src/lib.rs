//! How money moves: transfers between accounts that live in databases of their own, all of it or
//! none of it.
//!
//! | where is … | file |
//! |---|---|
//! | the route table | `routes.rs` |
//! | a request turned into a transfer | `transfer.rs`, `requests/` |
//! | one transaction driven to its end | `coordinator/drive.rs` |
//! | the decision made durable | `store/decisions.rs` |
//! | recovery | `coordinator/recovery.rs` |
//! | a transfer by saga | `sagas/` |
//! | databases that lost their last commits | `coordinator/numbers.rs` |
//! | an inquiry answered | `coordinator/inquiries.rs` |
//! | what is long finished, deleted | `coordinator/retention.rs` |
//! | what operators are told of a transaction in doubt | `console/` |

mod app;
mod config;
mod console;
mod coordinator;
mod directory;
mod http;
mod record;
mod requests;
mod routes;
mod sagas;
mod store;
mod transfer;

use std::sync::Arc;
use std::time::Duration;

use saga_postgres::Lease;
use service_kit::auth::{Issuer, Signer, Verifier};
use service_kit::client::ServiceClient;
use service_kit::config::Loaded;
use service_kit::database::ByKey;
use service_kit::retention;
use service_kit::serve::Service;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::sync::watch;

pub use config::TransactionsConfig;

use app::App;
use coordinator::numbers::Numbers;
use coordinator::participants::Participants;
use coordinator::retention::Cleaner;
use coordinator::{Coordination, recovery};

/// The schema of this service's database.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/transactions");

/// The issuer of this service's tokens, whatever its processes are called.
pub const ISSUER: &str = "transactions-service";

/// How long a process that stops waits for what is under way. Clients have been answered by then;
/// what is left waits for a bank that is down, and another process can do that as well.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database does not answer or refuses.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The service's own keys cannot be read or made.
    #[error("{0}")]
    Signer(#[from] service_kit::auth::SignerError),
    /// The saga of a transfer makes no sense.
    #[error("{0}")]
    Saga(#[from] saga::DefinitionError),
    /// The configuration asks for something that is not there.
    #[error("{0}")]
    Config(&'static str),
}

/// Recovery of transactions and of sagas, and retention.
type Loops = [tokio::task::JoinHandle<()>; 3];

/// The service with its background loops.
pub struct Built {
    /// What is to be served.
    pub service: Service,
    coordination: Arc<Coordination>,
    stop: watch::Sender<bool>,
    loops: Loops,
}

/// Puts the service together on a migrated database and starts recovery.
///
/// # Errors
/// [`BuildError`].
pub async fn build(loaded: &Loaded<TransactionsConfig>, pool: PgPool) -> Result<Built, BuildError> {
    let Loaded {
        bank,
        service: config,
    } = loaded;
    plant_bug(config)?;
    let banks = config.banks(bank);
    let signer = Signer::new(pool.clone(), ISSUER).await?;
    let mut issuers = vec![Issuer::users(&config.customers(bank))];
    issuers.extend(
        banks
            .iter()
            .map(|(bank, url)| Issuer::service(bank.as_str(), vec![url.clone()])),
    );
    let orders = config.orders(bank);
    issuers.extend(orders.map(|url| Issuer::service(requests::internal::ORDERS, vec![url])));
    let verifier = Verifier::new(pool.clone(), vec![ISSUER.to_owned()], issuers).await?;
    let timings = config.timings();
    let clients: Vec<_> = banks
        .iter()
        .map(|(bank, url)| {
            let name = bank.as_str();
            let client = ServiceClient::new(name, url, name, signer.clone(), timings.call_timeout);
            (bank.clone(), client)
        })
        .collect();
    let by_key = PgPool::clone(&ByKey::beside(&pool));
    let numbers = Numbers::new(
        by_key.clone(),
        &config.service_name,
        clients.iter().cloned(),
    );
    let participants = Participants::new(clients, &numbers);
    let directory = directory::Directory::new(by_key.clone(), participants.clone());
    let executor = Lease::register(by_key.clone(), &config.service_name, timings.lease).await?;
    let coordination = Coordination::new(
        config.service_name.clone(),
        by_key,
        timings,
        participants,
        numbers,
        executor,
    )?;
    let (coordinator_id, name) = (coordination.coordinator_id, &coordination.name);
    store::leases::register(&pool, coordinator_id, name, timings.lease).await?;
    let (stop, stopping) = watch::channel(false);
    let sagas = coordination
        .sagas
        .clone()
        .recover(timings, stopping.clone());
    let cleaner = Cleaner::new(coordination.pool.clone(), timings.kept_for);
    let loops = [
        tokio::spawn(recovery::run(Arc::clone(&coordination), stopping.clone())),
        tokio::spawn(sagas),
        tokio::spawn(retention::run(cleaner, config.retention_pace(), stopping)),
    ];
    let app = Arc::new(App {
        pool: pool.clone(),
        coordination: Arc::clone(&coordination),
        directory,
        banks: config.public_banks(bank),
    });
    Ok(Built {
        service: Service {
            name: ISSUER.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            bank: bank.clone(),
            router: routes::router(app),
            pool,
            signer,
            verifier,
            dependencies: Vec::new(),
        },
        coordination,
        stop,
        loops,
    })
}

/// What is left to do after the last request: the handle that stops the background loops.
pub struct Closing {
    coordination: Arc<Coordination>,
    stop: watch::Sender<bool>,
    loops: Loops,
}

impl Built {
    /// Separates what is served from what runs beside it.
    #[must_use]
    pub fn split(self) -> (Service, Closing) {
        let Self {
            service,
            coordination,
            stop,
            loops,
        } = self;
        let closing = Closing {
            coordination,
            stop,
            loops,
        };
        (service, closing)
    }
}

impl Closing {
    /// Stops taking transactions over, waits a moment for those under way, and gives back the
    /// lease, so that another process goes on at once with what is left.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        for one in self.loops {
            one.await.ok();
        }
        let idle = self.coordination.in_flight.idle();
        tokio::time::timeout(LAST_PATIENCE, idle).await.ok();
        let Coordination {
            pool,
            coordinator_id,
            ..
        } = &*self.coordination;
        if let Err(error) = store::leases::release(pool, *coordinator_id).await {
            tracing::warn!(event = "LEASE_NOT_RELEASED", %error);
        }
        if let Err(error) = self.coordination.sagas.lease().release().await {
            tracing::warn!(event = "LEASE_NOT_RELEASED", %error);
        }
    }
}

#[cfg(feature = "failpoints")]
fn plant_bug(config: &TransactionsConfig) -> Result<(), BuildError> {
    if let Some(name) = &config.planted_bug {
        let bug = name.parse().map_err(BuildError::Config)?;
        two_phase::planted::plant(Some(bug));
    }
    Ok(())
}

/// A build that cannot be asked for a planted bug has none: this does not compile where another
/// crate of the build has switched them on.
#[cfg(not(feature = "failpoints"))]
const _: () = {
    use two_phase::planted::{Bug, is_planted};
    let mut all = Bug::ALL;
    while let [bug, rest @ ..] = all {
        assert!(!is_planted(*bug), "planted bugs are built in");
        all = rest;
    }
};

#[cfg(not(feature = "failpoints"))]
fn plant_bug(config: &TransactionsConfig) -> Result<(), BuildError> {
    match config.planted_bug {
        Some(_) => Err(BuildError::Config("this build has no planted bugs")),
        None => Ok(()),
    }
}

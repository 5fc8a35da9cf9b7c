//! Where money is: balances, the ledger, and the participant's side of two-phase commit.
//!
//! | where is … | file |
//! |---|---|
//! | the route table | `routes.rs` |
//! | a vote decided | [`participant::vote`] |
//! | a list of PREPAREs, of decisions made durable | `participant/prepare.rs`, `participant/decide.rs` |
//! | in-doubt resolution | [`participant::in_doubt`] |
//! | what is long finished, deleted | [`participant::retention`] |
//! | double entry | [`ledger`] |
//! | all SQL | [`store`] |

pub mod account;
mod app;
pub mod branch;
mod cash;
pub mod config;
mod etag;
mod examination;
mod http;
mod idempotent;
pub mod ledger;
mod opening;
pub mod participant;
mod race;
mod reading;
mod routes;
pub mod seed;
mod statement;
pub mod store;
mod terms;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use service_kit::auth::{Issuer, Signer, SignerError, Verifier};
use service_kit::client::ServiceClient;
use service_kit::config::Loaded;
use service_kit::database::ByKey;
use service_kit::retention::{self, Pace};
use service_kit::serve::Service;
use sqlx::PgPool;
use tokio::sync::watch;
use types::ParticipantId;

pub use config::AccountsConfig;
pub use store::MIGRATIONS;

use app::{App, COORDINATOR};
use participant::Participant;
use participant::evidence::Console;
use participant::heard::Heard;
use participant::in_doubt::{Inquirer, Timings};
use participant::retention::Cleaner;
use store::StoreError;
use store::identity::{self, WrongDatabase};

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The database does not answer or refuses.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The same, while keys are read.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The database is another bank's.
    #[error("{0}; check ACCOUNTS_DATABASE_URL and ACCOUNTS_PARTICIPANT_ID")]
    WrongDatabase(#[from] WrongDatabase),
    /// The service's own keys cannot be read or made.
    #[error("{0}")]
    Signer(#[from] SignerError),
    /// The configuration asks for something that is not there.
    #[error("{0}")]
    Config(&'static str),
}

/// The service, and what runs beside it.
pub struct Built {
    /// What is to be served.
    pub service: Service,
    /// Asks about branches in doubt; to be run in a task.
    pub inquirer: Inquirer,
    /// Deletes what is long finished; to be run in a task.
    pub retention: Retention,
}

/// Deletes what is long finished, from time to time.
pub struct Retention {
    /// What does it; tests take its steps.
    pub cleaner: Cleaner,
    pace: Pace,
}

impl Retention {
    /// Runs until `stop` says so, or is gone; a batch that is under way is finished first.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        retention::run(self.cleaner, self.pace, stop).await;
    }
}

/// Makes sure that a migrated database is this bank's, claiming it when it is new.
///
/// # Errors
/// [`BuildError::WrongDatabase`], or when the database does not answer.
pub async fn claim(pool: &PgPool, own: &ParticipantId) -> Result<(), BuildError> {
    let mut connection = pool.acquire().await?;
    identity::claim(&mut connection, own).await??;
    Ok(())
}

/// Puts the service together on a migrated database.
///
/// # Errors
/// [`BuildError`].
pub async fn build(loaded: Loaded<AccountsConfig>, pool: PgPool) -> Result<Built, BuildError> {
    let Loaded {
        bank,
        service: config,
    } = loaded;
    plant_bug(&config)?;
    let own = config.participant_id.clone();
    claim(&pool, &own).await?;
    participant::recount(&pool).await?;

    let signer = Signer::new(pool.clone(), own.as_str()).await?;
    let coordinators = config.coordinators(&bank);
    let peers = config.peers();
    let mut issuers = vec![
        Issuer::users(&config.customers(&bank)),
        Issuer::service(COORDINATOR, coordinators.clone()),
    ];
    issuers.extend(
        peers
            .iter()
            .map(|(peer, url)| Issuer::service(peer.as_str(), vec![url.clone()])),
    );
    let verifier = Verifier::new(pool.clone(), vec![own.to_string()], issuers).await?;

    let participant = Participant::new(ByKey::beside(&pool), own.clone());
    let client = |name: &str, url: &str| {
        ServiceClient::new(name, url, name, signer.clone(), config.call_timeout())
    };
    let heard = Heard::default();
    let timings = Timings {
        after: Duration::from_millis(config.in_doubt_after_ms),
        tick: Duration::from_millis(config.in_doubt_tick_ms),
        longest_pause: Duration::from_millis(config.in_doubt_backoff_ms),
    };
    let console = Console::new(participant.clone(), heard.clone(), timings.after);
    let inquirer = Inquirer::new(
        participant.clone(),
        coordinators
            .iter()
            .map(|url| client(COORDINATOR, url))
            .collect(),
        peers
            .iter()
            .map(|(peer, url)| (peer.clone(), client(peer.as_str(), url)))
            .collect::<BTreeMap<_, _>>(),
        timings,
        heard,
    );
    let cleaner = Cleaner::new(
        participant.clone(),
        coordinators
            .iter()
            .map(|url| client(COORDINATOR, url))
            .collect(),
        config.kept_for(),
    );
    let retention = Retention {
        cleaner,
        pace: config.retention_pace(),
    };
    let peers = peers.into_iter().map(|(peer, _)| peer).collect();
    let app = Arc::new(App::new(pool.clone(), participant, peers, console));
    let router = routes::router(app, bank.is_development());
    Ok(Built {
        service: Service {
            name: own.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            bank,
            router,
            pool,
            signer,
            verifier,
            dependencies: Vec::new(),
        },
        inquirer,
        retention,
    })
}

#[cfg(feature = "failpoints")]
fn plant_bug(config: &AccountsConfig) -> Result<(), BuildError> {
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
fn plant_bug(config: &AccountsConfig) -> Result<(), BuildError> {
    match config.planted_bug {
        Some(_) => Err(BuildError::Config("this build has no planted bugs")),
        None => Ok(()),
    }
}

//! Buying from the cash desk: an order in PostgreSQL, stock in documents, and a payment through
//! transactions-service, none of which can share a database transaction.
//!
//! | where is … | file |
//! |---|---|
//! | the route table | `routes.rs` |
//! | a request turned into an order | `draft.rs`, `placing.rs` |
//! | the steps of an order, and its pivot | [`ordering::definition`] |
//! | the steps of a cancellation | [`ordering::cancellation`], `cancelling.rs` |
//! | sagas driven, and taken over | `driving.rs` |
//! | pieces taken and given back, once | `stock/operations.rs` |
//! | an order and its stock compared and mended | `repair/` |
//! | what is long finished, deleted | `retention.rs` |
//! | all SQL | `store/` |

mod app;
mod bank;
mod cancelling;
mod config;
mod draft;
mod driving;
mod error;
mod http;
pub mod ordering;
mod placing;
mod repair;
mod retention;
mod routes;
pub mod seed;
mod stock;
mod store;

use std::sync::Arc;
use std::time::Duration;

use ::documents::{Documents, Settings};
use futures_util::FutureExt;
use saga::Executor;
use saga::recovery::Pace;
use saga_postgres::{Lease, PgSagaLog, StepNames};
use service_kit::auth::{Issuer, Signer, SignerError, Verifier};
use service_kit::client::ServiceClient;
use service_kit::config::Loaded;
use service_kit::serve::{Dependency, Service};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use config::OrdersConfig;
pub use error::Error;

use app::{App, Parts};
use bank::Coordinators;
use ordering::cancellation::cancellation;
use ordering::definition;
use ordering::desk::Desk;
use retention::Cleaner;
use stock::{Stock, forgetting};

/// The service's name, in logs, tokens and replies.
pub const NAME: &str = "orders-service";

/// The coordinator's name in its replies and in the tokens for it.
const COORDINATOR: &str = "transactions-service";

/// The schema of its database.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/orders");

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The service's own keys cannot be read or made.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The steps of a saga do not fit together.
    #[error(transparent)]
    Definition(#[from] saga::DefinitionError),
}

/// The service with its background loops.
pub struct Built {
    /// What is to be served.
    pub service: Service,
    /// What is left to do after the last request.
    pub closing: Closing,
}

/// Stops the background loops.
pub struct Closing {
    app: App,
    stop: watch::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
}

impl Closing {
    /// Takes no more sagas over and gives back the lease, so that another process goes on at once
    /// with what is left.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        for each in self.loops {
            each.await.ok();
        }
        if let Err(error) = self.app.orders.store().lease().release().await {
            tracing::warn!(event = "LEASE_NOT_RELEASED", %error);
        }
    }
}

/// Connects to the document store, waiting for one that is still starting, and brings its schema
/// up to date.
///
/// # Errors
/// Those of the store.
pub async fn documents(loaded: &Loaded<OrdersConfig>) -> Result<Documents, ::documents::Error> {
    let config = &loaded.service;
    let settings = match &config.mongodb_url {
        Some(url) => Settings::mongodb(url.reveal()),
        None => Settings::postgres(config.documents_database_url.reveal()),
    };
    let settings = settings
        .connections(loaded.bank.database_connections)
        .application_name(NAME);
    Documents::connect(&settings).await
}

/// Puts the service together over a database whose schema is up to date, and its documents, and
/// starts to take over what an earlier process has left.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn build(
    loaded: Loaded<OrdersConfig>,
    pool: PgPool,
    documents: Documents,
) -> Result<Built, BuildError> {
    let Loaded {
        bank,
        service: config,
    } = loaded;
    let signer = Signer::new(pool.clone(), NAME).await?;
    let issuers = vec![Issuer::users(&config.customers(&bank))];
    let verifier = Verifier::new(pool.clone(), vec![NAME.to_owned()], issuers).await?;
    let timeout = config.payment_timeout();
    let coordinators = config
        .coordinators(&bank)
        .into_iter()
        .map(|url| ServiceClient::new(COORDINATOR, &url, COORDINATOR, signer.clone(), timeout));
    let payments = Coordinators::new(coordinators);
    let desk = Desk::new(pool.clone(), documents.clone(), payments);
    let order = definition::order(&desk, config.saga_options(), timeout)?;
    let cancellation = cancellation(&desk, config.saga_options(), timeout)?;
    let steps = order.step_names().chain(cancellation.step_names());
    let cleaner = Cleaner::new(pool.clone(), steps.collect(), config.kept_for());
    let length = Duration::from_millis(config.lease_ms);
    let log = PgSagaLog::new(Lease::register(pool.clone(), NAME, length).await?);
    let log = Arc::new(log);
    let stock = Stock::new(documents);
    let app = App::from(Parts {
        pool: pool.clone(),
        stock: stock.clone(),
        names: StepNames::of(&order).and(&cancellation),
        orders: Executor::new(order, Arc::clone(&log)),
        cancellations: Executor::new(cancellation, log),
        sales: config.sales_accounts.clone(),
        is_development: bank.is_development(),
        patience: Duration::from_millis(config.reply_patience_ms),
    });
    let (stop, stopping) = watch::channel(false);
    let pace = Pace {
        tick: Duration::from_millis(config.recovery_tick_ms),
        ..Pace::default()
    };
    driving::count(&pool).await;
    let mut loops = vec![
        driving::recover(&app.orders, &pool, pace, stopping.clone()),
        driving::recover(&app.cancellations, &pool, pace, stopping),
    ];
    let forgetting = forgetting::run(
        pool.clone(),
        stock.clone(),
        config.forgetting(),
        stop.subscribe(),
    );
    loops.push(tokio::spawn(forgetting));
    let retention = service_kit::retention::run(cleaner, config.retention_pace(), stop.subscribe());
    loops.push(tokio::spawn(retention));
    let closing = Closing {
        app: app.clone(),
        stop,
        loops,
    };
    let service = Service {
        name: NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        bank,
        router: routes::all(app),
        pool,
        signer,
        verifier,
        dependencies: vec![answers(stock)],
    };
    Ok(Built { service, closing })
}

/// Whether the documents answer, for `GET /ready`.
fn answers(stock: Stock) -> Dependency {
    Dependency {
        name: "documents".to_owned(),
        check: Arc::new(move || {
            let stock = stock.clone();
            async move {
                let answer = stock.ping().await;
                answer.map_err(|_| "the document store cannot be reached".to_owned())
            }
            .boxed()
        }),
    }
}

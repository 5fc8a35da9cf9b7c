//! Buying from the cash desk: an order in PostgreSQL, stock in documents, and a payment through
//! transactions-service, none of which can share a database transaction.
//!
//! | where is … | file |
//! |---|---|
//! | the route table | `routes.rs` |
//! | the steps of an order, and its pivot | [`ordering::definition`] |
//! | pieces taken and given back, once | `stock/operations.rs` |
//! | all SQL | `store/` |

mod app;
mod config;
mod error;
mod http;
pub mod ordering;
mod routes;
pub mod seed;
mod stock;
mod store;

use std::sync::Arc;

use ::documents::{Documents, Settings};
use futures_util::FutureExt;
use service_kit::auth::{Issuer, Signer, SignerError, Verifier};
use service_kit::config::Loaded;
use service_kit::serve::{Dependency, Service};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

pub use config::OrdersConfig;
pub use error::Error;

use app::App;
use stock::Stock;

/// The service's name, in logs, tokens and replies.
pub const NAME: &str = "orders-service";

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

/// Puts the service together over a database whose schema is up to date, and its documents.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn build(
    loaded: Loaded<OrdersConfig>,
    pool: PgPool,
    documents: Documents,
) -> Result<Service, BuildError> {
    let Loaded {
        bank,
        service: config,
    } = loaded;
    let signer = Signer::new(pool.clone(), NAME).await?;
    let issuers = vec![Issuer::users(&config.customers(&bank))];
    let verifier = Verifier::new(pool.clone(), vec![NAME.to_owned()], issuers).await?;
    let stock = Stock::new(documents);
    let app = App::new(pool.clone(), stock.clone());
    Ok(Service {
        name: NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        bank,
        router: routes::all(app),
        pool,
        signer,
        verifier,
        dependencies: vec![answers(stock)],
    })
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

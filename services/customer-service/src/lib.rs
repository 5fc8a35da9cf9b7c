//! Who people are: profiles, logins and tokens.
//!
//! Every other service believes the tokens that are signed here and keeps the public keys, so it
//! goes on while this service is down.

pub mod app;
pub mod config;
pub mod error;
mod housekeeping;
mod http;
pub mod passwords;
mod routes;
pub mod seed;
mod sessions;
mod store;
mod username;

use service_kit::auth::{
    Issuer, IssuerKind, KeySource, Signer, SignerError, USER_ISSUER, Verifier,
};
use service_kit::config::Loaded;
use service_kit::serve::Service;
use sqlx::PgPool;
use sqlx::migrate::Migrator;

use app::App;
use config::CustomerConfig;

/// The service's name, in logs, tokens and replies.
pub const NAME: &str = USER_ISSUER;

/// The schema of its database.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/customer");

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no signing key and none can be made.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The password hash cannot be computed.
    #[error(transparent)]
    Passwords(#[from] passwords::HashError),
}

/// Puts the service together over a database whose schema is up to date. Starts the loops that
/// forget what has expired and follow what other replicas revoke; they end with the last [`App`].
///
/// # Errors
/// When the database cannot be read or written.
pub async fn build(loaded: Loaded<CustomerConfig>, pool: PgPool) -> Result<Service, BuildError> {
    let Loaded { bank, service } = loaded;
    let signer = Signer::new(pool.clone(), NAME).await?;
    let ourselves = Issuer {
        name: NAME.to_owned(),
        kind: IssuerKind::Users,
        keys: KeySource::Own(signer.clone()),
    };
    let audiences = vec![NAME.to_owned()];
    let verifier = Verifier::new(pool.clone(), audiences, vec![ourselves]).await?;
    let app = App::new(service, pool.clone(), signer.clone(), verifier.clone()).await?;
    housekeeping::start(&app);
    Ok(Service {
        name: NAME.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        bank,
        router: routes::all(app),
        pool,
        signer,
        verifier,
        dependencies: Vec::new(),
    })
}

//! What every handler of the service needs.

use std::sync::Arc;

use service_kit::auth::{Signer, Verifier};
use service_kit::rate_limit::RateLimit;
use sqlx::PgPool;

use crate::config::CustomerConfig;
use crate::passwords::{HashError, Passwords};

/// Shared by all handlers and loops; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The settings in force.
    pub config: CustomerConfig,
    /// The database.
    pub pool: PgPool,
    /// Signs access tokens.
    pub signer: Signer,
    /// Is told at once what is revoked here.
    pub verifier: Verifier,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Logins per second and address.
    pub login_limit: RateLimit,
}

impl App {
    pub(crate) async fn new(
        config: CustomerConfig,
        pool: PgPool,
        signer: Signer,
        verifier: Verifier,
    ) -> Result<Self, HashError> {
        Ok(Self(Arc::new(Parts {
            passwords: Passwords::new(config.password_threads).await?,
            login_limit: RateLimit::new(config.logins_per_second),
            config,
            pool,
            signer,
            verifier,
        })))
    }

    /// A handle that does not keep it alive, for loops.
    pub(crate) fn downgrade(&self) -> std::sync::Weak<Parts> {
        Arc::downgrade(&self.0)
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

//! What every handler of the service needs.

use std::sync::Arc;
use std::time::Duration;

use saga::Executor;
use saga_postgres::{PgSagaLog, StepNames};
use sqlx::PgPool;

use crate::config::SalesAccounts;
use crate::ordering::state::{Cancelled, Ordered};
use crate::stock::Stock;

/// Shared by all handlers and loops; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// The database.
    pub(crate) pool: PgPool,
    /// The documents.
    pub(crate) stock: Stock,
    /// Carries out orders.
    pub(crate) orders: Executor<Ordered, PgSagaLog>,
    /// Carries out cancellations.
    pub(crate) cancellations: Executor<Cancelled, PgSagaLog>,
    /// What the steps of both are called.
    pub(crate) names: StepNames,
    /// The accounts that are paid into.
    pub(crate) sales: SalesAccounts,
    /// Failures may be asked for.
    pub(crate) is_development: bool,
    /// How long a client waits for the end of its order before it is answered 202.
    pub(crate) patience: Duration,
}

impl From<Parts> for App {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

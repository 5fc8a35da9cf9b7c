//! What every handler of the service needs.

use std::sync::Arc;

use sqlx::PgPool;

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
}

impl App {
    pub(crate) fn new(pool: PgPool, stock: Stock) -> Self {
        Self(Arc::new(Parts { pool, stock }))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

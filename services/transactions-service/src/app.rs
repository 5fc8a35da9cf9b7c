//! What every handler of this service stands on.

use std::sync::Arc;

use sqlx::PgPool;
use types::ParticipantId;

use crate::coordinator::Coordination;
use crate::directory::Directory;

/// Shared by all handlers and loops.
pub(crate) struct App {
    /// For what is read; the coordinator has connections of its own.
    pub(crate) pool: PgPool,
    pub(crate) coordination: Arc<Coordination>,
    pub(crate) directory: Directory,
    /// The banks and where clients reach them.
    pub(crate) banks: Vec<(ParticipantId, String)>,
}

impl App {
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// The state of the router.
pub(crate) type Shared = axum::extract::State<Arc<App>>;

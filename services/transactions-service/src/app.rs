//! What every handler of this service stands on.

use std::sync::Arc;

use sqlx::PgPool;
use types::ParticipantId;

use crate::coordinator::Coordination;
use crate::directory::Directory;

/// Shared by all handlers and loops.
pub(crate) struct App {
    pub(crate) coordination: Arc<Coordination>,
    pub(crate) directory: Directory,
    /// The banks and where clients reach them.
    pub(crate) banks: Vec<(ParticipantId, String)>,
}

impl App {
    pub(crate) fn pool(&self) -> &PgPool {
        &self.coordination.pool
    }
}

/// The state of the router.
pub(crate) type Shared = axum::extract::State<Arc<App>>;

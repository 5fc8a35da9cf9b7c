//! What can go wrong at the database, sorted by what is to be done about it.

use service_kit::Problem;
use service_kit::database::{self, JoinFailed, Transient};
use service_kit::failpoints::Injected;
use service_kit::halving::OfAnItem;
use types::Code;

use crate::participant::NotInStep;

/// A database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused, or did not answer.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds what no row may hold.
    #[error("damaged row: {0}")]
    Damaged(String),
    /// A failpoint was hit.
    #[error(transparent)]
    Injected(#[from] Injected),
    /// This database and the coordinator's have to be compared first.
    #[error(transparent)]
    NotInStep(#[from] NotInStep),
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if database::is_transient(error))
    }
}

impl OfAnItem for StoreError {
    fn is_of_an_item(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Injected(_) | Self::NotInStep(_) => false,
            Self::Database(error) => database::is_of_an_item(error),
        }
    }
}

impl From<NotInStep> for Problem {
    fn from(error: NotInStep) -> Self {
        Self::new(Code::ComparisonNeeded).detail(error.to_string())
    }
}

impl From<JoinFailed> for StoreError {
    fn from(error: JoinFailed) -> Self {
        Self::Database(error.into())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            StoreError::NotInStep(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

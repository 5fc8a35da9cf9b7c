//! What can go wrong at the database, sorted by what is to be done about it.

use service_kit::Problem;
use service_kit::database::{self, JoinFailed, Transient};
use service_kit::failpoints::Injected;

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
}

impl StoreError {
    /// Whether the cause lies in the data that were to be written or read, so that others of the
    /// same list may go on without the culprit.
    ///
    /// That is: a violated constraint, a value out of range, an exception raised by a trigger, a
    /// damaged row (SQLSTATE classes 22, 23 and P0). Everything else says nothing about any item: a lost
    /// connection, a full disk, a statement that took too long.
    #[must_use]
    pub fn is_of_an_item(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Injected(_) => false,
            Self::Database(
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_),
            ) => true,
            Self::Database(error) => error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| {
                    ["22", "23", "P0"]
                        .iter()
                        .any(|class| code.starts_with(class))
                }),
        }
    }
}

impl Transient for StoreError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if database::is_transient(error))
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
            other => Self::internal(other),
        }
    }
}

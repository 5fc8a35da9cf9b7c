//! What can go wrong in this service, and how clients are told.

use service_kit::Problem;
use service_kit::database::{self, JoinFailed, Transient};
use types::Code;

/// What can go wrong, whoever asks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of this id, or none the caller may know of.
    #[error("not found")]
    NotFound,
    /// There are fewer pieces than are asked for.
    #[error("out of stock")]
    OutOfStock,
    /// The request is refused.
    #[error("{1}")]
    Refused(Code, &'static str),
    /// A row or a document holds what no code of ours writes.
    #[error("corrupt data: {0}")]
    Corrupt(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The document store.
    #[error(transparent)]
    Documents(#[from] documents::Error),
    /// A task died.
    #[error(transparent)]
    Task(#[from] JoinFailed),
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if database::is_transient(error))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::new(Code::NotFound),
            Error::OutOfStock => {
                Self::new(Code::OutOfStock).detail("There are fewer pieces than that.")
            }
            Error::Refused(code, detail) => Self::new(code).detail(detail),
            Error::Corrupt(what) => Self::internal(format_args!("corrupt data: {what}")),
            Error::Database(error) => error.into(),
            Error::Documents(documents::Error::Unavailable(why)) => {
                tracing::warn!(event = "DOCUMENTS_UNAVAILABLE", error = %why);
                Self::new(Code::Unavailable).detail("The document store cannot be reached.")
            }
            Error::Documents(error) => Self::internal(format_args!("documents: {error}")),
            Error::Task(error) => error.into(),
        }
    }
}

//! What can go wrong in this service, and how clients are told.

use service_kit::Problem;
use service_kit::auth::SignerError;
use service_kit::database::JoinFailed;
use types::Code;

use crate::passwords::HashError;

/// What can go wrong, whoever asks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong user name or password; which of them is nobody's business.
    #[error("wrong user name or password")]
    InvalidCredentials,
    /// Too many failed logins under this name.
    #[error("too many failed logins")]
    TooManyFailures {
        /// Seconds until the next attempt is let through.
        retry_after: u64,
    },
    /// More passwords wait to be checked than will be in reasonable time.
    #[error("too many logins at once")]
    Overloaded,
    /// The refresh token is not one, is spent, or its session has ended.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// No such customer, or none the caller may know of.
    #[error("no such customer")]
    CustomerNotFound,
    /// The customer is not as the caller last saw it.
    #[error("changed meanwhile")]
    Changed,
    /// Somebody has this user name.
    #[error("user name taken")]
    UsernameTaken,
    /// A value of the request makes no sense; says which and why.
    #[error("{0}")]
    Invalid(&'static str),
    /// A row holds what no code of ours writes.
    #[error("corrupt row: {0}")]
    Corrupt(String),
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A token could not be signed.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A task died.
    #[error(transparent)]
    Task(#[from] JoinFailed),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let plain = |code| Self::new(code);
        match error {
            Error::InvalidCredentials => plain(Code::InvalidCredentials)
                .detail("There is no such user name with this password."),
            Error::TooManyFailures { retry_after } => plain(Code::RateLimited)
                .detail("Too many failed logins; wait before the next one.")
                .retry_after(retry_after),
            Error::Overloaded => plain(Code::Overloaded).detail("Too many logins at once."),
            Error::InvalidRefreshToken => plain(Code::Unauthenticated)
                .detail("The refresh token is spent, revoked, expired or none. Log in again."),
            Error::CustomerNotFound => plain(Code::NotFound).detail("There is no such customer."),
            Error::Changed => plain(Code::PreconditionFailed)
                .detail("The customer is not as If-Match says; read it again."),
            Error::UsernameTaken => {
                plain(Code::UsernameTaken).detail("Somebody else has this user name.")
            }
            Error::Invalid(why) => plain(Code::InvalidBody).detail(why),
            Error::Corrupt(what) => Self::internal(format_args!("corrupt row: {what}")),
            Error::Database(error) => error.into(),
            Error::Signer(error) => error.into(),
            Error::Hash(error) => Self::internal(error),
            Error::Task(error) => error.into(),
        }
    }
}

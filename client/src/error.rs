//! What can go wrong between a caller and the bank.

use types::Code;
use types::views::ProblemView;

/// Why a call brought no result.
///
/// Only [`Error::Refused`] says anything about what the bank did. After the other two a request
/// that changes something may or may not have been carried out: repeat it under the same
/// idempotency key.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The service answered, and the answer is a problem.
    #[error("{}", .0.detail)]
    Refused(Box<ProblemView>),
    /// No answer came: nobody listens, the connection broke, or it took too long.
    #[error("{service} at {url} cannot be reached: {reason}")]
    Unreachable {
        /// Which service was asked.
        service: String,
        /// Where it should be.
        url: String,
        /// What happened, in words.
        reason: String,
        /// The request may have reached the service before the connection was lost.
        maybe_delivered: bool,
    },
    /// An answer came that is not one of the bank's.
    #[error("what answers at {url} is not {service}: {reason}")]
    Unexpected {
        /// Which service was asked.
        service: String,
        /// Where it should be.
        url: String,
        /// What is odd about the answer.
        reason: String,
    },
}

impl Error {
    /// The stable code, when the bank refused.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            Self::Unreachable { .. } | Self::Unexpected { .. } => None,
        }
    }

    /// Whether the request may have been carried out although no result came back.
    #[must_use]
    pub fn leaves_outcome_unknown(&self) -> bool {
        match self {
            Self::Refused(problem) => matches!(
                problem.code,
                Code::OutcomeUnknown | Code::RequestInProgress | Code::InternalError
            ),
            Self::Unreachable {
                maybe_delivered, ..
            } => *maybe_delivered,
            Self::Unexpected { .. } => true,
        }
    }
}

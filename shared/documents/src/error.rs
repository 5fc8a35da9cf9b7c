//! What can go wrong.

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store did not say what became of it: it is down, slow, or the connection broke. A change
    /// may have happened. Never read this as "nothing happened".
    #[error("the document store gave no answer: {0}")]
    Unavailable(String),
    /// The call itself is wrong, or asks of a document what it cannot do (an increment of a text).
    /// Nothing was changed, and nothing will be by repeating it.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    pub(crate) fn invalid(words: impl Into<String>) -> Self {
        Self::Invalid(words.into())
    }

    pub(crate) fn unavailable(cause: &dyn std::fmt::Display) -> Self {
        Self::Unavailable(cause.to_string())
    }
}

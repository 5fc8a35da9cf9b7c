//! What keeps a measurement from being one.

use std::fmt;

/// In words, with what it was about.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// Words of our own.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// Puts what was being done in front of somebody else's words.
    pub fn of<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<stack::Error> for Failure {
    fn from(error: stack::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

//! What can go wrong while a bank is set up, in words that say what to do next.

use std::{io, path::Path, process::ExitStatus};

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a bank could not be set up, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused something.
    #[error("{action}: {source}")]
    Io {
        /// What was tried, as in "cannot read /x".
        action: String,
        /// The system's answer.
        source: io::Error,
    },
    /// PostgreSQL refused something.
    #[error("{action}: {source}")]
    Database {
        /// What was tried.
        action: String,
        /// The driver's answer. It never holds a password.
        source: sqlx::Error,
    },
    /// Something about this machine or the request has to change first; the text says what.
    #[error("{0}")]
    Refused(String),
    /// A helper program (initdb, cargo, apt-get) failed.
    #[error("{program} failed ({status}){}", indented(output))]
    Tool {
        /// Its name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },
    /// A process of the bank ended before it was ready.
    #[error("{name} ended before it was ready ({status}){}", indented(output))]
    Ended {
        /// The process, as in state.json.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of its standard error and of its log.
        output: String,
    },
    /// A process of the bank runs, but did not become ready in time.
    #[error("{name} was not ready after {seconds} s{}", indented(answer))]
    NotReady {
        /// The process, as in state.json.
        name: String,
        /// How long it was waited for.
        seconds: u64,
        /// Its last answer, or why there was none.
        answer: String,
    },
    /// No process or database of the bank has this name.
    #[error("this bank has no `{0}`; it has {1}")]
    Unknown(String, String),
}

impl Error {
    /// An [`Error::Io`] about a path, as in `cannot {verb} {path}`.
    pub fn path(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let action = format!("cannot {verb} {}", path.display());
        move |source| Error::Io { action, source }
    }

    /// An [`Error::Io`] about anything else.
    pub fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let action = action.into();
        move |source| Error::Io { action, source }
    }

    /// An [`Error::Database`].
    pub fn database(action: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Error {
        let action = action.into();
        move |source| Error::Database { action, source }
    }
}

fn indented(output: &str) -> String {
    output
        .trim_end()
        .lines()
        .map(|line| format!("\n    {line}"))
        .collect()
}

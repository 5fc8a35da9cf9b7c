//! Everything that ends a command early, in words and as an exit code.

use std::io;

use client::Error;
use serde_json::{Value, json};
use types::{Code, Retry};

use super::output::Output;
use super::table::printable;

/// The exit codes scripts may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Refused = 1,
    Usage = 2,
    Unreachable = 3,
    NotLoggedIn = 4,
}

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The bank refused, did not answer, or is not there.
    #[error(transparent)]
    Bank(#[from] Error),
    /// There is no session, or it has ended.
    #[error("{0}")]
    NotLoggedIn(String),
    /// The command makes no sense as it was typed.
    #[error("{0}")]
    Usage(String),
    /// The command was understood, and the answer is no.
    #[error("{0}")]
    Refused(String),
    /// A part of the bank did not answer; what did was shown.
    #[error("{0}")]
    Incomplete(String),
    /// Nobody knows whether the money moved.
    #[error("{0}")]
    Unknown(String),
    /// A file or the terminal failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Failure {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Bank(Error::Refused(problem)) => match problem.code {
                Code::Unauthenticated => Exit::NotLoggedIn,
                // Not refusals: it may have happened, or the service cannot do any work now.
                Code::OutcomeUnknown | Code::Unavailable | Code::KeysUnavailable => {
                    Exit::Unreachable
                }
                _ => Exit::Refused,
            },
            Self::Bank(Error::Unreachable { .. } | Error::Unexpected { .. })
            | Self::Incomplete(_)
            | Self::Unknown(_) => Exit::Unreachable,
            Self::NotLoggedIn(_) => Exit::NotLoggedIn,
            Self::Usage(_) => Exit::Usage,
            Self::Refused(_) | Self::Io(_) => Exit::Refused,
        }
    }

    /// The reader of our output went away, as `head` does. Nothing is wrong.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The failure in a sentence or two, and what to do about it.
    pub fn words(&self) -> String {
        let text = match self {
            Self::Bank(Error::Refused(problem)) if problem.code == Code::Unauthenticated => {
                format!("Not logged in: {}. Log in first.", ended(&problem.detail))
            }
            Self::Bank(Error::Refused(problem)) => {
                let words = match problem.detail.as_str() {
                    "" => problem.title.as_str(),
                    detail => detail,
                };
                let mut text = format!("Refused ({}): {words}", problem.code);
                if !text.ends_with(['.', ')', '!', '?']) {
                    text.push('.');
                }
                match problem.retry {
                    Some(Retry::NewKey) => text.push_str(" Nothing moved; it may be tried again."),
                    Some(Retry::SameKey) => {
                        text.push_str(" Repeat it with the same idempotency key.");
                    }
                    Some(Retry::Never) | None => {}
                }
                text
            }
            Self::Bank(error @ Error::Unreachable { .. }) => {
                format!("{error}. Is the bank running? ./scripts/start starts it.")
            }
            other => other.to_string(),
        };
        printable(&text)
    }

    /// The failure for programs: the bank's own problem where there is one, its shape otherwise.
    pub fn json(&self) -> Value {
        let (code, title) = match self {
            Self::Bank(Error::Refused(problem)) => return json!(problem),
            Self::Bank(Error::Unreachable { .. }) => ("not_reachable", "Not reachable"),
            Self::Bank(Error::Unexpected { .. }) => ("unexpected_reply", "Unexpected reply"),
            Self::NotLoggedIn(_) => ("not_logged_in", "Not logged in"),
            Self::Usage(_) => ("usage", "Wrong usage"),
            Self::Refused(_) => ("refused", "Refused"),
            Self::Incomplete(_) => ("incomplete", "Not everything answered"),
            Self::Unknown(_) => ("outcome_unknown", Code::OutcomeUnknown.title()),
            Self::Io(_) => ("io", "A file or the terminal failed"),
        };
        json!({
            "type": "about:blank",
            "title": title,
            "status": null,
            "detail": self.words(),
            "code": code,
            "request_id": null,
        })
    }

    /// Tells whoever reads standard error, and gives the code to exit with.
    pub fn report(&self, out: &Output) -> Exit {
        use io::Write;
        if self.is_broken_pipe() {
            return Exit::Done;
        }
        let mut stderr = io::stderr().lock();
        // A closed standard error leaves nobody to tell; the exit code still does.
        let _ = if out.is_json() {
            writeln!(stderr, "{}", self.json())
        } else {
            writeln!(stderr, "{}", self.words())
        };
        self.exit()
    }
}

fn ended(sentence: &str) -> &str {
    sentence.trim_end_matches('.')
}

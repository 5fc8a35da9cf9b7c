//! Values as they are typed.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::ValueEnum;
use client::FailpointAction;
use types::views::{Locking, Protocol, ResolutionOutcome, SagaStatus, Status};
use types::{Currency, DecimalText, MoneyError, Timestamp};

/// Whether a number is one the bank accepts is the bank's to say, with a code; here it only has to
/// be a number at all.
pub fn decimal(text: &str) -> Result<DecimalText, MoneyError> {
    let decimal = DecimalText::from(text.to_owned());
    match decimal.decimal() {
        Err(MoneyError::NotANumber) => Err(MoneyError::NotANumber),
        Ok(_) | Err(_) => Ok(decimal),
    }
}

/// A point in time, or a date, which means its first moment in UTC.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(date) = NaiveDate::from_str(text) {
        return Ok(date.and_time(NaiveTime::MIN).and_utc().into());
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc).into())
        .map_err(|_| "expected 2026-01-31 or 2026-01-31T12:00:00Z".to_owned())
}

pub fn currency(text: &str) -> Result<Currency, String> {
    text.to_ascii_uppercase()
        .parse()
        .map_err(|error: types::CurrencyError| error.to_string())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleChoice {
    Customer,
    Teller,
    Admin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProtocolChoice {
    #[value(name = "2pc")]
    TwoPhaseCommit,
    Saga,
}

impl From<ProtocolChoice> for Protocol {
    fn from(choice: ProtocolChoice) -> Self {
        match choice {
            ProtocolChoice::TwoPhaseCommit => Self::TwoPhaseCommit,
            ProtocolChoice::Saga => Self::Saga,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusChoice {
    Pending,
    Committed,
    Aborted,
}

impl From<StatusChoice> for Status {
    fn from(choice: StatusChoice) -> Self {
        match choice {
            StatusChoice::Pending => Self::Pending,
            StatusChoice::Committed => Self::Committed,
            StatusChoice::Aborted => Self::Aborted,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LockingChoice {
    Escrow,
    Exclusive,
}

impl From<LockingChoice> for Locking {
    fn from(choice: LockingChoice) -> Self {
        match choice {
            LockingChoice::Escrow => Self::Escrow,
            LockingChoice::Exclusive => Self::Exclusive,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutcomeChoice {
    Commit,
    Abort,
}

impl From<OutcomeChoice> for ResolutionOutcome {
    fn from(choice: OutcomeChoice) -> Self {
        match choice {
            OutcomeChoice::Commit => Self::Commit,
            OutcomeChoice::Abort => Self::Abort,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ActionChoice {
    /// The process ends at once, as if the power had gone
    Abort,
    /// Whoever comes by waits, and the process lives
    Pause,
    /// The step fails, and the process lives
    Fail,
}

impl From<ActionChoice> for FailpointAction {
    fn from(choice: ActionChoice) -> Self {
        match choice {
            ActionChoice::Abort => Self::Abort,
            ActionChoice::Pause => Self::Pause,
            ActionChoice::Fail => Self::Fail,
        }
    }
}

/// How a saga stands, in capitals or not.
pub fn saga_status(text: &str) -> Result<SagaStatus, String> {
    let all = SagaStatus::ALL;
    let found = all
        .iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(text));
    found.copied().ok_or_else(|| {
        let names = all.map(SagaStatus::as_str);
        format!("expected one of {}", names.join(", "))
    })
}

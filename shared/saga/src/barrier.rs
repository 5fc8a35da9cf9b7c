//! The barrier: what keeps an effect from happening twice, late, or after it was undone.
//!
//! Whoever performs steps keeps one row for each operation id, in the database in which the effect
//! is, and writes it in the same database transaction:
//!
//! | row of the action | the action comes | its compensation comes |
//! |---|---|---|
//! | none | perform it | record both; nothing to undo, and a late action is refused |
//! | done | the same answer, no effect | undo it |
//! | refused | the same refusal | record it; nothing to undo |
//! | closed | refused | record it; nothing to undo |
//!
//! A compensation whose own row is there has no effect. A passing failure leaves no row, so that a
//! retry can work; neither does a *refused compensation*, or an operator's retry never could.
//!
//! The race it survives: the action times out, the compensation overtakes it, and then it arrives.
//! Looking for a row before inserting one does not help, because both may look before either
//! inserts. So rows are inserted first (`INSERT … ON CONFLICT DO NOTHING`, which waits for whoever
//! has inserted the same one and not committed yet), read in a *later statement*, and always the
//! action's before the compensation's.
//!
//! [`on_action`], [`on_compensation`] and [`close`] decide. [`pass`] does one operation over a
//! [`BarrierStore`]; a performer that works on lists calls the pure functions itself.

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Reason};

mod pass;
#[cfg(test)]
mod tests;

pub use pass::{BarrierStore, Passed, Request, pass};

/// Reason of an action that comes after it was compensated or closed.
pub const CLOSED: Reason = Reason::fixed("operation_closed");

/// What a performer has recorded of an operation. That there is no row is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Recorded {
    /// It has happened.
    Done,
    /// It was refused, for good.
    Refused {
        /// The reason it was given, and is given again.
        reason: Reason,
    },
    /// It never came, and never may any more.
    Closed,
}

/// What to do with an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnAction {
    /// Perform it, and record what [`after_action`] says.
    Perform,
    /// No effect: answer this.
    Answer(Answer<()>),
}

/// What to do with a compensation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCompensation {
    /// Undo the action, and record the compensation once that is done.
    Undo,
    /// No effect: record the compensation as done.
    Record,
    /// No effect: record the compensation as done, and the action as [`Recorded::Closed`].
    CloseAndRecord,
    /// No effect, nothing to record: it was done before.
    Repeated,
}

/// What to do when somebody wants to be sure that an operation never happens from now on: a refund
/// that overtakes its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnClose {
    /// Record it as [`Recorded::Closed`]: it never happens.
    Close,
    /// It has begun and is not decided: ask again.
    Wait,
    /// It has happened: reverse it.
    Reverse,
    /// It never happens, as recorded.
    Nothing,
}

/// How an operation stands that takes its performer more than one database transaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nobody knows of it.
    Absent,
    /// Begun, not decided: it may still go either way.
    Underway,
    /// Decided.
    Settled(Recorded),
}

/// Decides about an action, from what stood there before its row was inserted.
#[must_use]
pub fn on_action(action: Option<&Recorded>) -> OnAction {
    match action {
        None => OnAction::Perform,
        Some(Recorded::Done) => OnAction::Answer(Answer::Done),
        Some(Recorded::Refused { reason }) => OnAction::Answer(Answer::Refused(reason.clone())),
        Some(Recorded::Closed) => OnAction::Answer(Answer::Refused(CLOSED)),
    }
}

/// What is to be recorded of an action that was performed; `None`: no row may stay.
#[must_use]
pub fn after_action<S>(answer: &Answer<S>) -> Option<Recorded> {
    match answer {
        Answer::Done | Answer::DoneWith(_) => Some(Recorded::Done),
        Answer::Refused(reason) => Some(Recorded::Refused {
            reason: reason.clone(),
        }),
        Answer::RefusedInPart(_) | Answer::NotNow(_) | Answer::Unknown(_) => None,
    }
}

/// Decides about a compensation, from what stood there before the rows of the action and of the
/// compensation were inserted.
#[must_use]
pub const fn on_compensation(
    compensation: Option<&Recorded>,
    action: Option<&Recorded>,
) -> OnCompensation {
    match (compensation, action) {
        (Some(_), _) => OnCompensation::Repeated,
        (None, None) => OnCompensation::CloseAndRecord,
        (None, Some(Recorded::Done)) => OnCompensation::Undo,
        (None, Some(Recorded::Refused { .. } | Recorded::Closed)) => OnCompensation::Record,
    }
}

/// What is to be recorded of a compensation that was performed; `None`: no row may stay.
#[must_use]
pub const fn after_compensation<S>(answer: &Answer<S>) -> Option<Recorded> {
    match answer {
        Answer::Done | Answer::DoneWith(_) => Some(Recorded::Done),
        Answer::Refused(_) | Answer::RefusedInPart(_) | Answer::NotNow(_) | Answer::Unknown(_) => {
            None
        }
    }
}

/// Decides about closing an operation.
#[must_use]
pub const fn close(standing: &Standing) -> OnClose {
    match standing {
        Standing::Absent => OnClose::Close,
        Standing::Underway => OnClose::Wait,
        Standing::Settled(Recorded::Done) => OnClose::Reverse,
        Standing::Settled(Recorded::Refused { .. } | Recorded::Closed) => OnClose::Nothing,
    }
}

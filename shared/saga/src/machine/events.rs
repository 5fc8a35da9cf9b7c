//! What a saga's log says.

use serde::{Deserialize, Serialize};

use crate::answer::Reason;

/// One line of a saga's log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Event {
    /// The action is about to be asked for.
    ActionStarted {
        /// Index of the step.
        step: usize,
    },
    /// The action has happened.
    ActionDone {
        /// Index of the step.
        step: usize,
    },
    /// The action was refused for good.
    ActionFailed {
        /// Index of the step.
        step: usize,
        /// The performer's.
        reason: Reason,
    },
    /// From here on it goes back.
    TurnedBack {
        /// What made it turn.
        reason: Reason,
    },
    /// The compensation is about to be asked for.
    CompensationStarted {
        /// Index of the step.
        step: usize,
    },
    /// The compensation has happened.
    CompensationDone {
        /// Index of the step.
        step: usize,
    },
    /// A step keeps failing, and there is no other way.
    Stuck {
        /// Index of the step.
        step: usize,
        /// Its last answer.
        reason: Reason,
    },
    /// An operator has it try again.
    Retried {
        /// Who, and why.
        reason: Reason,
    },
    /// An operator leaves a step as it is.
    Skipped {
        /// Index of the step.
        step: usize,
        /// Who, and why.
        reason: Reason,
    },
    /// Every step is done.
    Committed,
    /// Everything is undone.
    Compensated,
}

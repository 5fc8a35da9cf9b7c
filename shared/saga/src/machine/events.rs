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

impl Event {
    /// The event as it stands in a database.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::ActionStarted { .. } => "ACTION_STARTED",
            Self::ActionDone { .. } => "ACTION_DONE",
            Self::ActionFailed { .. } => "ACTION_FAILED",
            Self::TurnedBack { .. } => "TURNED_BACK",
            Self::CompensationStarted { .. } => "COMPENSATION_STARTED",
            Self::CompensationDone { .. } => "COMPENSATION_DONE",
            Self::Stuck { .. } => "STUCK",
            Self::Retried { .. } => "RETRIED",
            Self::Skipped { .. } => "SKIPPED",
            Self::Committed => "COMMITTED",
            Self::Compensated => "COMPENSATED",
        }
    }

    /// The step it is about; `None`: about the whole saga.
    #[must_use]
    pub const fn step(&self) -> Option<usize> {
        match self {
            Self::ActionStarted { step }
            | Self::ActionDone { step }
            | Self::ActionFailed { step, .. }
            | Self::CompensationStarted { step }
            | Self::CompensationDone { step }
            | Self::Stuck { step, .. }
            | Self::Skipped { step, .. } => Some(*step),
            Self::TurnedBack { .. }
            | Self::Retried { .. }
            | Self::Committed
            | Self::Compensated => None,
        }
    }

    /// Why it happened, where something has to be said.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        match self {
            Self::ActionFailed { reason, .. }
            | Self::TurnedBack { reason }
            | Self::Stuck { reason, .. }
            | Self::Retried { reason }
            | Self::Skipped { reason, .. } => Some(reason),
            Self::ActionStarted { .. }
            | Self::ActionDone { .. }
            | Self::CompensationStarted { .. }
            | Self::CompensationDone { .. }
            | Self::Committed
            | Self::Compensated => None,
        }
    }
}

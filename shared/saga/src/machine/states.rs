//! How sagas and steps stand.

use serde::{Deserialize, Serialize};

/// How a saga stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Going forward.
    Started,
    /// Going back. It never goes forward again.
    Compensating,
    /// Neither works. An operator is needed.
    Stuck,
    /// Every step is done. Final.
    Committed,
    /// Everything that happened is undone. Final.
    Compensated,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepState {
    /// Not asked for.
    Pending,
    /// Its action is asked for. It may have happened.
    Running,
    /// Its action has happened.
    Done,
    /// Its action was refused for good. Nothing happened.
    Failed,
    /// Its compensation is asked for. It may have happened.
    Compensating,
    /// Its compensation has happened.
    Compensated,
    /// An operator has left it as it was, and said why.
    Skipped,
}

impl Status {
    /// All of them, for tables and schemas.
    pub const ALL: [Self; 5] = [
        Self::Started,
        Self::Compensating,
        Self::Stuck,
        Self::Committed,
        Self::Compensated,
    ];

    /// The status as it stands in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Compensating => "COMPENSATING",
            Self::Stuck => "STUCK",
            Self::Committed => "COMMITTED",
            Self::Compensated => "COMPENSATED",
        }
    }

    /// Whether it never changes again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Committed | Self::Compensated)
    }
}

impl StepState {
    /// All of them, for tables and schemas.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Compensating,
        Self::Compensated,
        Self::Skipped,
    ];

    /// The state as it stands in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Compensating => "COMPENSATING",
            Self::Compensated => "COMPENSATED",
            Self::Skipped => "SKIPPED",
        }
    }

    /// Whether its effect is there or may be there.
    pub(super) const fn may_have_happened(self) -> bool {
        matches!(self, Self::Running | Self::Done)
    }
}

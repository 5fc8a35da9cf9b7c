//! Sagas as people read them: how each step stands, and the log that led there.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{SagaId, Timestamp};

/// How a saga stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SagaStatus {
    /// Going forward.
    Started,
    /// Going back.
    Compensating,
    /// Neither works: an operator is needed.
    Stuck,
    /// Every step is done.
    Committed,
    /// Everything that happened is undone.
    Compensated,
}

impl SagaStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Started,
        Self::Compensating,
        Self::Stuck,
        Self::Committed,
        Self::Compensated,
    ];

    /// The status as text.
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
}

impl fmt::Display for SagaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SagaStepStatus {
    /// Not asked for.
    Pending,
    /// Its action is asked for. It may have happened.
    Running,
    /// Its action has happened.
    Done,
    /// Its action was refused for good.
    Failed,
    /// Its compensation is asked for.
    Compensating,
    /// Its compensation has happened.
    Compensated,
    /// An operator has left it as it was.
    Skipped,
}

impl SagaStepStatus {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Done,
        Self::Failed,
        Self::Compensating,
        Self::Compensated,
        Self::Skipped,
    ];

    /// The status as text.
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
}

impl fmt::Display for SagaStepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One step of a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SagaStepView {
    /// Its name.
    pub step: String,
    /// How it stands.
    pub status: SagaStepStatus,
    /// How often it was asked for, forward and back, as far as the log tells: one that is being
    /// asked for right now counts as one.
    pub attempts: u32,
    /// Why it failed or got stuck, in the last words of whoever performs it.
    pub error: Option<String>,
}

/// One line of a saga's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SagaLogView {
    /// When it was written.
    pub at: Timestamp,
    /// What has happened, or is asked for.
    pub event: String,
    /// To which step; `null`: to the saga.
    pub step: Option<String>,
    /// Why.
    pub detail: Option<String>,
}

/// A saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SagaView {
    /// Its id; a transfer's is the transfer's.
    pub saga_id: SagaId,
    /// What it does.
    pub kind: String,
    /// How it stands.
    pub status: SagaStatus,
    /// When it began.
    pub began_at: Timestamp,
    /// Its steps, in order.
    pub steps: Vec<SagaStepView>,
    /// Its log, in order.
    pub log: Vec<SagaLogView>,
}

/// `POST /sagas/{id}/retry` and `POST /sagas/{id}/skip`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SagaOrder {
    /// Why, for whoever reads the log later.
    #[schema(value_type = String)]
    pub reason: crate::Text<500>,
}

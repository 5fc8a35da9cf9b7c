//! The audit trail: what was done about a transaction in doubt.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::ResolutionOutcome;
use crate::{ParticipantId, ResolutionId, Timestamp};

/// A step that is kept for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditAction {
    /// An admin proposed to force an outcome.
    Proposed,
    /// A confirmation was refused.
    ConfirmationRefused,
    /// Another admin confirmed.
    Confirmed,
    /// The outcome was forced at the bank.
    Forced,
    /// It was confirmed, and the bank did not force it.
    NotForced,
    /// The decision reached a branch that had been forced.
    Result,
    /// An admin acknowledged a hazard.
    Acknowledged,
    /// An admin had a stuck saga try again.
    SagaRetried,
    /// An admin had a stuck saga leave a step as it was.
    SagaSkipped,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Proposed,
        Self::ConfirmationRefused,
        Self::Confirmed,
        Self::Forced,
        Self::NotForced,
        Self::Result,
        Self::Acknowledged,
        Self::SagaRetried,
        Self::SagaSkipped,
    ];

    /// The step as it stands in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::ConfirmationRefused => "CONFIRMATION_REFUSED",
            Self::Confirmed => "CONFIRMED",
            Self::Forced => "FORCED",
            Self::NotForced => "NOT_FORCED",
            Self::Result => "RESULT",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::SagaRetried => "SAGA_RETRIED",
            Self::SagaSkipped => "SAGA_SKIPPED",
        }
    }
}

impl std::fmt::Display for AuditAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// When, by the clock of the database that keeps it.
    pub recorded_at: Timestamp,
    /// Who keeps it: `coordinator`, or the participant.
    pub recorded_by: String,
    /// What was done.
    pub action: AuditAction,
    /// At which participant's branch.
    pub participant: ParticipantId,
    /// The login that did it; `null` for what happened by itself.
    pub actor: Option<String>,
    /// The proposal it belongs to.
    pub resolution_id: Option<ResolutionId>,
    /// What was to be forced.
    pub outcome: Option<ResolutionOutcome>,
    /// What was acknowledged.
    pub hazard: Option<String>,
    /// What was known at that moment.
    pub evidence: Option<String>,
    /// Why, in the words of whoever did it.
    pub reason: Option<String>,
    /// What came of it.
    pub detail: Option<String>,
}

//! Transactions that cannot finish by themselves, and what operators do about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::{Choice, CoordinatorEvidence, DeliveryView, HazardView, LegEvidence, Status};
use crate::{ParticipantId, ReconciliationId, ResolutionId, Text, Timestamp, TransactionId};

/// One bank, as the coordinator knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParticipantView {
    /// Its name.
    pub participant_id: ParticipantId,
    /// Where clients reach it.
    pub url: String,
    /// It answered just now.
    pub reachable: bool,
    /// Whether its database and the coordinator's know the same of each other.
    #[serde(default)]
    pub state: ParticipantState,
}

/// How a bank's database and the coordinator's stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantState {
    /// Not compared since one of the two databases was started.
    #[default]
    NotCompared,
    /// Neither has lost anything that the other knows of.
    InStep,
    /// The bank's database has lost commits that the coordinator knows of. Nothing moves between
    /// the two until operators have reconciled them.
    Behind,
    /// The coordinator's database has lost commits that the bank knows of. The same.
    CoordinatorBehind,
}

impl ParticipantState {
    /// The state as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotCompared => "not_compared",
            Self::InStep => "in_step",
            Self::Behind => "behind",
            Self::CoordinatorBehind => "coordinator_behind",
        }
    }

    /// Whether operators have to reconcile the two.
    #[must_use]
    pub const fn is_parked(self) -> bool {
        matches!(self, Self::Behind | Self::CoordinatorBehind)
    }
}

impl std::str::FromStr for ParticipantState {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [
            Self::NotCompared,
            Self::InStep,
            Self::Behind,
            Self::CoordinatorBehind,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or("no state of a participant")
    }
}

/// `POST /participants/{participant_id}/reconciliations`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// Why; kept in the audit trail of both databases.
    #[schema(value_type = String)]
    pub reason: Text<500>,
}

/// A proposal to accept that a database has lost commits, or one that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReconciliationAccepted {
    /// Which proposal.
    pub reconciliation_id: ReconciliationId,
    /// With which bank.
    pub participant_id: ParticipantId,
    /// Who was behind when it was proposed.
    pub state: ParticipantState,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// When both databases had accepted it.
    pub reconciled_at: Option<Timestamp>,
}

/// What one participant knows of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BranchEvidence {
    /// Whose evidence.
    pub participant: ParticipantId,
    /// It answered just now.
    pub reachable: bool,
    /// The branch's state there; `null` when there is none or nobody answered.
    pub state: Option<String>,
    /// Whether the coordinator has its acknowledgement.
    pub acknowledged: bool,
    /// What contradicts what.
    pub hazard: Option<String>,
    /// Why it did not answer.
    pub error: Option<String>,
    /// When the branch was prepared there.
    pub prepared_at: Option<Timestamp>,
    /// When it was finished there.
    pub finished_at: Option<Timestamp>,
    /// Its legs there, and what is held.
    pub legs: Vec<LegEvidence>,
    /// What the participant itself has recorded.
    pub recorded: Vec<HazardView>,
    /// How far the decision has come to it, where the process that answers is delivering it.
    pub delivery: Option<DeliveryView>,
}

/// A transaction that needs time or a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InDoubt {
    /// Which transaction.
    pub transaction_id: TransactionId,
    /// The coordinator's durable status; `null` when it has no record of it.
    pub status: Option<Status>,
    /// The coordinator's phase.
    pub phase: Option<String>,
    /// Seconds since it began.
    pub age_seconds: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// What is being tried.
    pub trying: String,
    /// What each participant knows.
    pub branches: Vec<BranchEvidence>,
    /// What was proposed to force, confirmed or not: the audit trail.
    pub proposed: Vec<ResolutionAccepted>,
    /// The coordinator's row; `null` when it has none.
    pub coordinator: Option<CoordinatorEvidence>,
    /// What the coordinator has recorded, and about whom.
    pub hazards: Vec<HazardAbout>,
    /// What an operator can do, and what each choice would mean.
    pub choices: Vec<Choice>,
}

/// A hazard that the coordinator has recorded about a participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HazardAbout {
    /// About whom.
    pub participant: ParticipantId,
    /// What.
    #[serde(flatten)]
    pub hazard: HazardView,
}

/// What an operator forces on one participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionOutcome {
    /// Apply the branch.
    Commit,
    /// Release the branch.
    Abort,
}

/// `POST /transactions/{id}/resolutions`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Force {
    /// At which participant.
    pub participant: ParticipantId,
    /// What to force.
    pub outcome: ResolutionOutcome,
    /// Why; kept in the audit trail.
    #[schema(value_type = String)]
    pub reason: Text<500>,
}

/// A proposal that waits for a second admin, or one that was confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResolutionAccepted {
    /// Which proposal.
    pub resolution_id: ResolutionId,
    /// For which transaction.
    pub transaction_id: TransactionId,
    /// At which participant.
    pub participant: ParticipantId,
    /// What is forced.
    pub outcome: ResolutionOutcome,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// The branch's state after it was carried out.
    pub result: Option<String>,
}

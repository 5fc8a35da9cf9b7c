//! What is known of a transaction in doubt, at each place, and what can be done about it.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::views::{ResolutionAccepted, Status};
use crate::{AccountId, Balance, Change, Code, ParticipantId, Text, Timestamp, TransactionId};

/// A contradiction, or a forced outcome, that somebody recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HazardView {
    /// In one word.
    pub hazard: String,
    /// In words.
    pub detail: Option<String>,
    /// When it was first seen.
    pub seen_at: Timestamp,
    /// When an admin acknowledged it; `null` while it is open.
    pub acknowledged_at: Option<Timestamp>,
}

/// One leg of a branch, and what is held on its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegEvidence {
    /// Whose leg.
    pub account_id: AccountId,
    /// What is to be booked.
    pub change: Change,
    /// What all branches together hold for debits on the account; `null` when it is not there.
    pub pending_debits: Option<Balance>,
    /// What all branches together announce as credits.
    pub pending_credits: Option<Balance>,
    /// The account is locked by this very leg.
    pub locked: bool,
}

/// What the coordinator's row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoordinatorEvidence {
    /// The decision.
    pub status: Status,
    /// What is being done.
    pub phase: String,
    /// How often it was taken over, plus one.
    pub epoch: i32,
    /// Which process drives it: its id.
    pub owner: String,
    /// That process's name; `null` when it never registered.
    pub owner_name: Option<String>,
    /// How long that process may be silent.
    pub lease_until: Option<Timestamp>,
    /// The lease is over: any process may take the transaction over.
    pub lease_over: bool,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Why it was aborted.
    pub reason: Option<Code>,
    /// Since when it is as it is: its decision, or its begin.
    pub since: Timestamp,
}

/// How far the delivery of a decision to one participant has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// How often it was sent without an answer.
    pub attempts: u32,
    /// Why there was none.
    pub last_error: Option<String>,
    /// When it is sent again.
    pub next_try_at: Option<Timestamp>,
}

/// What a participant knows of one transaction, as it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BranchFacts {
    /// Which transaction.
    pub transaction_id: TransactionId,
    /// The branch's state; `null` when there is none.
    pub state: Option<String>,
    /// When it was prepared.
    pub prepared_at: Option<Timestamp>,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
    /// Seconds since it was prepared, by the database's clock.
    pub age_seconds: Option<i64>,
    /// Who takes part, in global order.
    pub participants: Vec<ParticipantId>,
    /// Its legs here.
    pub legs: Vec<LegEvidence>,
    /// What was recorded here.
    pub hazards: Vec<HazardView>,
}

/// What an operator can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceAction {
    /// Nothing.
    Wait,
    /// Propose to force COMMIT.
    ForceCommit,
    /// Propose to force ABORT.
    ForceAbort,
    /// Book a correcting entry.
    Correct,
    /// Acknowledge a hazard.
    Acknowledge,
}

/// One thing an operator can do, and what it would mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    /// What.
    pub action: ChoiceAction,
    /// At which participant; `null` when it concerns all.
    pub participant: Option<ParticipantId>,
    /// Which hazard is acknowledged.
    pub hazard: Option<String>,
    /// What it would mean, in words.
    pub means: String,
}

/// `GET /branches/in-doubt` of a participant: what it knows by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BranchInDoubt {
    /// Who says so.
    pub participant: ParticipantId,
    /// Which transaction.
    pub transaction_id: TransactionId,
    /// The branch's state; `null` when there is none.
    pub state: Option<String>,
    /// When it was prepared.
    pub prepared_at: Option<Timestamp>,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
    /// Seconds since it was prepared, by the database's clock.
    pub age_seconds: Option<i64>,
    /// Who takes part, in global order.
    pub participants: Vec<ParticipantId>,
    /// Its legs here.
    pub legs: Vec<LegEvidence>,
    /// What was recorded here.
    pub hazards: Vec<HazardView>,
    /// What the coordinator last said, or why it did not.
    pub coordinator: String,
    /// What is being tried.
    pub trying: String,
    /// What an operator can do here.
    pub choices: Vec<Choice>,
    /// What was proposed and carried out here.
    pub proposed: Vec<ResolutionAccepted>,
}

/// `POST /transactions/{id}/hazards/acknowledgements`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// Recorded about which participant.
    pub participant: ParticipantId,
    /// Which hazard, as it is listed.
    #[serde(deserialize_with = "name")]
    pub hazard: String,
    /// Why it need not be shown any more; kept in the audit trail.
    #[schema(value_type = String)]
    pub reason: Text<500>,
}

/// A name that a client sends is one line of visible text, whichever names there are.
fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Text::<100>::deserialize(deserializer).map(String::from)
}

/// `POST /branches/{id}/hazards/acknowledgements` of a participant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeHere {
    /// Which hazard, as it is listed.
    #[serde(deserialize_with = "name")]
    pub hazard: String,
    /// Why it need not be shown any more; kept in the audit trail.
    #[schema(value_type = String)]
    pub reason: Text<500>,
}

/// Where a hazard is acknowledged now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Acknowledged {
    /// Of which transaction.
    pub transaction_id: TransactionId,
    /// Recorded about which participant.
    pub participant: ParticipantId,
    /// Which hazard.
    pub hazard: String,
    /// The coordinator had it on record, and no longer shows it.
    pub at_coordinator: bool,
    /// The participant had it on record, and no longer shows it.
    pub at_participant: bool,
    /// Why the participant could not be told; it still shows it then.
    pub not_told: Option<String>,
}

/// `POST /branches/{id}/resolutions` of a participant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForceHere {
    /// What to force.
    pub outcome: crate::views::ResolutionOutcome,
    /// Why; kept in the audit trail.
    #[schema(value_type = String)]
    pub reason: Text<500>,
}

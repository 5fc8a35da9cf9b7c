//! Transfers, batches and their timelines.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AccountId, Amount, Change, Code, DecimalText, ParticipantId, Text, Timestamp, TransactionId,
};

/// Where a transaction stands; `committed` and `aborted` are for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not decided.
    Pending,
    /// It happens, everywhere.
    Committed,
    /// It does not happen, anywhere.
    Aborted,
}

impl Status {
    /// The status as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Committed => "committed",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a transfer is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Protocol {
    /// Two-phase commit.
    #[default]
    #[serde(rename = "2pc")]
    TwoPhaseCommit,
    /// A saga of compensable steps.
    #[serde(rename = "saga")]
    Saga,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TwoPhaseCommit => "2pc",
            Self::Saga => "saga",
        })
    }
}

/// One leg of a transfer request.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegRequest {
    /// Which account.
    pub account_id: AccountId,
    /// Signed: negative is a debit.
    pub amount: DecimalText,
}

/// `POST /transfers`, in either of its two shapes: source, destination and amount; or legs.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransferRequest {
    /// Where the money comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_account_id: Option<AccountId>,
    /// Where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_account_id: Option<AccountId>,
    /// How much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<DecimalText>,
    /// Instead of the three above: two or more legs that sum to zero, each account once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legs: Option<Vec<LegRequest>>,
    /// Shown on the statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Text<200>>,
    /// `2pc` unless said otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
}

/// One leg as it was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LegView {
    /// Which account.
    pub account_id: AccountId,
    /// Signed: negative is a debit.
    pub amount: Change,
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferView {
    /// Which transfer.
    pub transaction_id: TransactionId,
    /// Where it stands.
    pub status: Status,
    /// Every bank has acknowledged the outcome.
    pub settled: bool,
    /// How it is carried out.
    pub protocol: Protocol,
    /// The debited account of a transfer with two legs.
    pub source_account_id: Option<AccountId>,
    /// The credited account of a transfer with two legs.
    pub destination_account_id: Option<AccountId>,
    /// How much moves in all.
    pub amount: Amount,
    /// All legs.
    pub legs: Vec<LegView>,
    /// What was said about it.
    pub description: Option<String>,
    /// Why it was aborted.
    pub reason: Option<Code>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When every bank had acknowledged.
    pub settled_at: Option<Timestamp>,
}

/// `POST /transfers/batch`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// 1 to 1,000 transfers.
    pub transfers: Vec<TransferRequest>,
    /// All commit or none does. Absent is no.
    #[serde(default, deserialize_with = "null_is_no")]
    #[schema(value_type = Option<bool>)]
    pub linked: bool,
}

/// `null` says what an absent field says, as everywhere.
fn null_is_no<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What became of each transfer of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchResults {
    /// In the order of the request.
    pub results: Vec<BatchResult>,
}

/// What became of one transfer of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchResult {
    /// Its place in the request.
    pub index: usize,
    /// Its id; `null` when it was refused before it began.
    pub transaction_id: Option<TransactionId>,
    /// Where it stands.
    pub status: Status,
    /// Why it was refused.
    pub code: Option<Code>,
    /// The same in words.
    pub detail: Option<String>,
}

/// What happens to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TimelineEvent {
    /// Begun, durably.
    Initiated,
    /// A participant was asked to prepare.
    PrepareSent,
    /// It promised.
    VoteYes,
    /// It refused.
    VoteNo,
    /// It could not say: a lock is held.
    VoteBusy,
    /// Decided, durably: it happens.
    DecidedCommit,
    /// Decided, durably: it does not happen.
    DecidedAbort,
    /// A participant was told to commit.
    CommitSent,
    /// A participant was told to abort.
    AbortSent,
    /// It has done so.
    Acknowledged,
    /// Another coordinator took over.
    Recovered,
    /// Every participant has acknowledged.
    Settled,
    /// A saga step began.
    StepStarted,
    /// A saga step is done.
    StepDone,
    /// A saga step failed.
    StepFailed,
    /// A compensation began.
    CompensationStarted,
    /// A compensation is done.
    CompensationDone,
    /// Nothing goes on without an operator.
    Stuck,
}

impl fmt::Display for TimelineEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = serde_json::to_value(self).unwrap_or_default();
        f.pad(name.as_str().unwrap_or_default())
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineItem {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: TimelineEvent,
    /// At which participant.
    pub participant: Option<ParticipantId>,
    /// On which account.
    pub account_id: Option<AccountId>,
    /// In words.
    pub detail: Option<String>,
}

/// Everything that happened to one transaction, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// Which transaction.
    pub transaction_id: TransactionId,
    /// Oldest first.
    pub items: Vec<TimelineItem>,
}

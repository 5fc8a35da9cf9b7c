//! What crosses the wire between coordinator and participants: lists, always.
//!
//! Every list names the participant it is for. One that reaches another (swapped URLs, two
//! services on one database) is refused before anything is looked at.

use serde::{Deserialize, Serialize};
use types::views::ParticipantState;
use types::{
    AccountId, Balance, Change, Code, Currency, CustomerId, DatabaseId, LoginId, ParticipantId,
    ReconciliationId, SessionId, Text, TransactionId,
};

use crate::numbers::Lanes;

/// What every list and its answer carry, so that a database that has lost its last commits is
/// noticed ([`crate::numbers`]). A list without them is one of an older version and is not checked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// Under which comparison. `None`: the sender knows of none that still counts.
    pub session: Option<SessionId>,
    /// Numbers of the sender's that are durable. Not necessarily all of them.
    pub own: Lanes,
    /// The receiver's numbers that the sender has heard of.
    pub seen: Lanes,
}

/// A coordinator's statement about its database, for a participant to compare with its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Whom it is for.
    pub participant: ParticipantId,
    /// Whose statement.
    pub database_id: DatabaseId,
    /// What changes when this database is started, replaced or filled anew.
    pub incarnation: String,
    /// The coordinator's numbers for this participant.
    pub own: Lanes,
    /// The participant's numbers on record at the coordinator.
    pub seen: Lanes,
}

/// The participant's statement in return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonReply {
    /// Who answers.
    pub participant: ParticipantId,
    /// What the participant makes of it.
    pub state: ParticipantState,
    /// What further messages have to name; `None` unless the two are in step.
    pub session: Option<SessionId>,
    /// The participant's numbers.
    pub own: Lanes,
    /// The coordinator's numbers on record at the participant.
    pub seen: Lanes,
}

/// Two operators accept what one of the two databases has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Which proposal it carries out.
    pub reconciliation_id: ReconciliationId,
    /// What the coordinator's database says.
    pub comparison: Comparison,
    /// Who proposed it.
    pub proposed_by: LoginId,
    /// Who confirmed it.
    pub confirmed_by: LoginId,
    /// Why.
    pub reason: Text<500>,
}

/// One signed change to one account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Leg {
    /// Which account.
    pub account_id: AccountId,
    /// Negative is a debit.
    pub change: Change,
    /// Which transfer of a linked batch it belongs to; 0 in a lone transfer.
    pub transfer_index: u16,
}

/// How much of a transaction falls to one participant: what clearing between banks is booked from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Share {
    /// Which participant.
    pub participant: ParticipantId,
    /// The sum of its legs. All shares sum to zero.
    pub net: Balance,
}

/// PREPARE: can you promise to carry out these legs?
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prepare {
    /// The global transaction.
    pub transaction_id: TransactionId,
    /// The one currency of all legs.
    pub currency: Currency,
    /// The legs at this participant.
    pub legs: Vec<Leg>,
    /// Whose accounts may be debited; `None` when the caller may debit any.
    pub debits_owned_by: Option<CustomerId>,
    /// All participants in global order, with their part.
    pub shares: Vec<Share>,
    /// For the statements, by transfer index.
    pub descriptions: Vec<Option<Text<200>>>,
}

/// A list of PREPAREs for one participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareList {
    /// Whom it is for.
    pub participant: ParticipantId,
    /// What to prepare.
    pub items: Vec<Prepare>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// What a participant says to one PREPARE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "vote", rename_all = "snake_case")]
pub enum Vote {
    /// A durable promise to commit when told to.
    Yes,
    /// A durable, definitive refusal.
    No {
        /// Why.
        reason: Code,
    },
    /// Not a vote: an exclusive lock is held. Nothing was written; ask again.
    Busy,
    /// The branch exists with other content. Not a vote either: somebody reused an id.
    Contradiction,
}

/// One answer of a [`VoteList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteItem {
    /// About which transaction.
    pub transaction_id: TransactionId,
    /// What is promised.
    #[serde(flatten)]
    pub vote: Vote,
}

/// The answer to a [`PrepareList`]. A transaction that is missing here has not been voted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteList {
    /// Who answers.
    pub participant: ParticipantId,
    /// One answer each.
    pub items: Vec<VoteItem>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// The global outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happens, everywhere.
    Commit,
    /// It happens nowhere.
    Abort,
}

/// COMMIT or ABORT, by the route it is sent to, for a list of transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionList {
    /// Whom it is for.
    pub participant: ParticipantId,
    /// What is decided.
    pub items: Vec<TransactionId>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// Why decision and branch contradict each other. Never mended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hazard {
    /// COMMIT for a branch that is not there.
    BranchMissing,
    /// COMMIT for a branch that was aborted or refused.
    CommitAfterAbort,
    /// ABORT for a branch that was committed.
    AbortAfterCommit,
    /// The branch cannot be carried out although it was promised: its data are damaged.
    CannotApply,
}

/// What a participant says to one decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "acknowledgement", rename_all = "snake_case")]
pub enum Acknowledgement {
    /// Carried out, durably.
    Done,
    /// An operator had forced the other outcome: the transaction is mixed, and that is recorded.
    Mixed,
    /// It contradicts what is known here; nothing was done.
    Hazard {
        /// How.
        hazard: Hazard,
    },
}

/// One answer of an [`AcknowledgementList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgementItem {
    /// About which transaction.
    pub transaction_id: TransactionId,
    /// What became of it.
    #[serde(flatten)]
    pub acknowledgement: Acknowledgement,
}

/// The answer to a [`DecisionList`]. A transaction that is missing here is not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcknowledgementList {
    /// Who answers.
    pub participant: ParticipantId,
    /// One answer each.
    pub items: Vec<AcknowledgementItem>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// "What became of these?" A participant asks a coordinator, or a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InquiryList {
    /// Who asks.
    pub participant: ParticipantId,
    /// About what.
    pub items: Vec<TransactionId>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// What a coordinator answers about one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InquiryAnswer {
    /// Decided: commit.
    Committed,
    /// Decided: abort.
    Aborted,
    /// Not decided, and its coordinator is at work.
    Pending,
    /// Nobody knows it. Somebody's data was lost: an alarm, never an answer to act on.
    Unknown,
}

/// One answer of an [`InquiryReply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InquiryItem {
    /// About which transaction.
    pub transaction_id: TransactionId,
    /// What is known.
    pub answer: InquiryAnswer,
}

/// A coordinator's answer to an [`InquiryList`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InquiryReply {
    /// One answer each.
    pub items: Vec<InquiryItem>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

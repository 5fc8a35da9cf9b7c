//! `banking-cli admin ...`

use clap::{Args, Subcommand};
use client::Place;
use types::views::SagaStatus;
use types::{ParticipantId, ReconciliationId, ResolutionId, SagaId, Text, TransactionId};

use super::values::{OutcomeChoice, saga_status};

/// Whom to ask.
#[derive(Debug, Args)]
pub struct At {
    /// Ask this bank directly, by its name or URL, when the coordinator is what is lost
    #[arg(long, value_name = "BANK|URL")]
    pub at_participant: Option<Place>,
}

/// What operators do.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Transactions that cannot finish by themselves, with both sides' evidence
    #[command(after_help = "\
For each: what the coordinator and every bank know, what is being tried, what
can be done, and what each choice would mean.

Examples:
  banking-cli admin in-doubt
  banking-cli admin in-doubt --at-participant bank-2")]
    InDoubt {
        /// Also hazards that were acknowledged
        #[arg(long)]
        acknowledged: bool,
        #[command(flatten)]
        at: At,
    },
    /// Propose to force a branch's outcome; another admin has to confirm
    #[command(after_help = "\
Look at `admin in-doubt` first: it says what each choice would mean. A branch
that is forced against the decision is mixed, and its money has to be corrected
by an entry.

Examples:
  banking-cli admin resolve TRANSACTION --participant bank-2 \\
      --outcome abort --reason 'coordinator database lost, ticket 812'
  banking-cli admin resolve TRANSACTION --at-participant bank-2 \\
      --outcome abort --reason 'no coordinator left, ticket 812'")]
    Resolve {
        /// The transaction
        transaction: TransactionId,
        /// At which bank
        #[arg(
            short,
            long,
            value_name = "P",
            required_unless_present = "at_participant",
            conflicts_with = "at_participant"
        )]
        participant: Option<ParticipantId>,
        /// What to force there
        #[arg(short, long, value_enum)]
        outcome: OutcomeChoice,
        /// Why; kept in the audit trail
        #[arg(short, long, value_name = "R")]
        reason: Text<500>,
        #[command(flatten)]
        at: At,
    },
    /// Carry out what another admin proposed, unless the evidence has changed
    Confirm {
        /// The transaction
        transaction: TransactionId,
        /// The proposal
        resolution: ResolutionId,
        #[command(flatten)]
        at: At,
    },
    /// Everything operators did about a transaction, and upon what evidence
    Audit {
        /// The transaction
        transaction: TransactionId,
        #[command(flatten)]
        at: At,
    },
    /// No longer show a hazard as open; nothing is mended or deleted by it
    #[command(after_help = "\
Examples:
  banking-cli admin acknowledge TRANSACTION --participant bank-2 \\
      --hazard heuristic_mixed --reason 'corrected by entry 7731, ticket 812'")]
    Acknowledge {
        /// The transaction
        transaction: TransactionId,
        /// Recorded about which bank
        #[arg(
            short,
            long,
            value_name = "P",
            required_unless_present = "at_participant",
            conflicts_with = "at_participant"
        )]
        participant: Option<ParticipantId>,
        /// Which hazard, as `admin in-doubt` names it
        #[arg(long, value_name = "H")]
        hazard: String,
        /// Why; kept in the audit trail
        #[arg(short, long, value_name = "R")]
        reason: Text<500>,
        #[command(flatten)]
        at: At,
    },
    /// Transfers by saga, newest first, or one of them with its log
    #[command(after_help = "\
Examples:
  banking-cli admin sagas --status STUCK
  banking-cli admin sagas SAGA")]
    Sagas {
        /// Only this one, with its log
        #[arg(conflicts_with_all = ["status", "limit", "cursor"])]
        saga: Option<SagaId>,
        /// Only those that are STARTED, COMPENSATING, STUCK, COMMITTED, COMPENSATED
        #[arg(long, value_name = "S", value_parser = saga_status)]
        status: Option<SagaStatus>,
        /// At most this many
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
        /// Where the page before ended
        #[arg(long, value_name = "C")]
        cursor: Option<String>,
    },
    /// Have a stuck saga try again
    #[command(after_help = "\
Example:
  banking-cli admin saga-retry SAGA --reason 'bank-2 is back, ticket 820'")]
    SagaRetry {
        /// The saga
        saga: SagaId,
        /// Why; kept in its log and in the audit trail
        #[arg(short, long, value_name = "R")]
        reason: Text<500>,
    },
    /// Have a stuck saga leave its step as it is, and go on behind it
    #[command(after_help = "\
What the step should have done is then to be done by hand.

Example:
  banking-cli admin saga-skip SAGA --reason 'refunded by entry 7731, ticket 820'")]
    SagaSkip {
        /// The saga
        saga: SagaId,
        /// Why; kept in its log and in the audit trail
        #[arg(short, long, value_name = "R")]
        reason: Text<500>,
    },
    /// The banks, whether they answer, and whether a database has lost its last commits
    Participants,
    /// Propose to accept what a database has lost; another admin has to confirm
    #[command(after_help = "\
Look first: which transactions are lost, and who was told of them
(docs/troubleshooting.md). What was lost is repaired by correcting entries.

Example:
  banking-cli admin reconcile bank-2 \\
      --reason 'restored from the backup of 02:00, ticket 815'")]
    Reconcile {
        /// The bank
        participant: ParticipantId,
        /// Why; kept in the audit trail of both databases
        #[arg(short, long, value_name = "R")]
        reason: Text<500>,
    },
    /// Carry out a reconciliation that another admin proposed
    ConfirmReconciliation {
        /// The bank
        participant: ParticipantId,
        /// The proposal
        reconciliation: ReconciliationId,
    },
    /// Every bank examines its own books; exit 1 when one finds anything
    LedgerCheck,
    /// Sign new tokens with a new key; tokens signed before stay valid
    RotateKeys,
}

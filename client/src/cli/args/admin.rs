//! `banking-cli admin ...`

use clap::Subcommand;
use types::{ParticipantId, ResolutionId, Text, TransactionId};

use super::values::OutcomeChoice;

/// What operators do.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Transactions that cannot finish by themselves, with both sides' evidence
    InDoubt,
    /// Propose to force a branch's outcome; another admin has to confirm
    #[command(after_help = "\
Example:
  banking-cli admin resolve TRANSACTION --participant bank-2 \\
      --outcome abort --reason 'coordinator database lost, ticket 812'")]
    Resolve {
        /// The transaction
        transaction: TransactionId,
        /// At which bank
        #[arg(short, long, value_name = "P")]
        participant: ParticipantId,
        /// What to force there
        #[arg(short, long, value_enum)]
        outcome: OutcomeChoice,
        /// Why; kept in the audit trail
        #[arg(short, long, value_name = "R")]
        reason: Text<500>,
    },
    /// Carry out what another admin proposed
    Confirm {
        /// The transaction
        transaction: TransactionId,
        /// The proposal
        resolution: ResolutionId,
    },
    /// Every bank examines its own books; exit 1 when one finds anything
    LedgerCheck,
    /// Sign new tokens with a new key; tokens signed before stay valid
    RotateKeys,
}

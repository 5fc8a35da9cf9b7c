//! `banking-cli accounts ...`

use clap::{Args, Subcommand};
use types::{AccountId, Currency, CustomerId, DecimalText, ParticipantId};

use super::values::{LockingChoice, currency, decimal};

/// What is done with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountsCommand {
    /// A customer's accounts
    List {
        /// Whose accounts (tellers and admins)
        #[arg(short, long)]
        customer: Option<CustomerId>,
        /// Closed accounts too
        #[arg(long)]
        all: bool,
    },
    /// Open an account (tellers and admins)
    Open(OpenArguments),
    /// Everything about an account
    Show {
        #[command(flatten)]
        account: AccountArgument,
    },
    /// No new debits or credits (tellers and admins)
    Freeze {
        #[command(flatten)]
        account: AccountArgument,
    },
    /// Open for business again (tellers and admins)
    Unfreeze {
        #[command(flatten)]
        account: AccountArgument,
    },
    /// Close an empty account for ever (tellers and admins)
    Close {
        #[command(flatten)]
        account: AccountArgument,
    },
    /// Every booking, newest first
    Statement {
        #[command(flatten)]
        account: AccountArgument,
        /// At most this many lines
        #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// The whole statement as CSV
        #[arg(long, conflicts_with = "limit")]
        csv: bool,
    },
}

/// An account, with or without `-a` before it.
#[derive(Debug, Clone, Args)]
pub struct AccountArgument {
    /// The account
    #[arg(value_name = "ACCOUNT", required_unless_present = "by_flag")]
    positional: Option<AccountId>,
    /// The account
    #[arg(
        id = "by_flag",
        short = 'a',
        long = "account",
        value_name = "ACCOUNT",
        conflicts_with = "positional"
    )]
    by_flag: Option<AccountId>,
}

impl AccountArgument {
    pub fn id(&self) -> AccountId {
        self.positional
            .or(self.by_flag)
            .expect("one of the two is required")
    }
}

/// A new account.
#[derive(Debug, Args)]
pub struct OpenArguments {
    /// Whose account
    #[arg(short, long)]
    pub customer: CustomerId,
    /// Its currency, for ever
    #[arg(long, default_value = "USD", value_parser = currency)]
    pub currency: Currency,
    /// Cash paid in when it is opened
    #[arg(long, value_parser = decimal, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub opening_balance: Option<DecimalText>,
    /// How transfers at the same time share it [default: escrow]
    #[arg(long, value_enum)]
    pub locking: Option<LockingChoice>,
    /// How far below zero it may go
    #[arg(long, value_parser = decimal, value_name = "AMOUNT", allow_hyphen_values = true)]
    pub overdraft_limit: Option<DecimalText>,
    #[command(flatten)]
    pub bank: BankChoice,
}

/// Which bank.
#[derive(Debug, Clone, Args)]
pub struct BankChoice {
    /// At which bank [default: the first]
    #[arg(long, value_name = "BANK")]
    pub bank: Option<ParticipantId>,
}

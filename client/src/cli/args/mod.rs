//! What can be typed.

mod accounts;
mod admin;
mod bench;
mod customers;
mod demo;
mod failpoints;
mod options;
mod orders;
mod values;

use clap::{Parser, Subcommand};
use clap_complete::Shell;
use types::views::Role;
use types::{AccountId, CustomerId, DecimalText, IdempotencyKey, Text, TransactionId};

pub use accounts::{AccountArgument, AccountsCommand, OpenArguments};
pub use admin::{AdminCommand, At};
pub use bench::BenchArguments;
pub use customers::CustomersCommand;
pub use demo::DemoArguments;
pub use failpoints::{FAILPOINTS, Failpoint, Side};
pub use options::Options;
pub use orders::{OrdersCommand, PlaceArguments};
pub use values::{ProtocolChoice, RoleChoice, StatusChoice};

use values::{decimal, moment};

/// The bank on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "banking-cli",
    version,
    about = "Customers, accounts and transfers of the bank, from the command line",
    after_help = AFTER_HELP,
    arg_required_else_help = true,
    max_term_width = 80,
)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,

    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  banking-cli login -u alice-customer -r customer
  banking-cli accounts
  banking-cli transfer -f SOURCE -t DEST -a 25.50 -d 'dinner'
  banking-cli history --output json | head
  banking-cli interactive

Exit codes: 0 done, 1 refused by the bank, 2 wrong usage, 3 not reachable,
4 not logged in.

Environment: BANKING_PASSWORD, BANKING_TOKEN, BANKING_SESSION (session file),
BANKING_URL_CUSTOMER, BANKING_URL_ACCOUNTS, BANKING_URL_TRANSACTIONS,
BANKING_URL_ORDERS, BANK_PORT_OFFSET, NO_COLOR.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in and remember the session
    #[command(after_help = "\
The password is asked for; without a terminal it comes from BANKING_PASSWORD.

Example:
  BANKING_PASSWORD=banking-dev banking-cli login -u tom-teller -r teller")]
    Login {
        /// User name
        #[arg(short, long)]
        username: String,
        /// Role the login must have; another one exits 1
        #[arg(short, long, value_enum)]
        role: Option<RoleChoice>,
    },
    /// Forget the session and revoke it
    Logout,
    /// Who is logged in
    Whoami,
    /// The profile of the customer who is logged in
    Profile,
    /// Accounts: your own, or what tellers do with them
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "\
Examples:
  banking-cli accounts
  banking-cli accounts --customer CUSTOMER
  banking-cli accounts open --customer CUSTOMER --opening-balance 100
  banking-cli accounts statement ACCOUNT --csv > statement.csv"
    )]
    Accounts {
        #[command(subcommand)]
        command: Option<AccountsCommand>,
        /// Whose accounts (tellers and admins)
        #[arg(short, long)]
        customer: Option<CustomerId>,
        /// Closed accounts too
        #[arg(long)]
        all: bool,
    },
    /// What is on an account and what of it can be spent
    Balance {
        #[command(flatten)]
        account: AccountArgument,
    },
    /// Move money from one account to another
    #[command(after_help = "\
With an idempotency key the same command can be repeated after any mishap:
the money moves once. Without one the command makes its own, and repeats
under it by itself while the outcome is unknown.

Examples:
  banking-cli transfer -f SOURCE -t DEST -a 100
  banking-cli transfer -f SOURCE -t DEST -a 0.05 -d 'thanks' \\
      --idempotency-key invoice-2071")]
    Transfer {
        /// Account the money comes from
        #[arg(short, long = "from", value_name = "SOURCE")]
        from: AccountId,
        /// Account it goes to
        #[arg(short, long = "to", value_name = "DEST")]
        to: AccountId,
        /// How much, with up to 4 decimal places
        #[arg(short, long, value_parser = decimal, allow_hyphen_values = true)]
        amount: DecimalText,
        /// How it is carried out
        #[arg(long, value_enum)]
        protocol: Option<ProtocolChoice>,
        /// Name of this transfer, to repeat it safely
        #[arg(long, value_name = "KEY")]
        idempotency_key: Option<IdempotencyKey>,
        /// Shown on the statements
        #[arg(short, long)]
        description: Option<Text<200>>,
    },
    /// Transfers, newest first
    #[command(after_help = "\
Example:
  banking-cli history -a ACCOUNT --limit 10 --status committed")]
    History {
        /// Only transfers that touch this account
        #[arg(short, long)]
        account: Option<AccountId>,
        /// At most this many
        #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only with this status
        #[arg(long, value_enum)]
        status: Option<StatusChoice>,
        /// Only begun at or after (RFC 3339, or a date)
        #[arg(long, value_parser = moment)]
        from: Option<types::Timestamp>,
        /// Only begun before (RFC 3339, or a date)
        #[arg(long, value_parser = moment)]
        to: Option<types::Timestamp>,
    },
    /// Where a transfer stands
    Status {
        /// The transfer
        transaction: TransactionId,
    },
    /// What happened to a transfer, message by message
    Timeline {
        /// The transfer
        transaction: TransactionId,
    },
    /// Customers (tellers and admins)
    Customers {
        #[command(subcommand)]
        command: CustomersCommand,
    },
    /// Pay cash in (tellers and admins)
    Deposit(CashArguments),
    /// Pay cash out (tellers and admins)
    Withdraw(CashArguments),
    /// Buy from the cash desk
    Orders {
        #[command(subcommand)]
        command: OrdersCommand,
    },
    /// Whether every service is up and ready
    Health,
    /// The access token in use and what it says
    #[command(after_help = "\
Example:
  eval \"$(banking-cli tokens --all)\"   # development only")]
    Tokens {
        /// Log in with every seeded login and print lines to paste
        #[arg(long)]
        all: bool,
    },
    /// Operations (admins)
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Measure this bank under load, with accounts of its own
    #[command(after_help = bench::AFTER_HELP)]
    Bench(BenchArguments),
    /// Demonstrations that run against this bank and explain themselves
    #[command(after_help = demo::AFTER_HELP)]
    Demo(DemoArguments),
    /// Menus: everything above with arrow keys
    #[command(visible_alias = "i")]
    Interactive,
    /// Completions for a shell
    #[command(after_help = "\
Example:
  banking-cli completions bash > \\
      ~/.local/share/bash-completion/completions/banking-cli")]
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// Cash, and the account it goes to or comes from.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  banking-cli deposit -a ACCOUNT --amount 250")]
pub struct CashArguments {
    /// The account
    #[arg(short, long)]
    pub account: AccountId,
    /// How much, with up to 4 decimal places
    #[arg(long, value_parser = decimal, allow_hyphen_values = true)]
    pub amount: DecimalText,
    /// Shown on the statement
    #[arg(short, long)]
    pub description: Option<Text<200>>,
    /// Name of this payment, to repeat it safely
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<IdempotencyKey>,
}

impl From<RoleChoice> for Role {
    fn from(choice: RoleChoice) -> Self {
        match choice {
            RoleChoice::Customer => Self::Customer,
            RoleChoice::Teller => Self::Teller,
            RoleChoice::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests;

//! `banking-cli customers ...`

use clap::{Args, Subcommand};
use types::{CustomerId, Text};

use super::values::RoleChoice;

/// What is done with customers.
#[derive(Debug, Subcommand)]
pub enum CustomersCommand {
    /// Customers, or those a search finds
    List {
        /// Part of a name, address, e-mail or number
        #[arg(short, long)]
        search: Option<String>,
        /// At most this many
        #[arg(short, long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// One customer
    Show {
        /// The customer
        customer: CustomerId,
    },
    /// A new customer
    #[command(after_help = "\
Example:
  banking-cli customers create --name 'Dora Lee' --address '1 Main St' \\
      --email dora@example.com")]
    Create(NewCustomer),
    /// Change a profile; what is not named stays
    Update {
        /// The customer
        customer: CustomerId,
        /// Full name
        #[arg(long)]
        name: Option<Text<200>>,
        /// Postal address
        #[arg(long)]
        address: Option<Text<500>>,
        /// E-mail address
        #[arg(long)]
        email: Option<Text<254>>,
        /// Telephone number
        #[arg(long)]
        phone: Option<Text<40>>,
    },
    /// A login for a customer; the password is asked for, or BANKING_NEW_PASSWORD
    AddLogin {
        /// The customer
        customer: CustomerId,
        /// User name
        #[arg(short, long)]
        username: String,
        /// What the login may do
        #[arg(short, long, value_enum, default_value = "customer")]
        role: RoleChoice,
    },
}

/// A new customer.
#[derive(Debug, Args)]
pub struct NewCustomer {
    /// Full name
    #[arg(long)]
    pub name: Text<200>,
    /// Postal address
    #[arg(long)]
    pub address: Text<500>,
    /// E-mail address
    #[arg(long)]
    pub email: Option<Text<254>>,
    /// Telephone number
    #[arg(long)]
    pub phone: Option<Text<40>>,
}

//! One function per command.

mod accounts;
mod admin;
mod customers;
mod health;
mod in_doubt;
mod insist;
mod login;
mod money;
mod orders;
mod tokens;
mod transfers;

use clap::CommandFactory;
use serde::Serialize;

use super::args::{Cli, Command, Options};
use super::context::Context;
use super::failure::Failure;
use super::output::Output;
use super::{demo, interactive};

pub use accounts::statement_of;
pub use admin::execute as admin;
pub use health::all as health_of_all;
pub use insist::{insist, own_key};
pub use login::{ask_password, whoami_record};
pub use tokens::{DEVELOPMENT_PASSWORD, SEEDED};

/// A list as the REST routes answer it.
#[derive(Debug, Serialize)]
pub struct Listed<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Listed<T> {
    pub const fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

/// Does what was typed.
pub async fn execute(command: Command, options: &Options, out: &Output) -> Result<(), Failure> {
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "banking-cli", &mut script);
        return out.raw(&String::from_utf8_lossy(&script));
    }
    let context = Context::new(options, out.clone())?;
    match command {
        Command::Login { username, role } => {
            login::login(&context, &username, role.map(Into::into)).await
        }
        Command::Logout => login::logout(&context).await,
        Command::Whoami => login::whoami(&context).await,
        Command::Profile => customers::profile(&context).await,
        Command::Accounts {
            command: Some(command),
            ..
        } => accounts::execute(&context, command).await,
        Command::Accounts {
            command: None,
            customer,
            all,
        } => accounts::list(&context, customer, all).await,
        Command::Balance { account } => accounts::balance(&context, account.id()).await,
        Command::Transfer {
            from,
            to,
            amount,
            protocol,
            idempotency_key,
            description,
        } => {
            let transfer = types::views::TransferRequest {
                source_account_id: Some(from),
                destination_account_id: Some(to),
                amount: Some(amount),
                legs: None,
                description,
                protocol: protocol.map(Into::into),
            };
            money::transfer(&context, &transfer, idempotency_key).await
        }
        Command::History {
            account,
            limit,
            status,
            from,
            to,
        } => {
            let filter = client::TransferFilter {
                account,
                status: status.map(Into::into),
                from,
                to,
            };
            transfers::history(&context, &filter, limit).await
        }
        Command::Status { transaction } => transfers::status(&context, transaction).await,
        Command::Timeline { transaction } => transfers::timeline(&context, transaction).await,
        Command::Customers { command } => customers::execute(&context, command).await,
        Command::Deposit(cash) => money::deposit(&context, cash).await,
        Command::Withdraw(cash) => money::withdraw(&context, cash).await,
        Command::Orders { command } => orders::execute(&context, command).await,
        Command::Health => health::health(&context).await,
        Command::Tokens { all } => tokens::tokens(&context, all).await,
        Command::Admin { command } => admin(&context, command).await,
        Command::Bench(arguments) => demo::bench(&context, &arguments).await,
        Command::Demo(arguments) => demo::run(&context, &arguments).await,
        Command::Interactive => interactive::run(context).await,
        Command::Completions { .. } => Ok(()),
    }
}

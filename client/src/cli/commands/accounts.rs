//! Accounts, merged over all banks.

use client::{ListQuery, Located};
use serde::Serialize;
use types::views::{Account, AccountStatus, Entry, OpenAccount, PatchAccount};
use types::{AccountId, CustomerId, ParticipantId};

use super::{Listed, insist, own_key};
use crate::cli::args::{AccountsCommand, OpenArguments};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render;

/// The largest page the services give.
const PAGE: u32 = 200;

/// An account as programs see it: what accounts-service answers, and which bank did.
#[derive(Debug, Serialize)]
pub struct Placed<'a> {
    #[serde(flatten)]
    account: &'a Account,
    participant_id: &'a ParticipantId,
}

impl<'a> From<&'a Located> for Placed<'a> {
    fn from(located: &'a Located) -> Self {
        Self {
            account: &located.account,
            participant_id: located.bank.participant(),
        }
    }
}

pub async fn execute(context: &Context, command: AccountsCommand) -> Result<(), Failure> {
    match command {
        AccountsCommand::List { customer, all } => list(context, customer, all).await,
        AccountsCommand::Open(arguments) => open(context, arguments).await,
        AccountsCommand::Show { account } => {
            context.require_login()?;
            let located = context.bank.account(account.id()).await?;
            show(context, &located)
        }
        AccountsCommand::Freeze { account } => {
            change(context, account.id(), AccountStatus::Frozen).await
        }
        AccountsCommand::Unfreeze { account } => {
            change(context, account.id(), AccountStatus::Active).await
        }
        AccountsCommand::Close { account } => {
            change(context, account.id(), AccountStatus::Closed).await
        }
        AccountsCommand::Statement {
            csv: true, account, ..
        } => {
            context.require_login()?;
            let located = context.bank.account(account.id()).await?;
            let csv = located.bank.entries_csv(account.id()).await?;
            context.out.raw(&csv)
        }
        AccountsCommand::Statement { account, limit, .. } => {
            context.require_login()?;
            let entries = statement_of(context, account.id(), limit).await?;
            let table = render::statement(&entries.items);
            context.out.show(&entries, table)
        }
    }
}

pub async fn list(
    context: &Context,
    customer: Option<CustomerId>,
    all: bool,
) -> Result<(), Failure> {
    context.require_login()?;
    let customer = customer.or(context.customer()).ok_or_else(|| {
        Failure::Usage("Whose accounts? Name the customer with --customer.".into())
    })?;
    let merged = context.bank.accounts_of(customer).await?;
    let (shown, hidden): (Vec<_>, Vec<_>) = merged
        .items
        .into_iter()
        .partition(|(account, _)| all || account.status != AccountStatus::Closed);
    if let (true, Some(error)) = (shown.is_empty(), merged.missing.first()) {
        return Err(client::Error::into(error.clone()));
    }
    let placed = shown.iter().map(|(account, participant_id)| Placed {
        account,
        participant_id,
    });
    let listed = Listed::whole(placed.collect());
    context.out.show(&listed, render::accounts(&shown))?;
    if !hidden.is_empty() {
        context.out.note(&format!(
            "Closed accounts not shown: {}. --all shows them.",
            hidden.len()
        ));
    }
    match merged.missing.first() {
        None => Ok(()),
        Some(error) => Err(Failure::Incomplete(format!(
            "Accounts may be missing: {error}."
        ))),
    }
}

pub async fn balance(context: &Context, id: AccountId) -> Result<(), Failure> {
    context.require_login()?;
    let located = context.bank.account(id).await?;
    let record = render::balance(&located.account);
    context.out.show(&Placed::from(&located), record)
}

async fn open(context: &Context, arguments: OpenArguments) -> Result<(), Failure> {
    context.require_login()?;
    let bank = match &arguments.bank.bank {
        None => context.bank.banks().await?.first().cloned(),
        Some(name) => context.bank.bank(name).await?,
    };
    let bank = bank.ok_or_else(|| Failure::Usage("There is no such bank.".into()))?;
    let request = OpenAccount {
        customer_id: arguments.customer,
        currency: arguments.currency,
        opening_balance: arguments.opening_balance,
        locking: arguments.locking.map(Into::into),
        overdraft_limit: arguments.overdraft_limit,
    };
    let key = own_key();
    let account = insist(&key, || bank.open(&request, Some(&key))).await?;
    show(context, &Located { account, bank })?;
    context.out.note("Opened.");
    Ok(())
}

async fn change(context: &Context, id: AccountId, status: AccountStatus) -> Result<(), Failure> {
    context.require_login()?;
    let located = context.bank.account(id).await?;
    let patch = PatchAccount {
        status: Some(status),
        overdraft_limit: None,
    };
    let account = located.bank.patch(id, &patch).await?;
    show(context, &Located { account, ..located })?;
    context.out.note(&format!("The account is now {status}."));
    Ok(())
}

fn show(context: &Context, located: &Located) -> Result<(), Failure> {
    let record = render::account(&located.account, located.bank.participant());
    context.out.show(&Placed::from(located), record)
}

/// The newest `limit` lines of the statement, however many pages that takes.
pub async fn statement_of(
    context: &Context,
    id: AccountId,
    limit: u32,
) -> Result<Listed<Entry>, Failure> {
    let located = context.bank.account(id).await?;
    let mut listed = Listed::whole(Vec::new());
    let mut left = limit;
    while left > 0 {
        let list = ListQuery {
            limit: Some(left.min(PAGE)),
            cursor: listed.next_cursor.take(),
        };
        let page = located.bank.entries(id, &list).await?;
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(left));
        listed.items.extend(page.items);
        listed.next_cursor = page.next_cursor;
        if listed.next_cursor.is_none() {
            break;
        }
    }
    Ok(listed)
}

//! Accounts: looking at them, opening them, changing their status.

use std::fmt;

use types::views::{Account, AccountStatus, Locking, OpenAccount, PatchAccount};
use types::{Currency, DecimalText, ParticipantId};

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::commands::{insist, own_key, statement_of};
use crate::cli::render;

/// A statement's page: more would scroll out of a small terminal.
const STATEMENT_LINES: u32 = 6;

impl Desk {
    pub(super) async fn my_accounts(&mut self) -> Result<(), Step> {
        let Some(customer) = self.context.customer() else {
            return self.show_account().await;
        };
        let merged = self.context.bank.accounts_of(customer).await?;
        let out = &self.context.out;
        out.sheet(render::accounts(&merged.items))?;
        if let Some(error) = merged.missing.first() {
            out.line(&format!("Accounts may be missing: {error}."))?;
        }
        out.line("")?;
        Ok(())
    }

    pub(super) async fn show_account(&mut self) -> Result<(), Step> {
        let account = self.pick_account("Which account?").await?;
        self.shown(&account).await
    }

    async fn shown(&self, account: &Account) -> Result<(), Step> {
        let located = self.context.bank.account(account.account_id).await?;
        let record = render::account(&located.account, located.bank.participant());
        self.context.out.sheet(record)?;
        self.context.out.line("")?;
        Ok(())
    }

    pub(super) async fn statement(&mut self) -> Result<(), Step> {
        let account = self.pick_account("Whose statement?").await?;
        let entries = statement_of(&self.context, account.account_id, STATEMENT_LINES).await?;
        let out = &self.context.out;
        out.sheet(render::statement(&entries.items))?;
        if entries.next_cursor.is_some() {
            let id = account.account_id;
            out.line(&format!("All of it: banking-cli accounts statement {id}"))?;
        }
        out.line("")?;
        Ok(())
    }

    pub(super) async fn open_account(&mut self) -> Result<(), Step> {
        let customer = self.pick_customer().await?;
        let banks = self.context.bank.banks().await?.to_vec();
        let names = banks.iter().map(|bank| bank.participant().clone());
        let names: Vec<ParticipantId> = names.collect();
        let name = match names.as_slice() {
            [only] => only.clone(),
            _ => prompt::choose("At which bank?", names)?,
        };
        let Some(bank) = banks.into_iter().find(|bank| *bank.participant() == name) else {
            return Err(Step::Back);
        };
        let currency = prompt::optional("Currency (USD):", prompt::parsed::<Currency>)?;
        let opening = prompt::optional("Opening balance (nothing):", amount_text)?;
        let locking = prompt::choose("Locking:", vec![Locking::Escrow, Locking::Exclusive])?;
        let currency = match currency {
            Some(currency) => currency,
            None => prompt::parsed("USD").map_err(crate::cli::failure::Failure::Usage)?,
        };
        let request = OpenAccount {
            customer_id: customer.customer_id,
            currency,
            opening_balance: opening,
            locking: Some(locking),
            overdraft_limit: None,
        };
        prompt::confirm(&format!("Open a {currency} account for {}?", customer.name))?;
        let key = own_key();
        let account = insist(&key, || bank.open(&request, Some(&key))).await?;
        self.shown(&account).await
    }

    pub(super) async fn change_status(&mut self) -> Result<(), Step> {
        let account = self.pick_account("Which account?").await?;
        let changes = match account.status {
            AccountStatus::Active => vec![Change::Freeze, Change::Close],
            AccountStatus::Frozen => vec![Change::Unfreeze, Change::Close],
            AccountStatus::Closed => {
                self.context.out.line("It is closed for ever.\n")?;
                return Err(Step::Back);
            }
        };
        let change = prompt::choose("What is to be done?", changes)?;
        prompt::confirm(&format!("{change} {}?", account.account_id))?;
        let patch = PatchAccount {
            status: Some(change.into()),
            overdraft_limit: None,
        };
        let bank = self.context.bank.account(account.account_id).await?.bank;
        let account = bank.patch(account.account_id, &patch).await?;
        self.shown(&account).await
    }
}

fn amount_text(typed: &str) -> Result<DecimalText, String> {
    let text = DecimalText::from(typed.to_owned());
    text.amount()
        .map_err(|error| format!("Not an amount: {error}"))?;
    Ok(text)
}

#[derive(Clone, Copy)]
enum Change {
    Freeze,
    Unfreeze,
    Close,
}

impl From<Change> for AccountStatus {
    fn from(change: Change) -> Self {
        match change {
            Change::Freeze => Self::Frozen,
            Change::Unfreeze => Self::Active,
            Change::Close => Self::Closed,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Freeze => "Freeze",
            Self::Unfreeze => "Unfreeze",
            Self::Close => "Close for ever",
        })
    }
}

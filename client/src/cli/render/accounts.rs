//! Accounts, statements and cash.

use types::ParticipantId;
use types::views::{Account, CashReceipt, Entry};

use super::{account_status, moment, stacked};
use crate::cli::table::{Record, Table};

pub fn accounts(accounts: &[(Account, ParticipantId)]) -> Table {
    let mut table = Table::new("No accounts.")
        .rigid("Account")
        .number("Balance")
        .number("Available")
        .rigid("")
        .rigid("Status")
        .rigid("Bank");
    for (account, bank) in accounts {
        table.row(vec![
            account.account_id.into(),
            account.balance.into(),
            account.available_balance.into(),
            account.currency.into(),
            account_status(account.status),
            bank.into(),
        ]);
    }
    table
}

pub fn account(account: &Account, bank: &ParticipantId) -> Record {
    let money = |amount: types::Balance| format!("{amount} {}", account.currency);
    let held = |amount: types::Balance| (!amount.is_zero()).then(|| money(amount));
    Record::new()
        .field("Account", account.account_id)
        .maybe("Customer", account.customer_id)
        .field("Bank", bank)
        .field("Status", account_status(account.status))
        .field("Balance", money(account.balance))
        .field("Available", money(account.available_balance))
        .maybe("Held for debits", held(account.pending_debits))
        .maybe("Announced credits", held(account.pending_credits))
        .maybe("Overdraft limit", held(account.overdraft_limit))
        .maybe("Locked by leg", account.transaction_lock)
        .field("Locking", account.locking)
        .field("Version", account.version)
        .field("Opened", moment(account.created_at))
        .field("Last change", moment(account.updated_at))
}

pub fn balance(account: &Account) -> Record {
    let money = |amount: types::Balance| format!("{amount} {}", account.currency);
    let pending = !account.pending_change.is_zero() || !account.pending_debits.is_zero();
    Record::new()
        .field("Account", account.account_id)
        .field("Balance", money(account.balance))
        .field("Available", money(account.available_balance))
        .maybe("Pending", pending.then(|| money(account.pending_change)))
}

pub fn statement(entries: &[Entry]) -> Table {
    let mut table = Table::new("No entries.")
        .number("No")
        .rigid("When (UTC)")
        .rigid("Kind")
        .number("Change")
        .number("Balance")
        .text("Description");
    for entry in entries {
        table.row(vec![
            entry.version.into(),
            stacked(entry.created_at).into(),
            entry.kind.into(),
            entry.change.into(),
            entry.balance_after.into(),
            entry.description.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

pub fn receipt(receipt: &CashReceipt) -> Record {
    let entry = &receipt.entry;
    Record::new()
        .field("Transaction", receipt.transaction_id)
        .field("Status", super::status(receipt.status))
        .field("Account", entry.account_id)
        .field("Kind", entry.kind)
        .field("Change", entry.change)
        .field("Balance", entry.balance_after)
        .maybe("Description", entry.description.clone())
}

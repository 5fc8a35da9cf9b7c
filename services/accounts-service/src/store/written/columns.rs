//! What a list has changed, column by column.

use rust_decimal::Decimal;
use types::{Balance, LegId};
use uuid::Uuid;

use super::NewBranch;
use crate::account::AccountState;
use crate::ledger::NewEntry;
use crate::store::accounts::Marks;
use crate::store::branches::Transition;
use crate::store::contents::Columns;
use crate::store::entries::number;

/// Branches that are new.
pub(super) struct Inserted {
    columns: Columns,
    pub(super) reasons: Vec<Option<String>>,
}

impl std::ops::Deref for Inserted {
    type Target = Columns;

    fn deref(&self) -> &Columns {
        &self.columns
    }
}

impl Inserted {
    pub(super) fn of(branches: &[NewBranch<'_>]) -> Self {
        let mut columns = Columns::default();
        for branch in branches {
            columns.push(branch.transaction_id, branch.content);
        }
        let reasons = branches.iter().map(|branch| branch.refused);
        Self {
            columns,
            reasons: reasons.map(|code| code.map(|c| c.to_string())).collect(),
        }
    }
}

/// Accounts with their new sums.
pub(super) struct Changed {
    pub(super) ids: Vec<Uuid>,
    pub(super) balances: Vec<Decimal>,
    pub(super) pending_debits: Vec<Decimal>,
    pub(super) pending_credits: Vec<Decimal>,
    pub(super) reserved_credits: Vec<Decimal>,
    pub(super) locks: Vec<Option<Uuid>>,
    pub(super) versions: Vec<i64>,
    pub(super) marks: Vec<Option<String>>,
}

impl Changed {
    pub(super) fn of(accounts: &[AccountState], marks: Option<&Marks>) -> Self {
        let column = |of: fn(&AccountState) -> Balance| -> Vec<Decimal> {
            accounts.iter().map(|a| of(a).decimal()).collect()
        };
        let mark = |a: &AccountState| marks?.get(&a.account_id).cloned();
        Self {
            ids: accounts.iter().map(|a| a.account_id.uuid()).collect(),
            balances: column(|a| a.balance),
            pending_debits: column(|a| a.pending_debits),
            pending_credits: column(|a| a.pending_credits),
            reserved_credits: column(|a| a.reserved_credits),
            locks: accounts
                .iter()
                .map(|a| a.transaction_lock.map(LegId::uuid))
                .collect(),
            versions: accounts.iter().map(|a| a.version).collect(),
            marks: accounts.iter().map(mark).collect(),
        }
    }
}

/// Lines of the ledger.
pub(super) struct Booked {
    pub(super) accounts: Vec<Uuid>,
    pub(super) versions: Vec<i64>,
    pub(super) transactions: Vec<Uuid>,
    pub(super) indexes: Vec<i32>,
    pub(super) kinds: Vec<String>,
    pub(super) changes: Vec<Decimal>,
    pub(super) balances: Vec<Decimal>,
    pub(super) descriptions: Vec<Option<String>>,
    pub(super) steps: Vec<i16>,
}

impl Booked {
    pub(super) fn of(entries: &[NewEntry]) -> Self {
        Self {
            accounts: entries.iter().map(|e| e.account_id.uuid()).collect(),
            versions: entries.iter().map(|e| e.version).collect(),
            transactions: entries.iter().map(|e| e.transaction_id.uuid()).collect(),
            indexes: entries
                .iter()
                .map(|e| i32::from(e.transfer_index))
                .collect(),
            kinds: entries.iter().map(|e| e.kind.to_string()).collect(),
            changes: entries.iter().map(|e| e.change.decimal()).collect(),
            balances: entries.iter().map(|e| e.balance_after.decimal()).collect(),
            descriptions: entries.iter().map(|e| e.description.clone()).collect(),
            steps: entries.iter().map(|e| number(e.step)).collect(),
        }
    }
}

/// Branches with their new states.
pub(super) struct Moved {
    pub(super) ids: Vec<Uuid>,
    pub(super) states: Vec<String>,
    pub(super) reasons: Vec<Option<String>>,
}

impl Moved {
    pub(super) fn of(transitions: &[Transition]) -> Self {
        Self {
            ids: transitions
                .iter()
                .map(|t| t.transaction_id.uuid())
                .collect(),
            states: transitions.iter().map(|t| t.state.to_string()).collect(),
            reasons: transitions
                .iter()
                .map(|t| t.reason.map(|reason| reason.to_string()))
                .collect(),
        }
    }
}

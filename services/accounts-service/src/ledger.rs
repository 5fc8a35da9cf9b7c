//! Double entry: from branches and locked accounts to ledger entries and new balances.
//!
//! Pure: what is computed here is written by `store` in the same database transaction that locked
//! the accounts. Each database sums to zero per currency at every commit, because the legs of a
//! branch and its clearing entries do.

use std::collections::BTreeSet;

use two_phase::planted::{Bug, is_planted};
use two_phase::steps::StepKind;
use types::views::{EntryKind, Locking};
use types::{AccountId, Balance, LegId, ParticipantId, TransactionId};

use crate::account::{AccountState, Accounts};
use crate::branch::Content;
use crate::participant::vote::hold;

/// One line to be appended to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// On which account.
    pub account_id: AccountId,
    /// The account's version after it: one more than before.
    pub version: i64,
    /// What it belongs to.
    pub transaction_id: TransactionId,
    /// Which transfer of a linked batch; 0 otherwise.
    pub transfer_index: u16,
    /// What made it.
    pub kind: EntryKind,
    /// The signed change, never zero.
    pub change: Balance,
    /// The balance after it.
    pub balance_after: Balance,
    /// What was said about it.
    pub description: Option<String>,
    /// Which step of a saga booked it.
    pub step: Option<BookedBy>,
}

/// A step of a saga, forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookedBy {
    /// Which step.
    pub step: StepKind,
    /// Whether it is being undone.
    pub is_undone: bool,
}

/// Why a branch that was promised cannot be finished: the data are not those it was promised on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotFinish {
    /// An account is gone.
    #[error("account {0} is missing")]
    AccountMissing(AccountId),
    /// Less is held than this branch holds.
    #[error("account {0} holds less than this branch does")]
    HoldMissing(AccountId),
    /// The exclusive lock is not this branch's.
    #[error("account {0} is not locked by this branch")]
    LockMissing(AccountId),
    /// Less is reserved than this saga has reserved.
    #[error("account {0} has less reserved than this saga did")]
    ReservationMissing(AccountId),
    /// The numbers no longer fit.
    #[error("a sum on account {0} is out of range")]
    OutOfRange(AccountId),
    /// The branch carries nothing.
    #[error("the branch has no legs")]
    NoLegs,
}

/// A movement that is to be booked.
#[derive(Debug, Clone)]
pub struct Posting<'a> {
    /// What it belongs to.
    pub transaction_id: TransactionId,
    /// On which account.
    pub account_id: AccountId,
    /// Which transfer of a linked batch; 0 otherwise.
    pub transfer_index: u16,
    /// What made it.
    pub kind: EntryKind,
    /// The signed change, never zero.
    pub change: Balance,
    /// What was said about it.
    pub description: Option<&'a str>,
    /// Which step of a saga books it.
    pub step: Option<BookedBy>,
}

/// Locked accounts, and what has been booked on them so far.
///
/// Branches of one list are booked one after the other, each seeing the ones before. One that
/// cannot be finished leaves no trace.
#[derive(Debug, Clone)]
pub struct Book {
    accounts: Accounts,
    changed: BTreeSet<AccountId>,
    entries: Vec<NewEntry>,
}

impl Book {
    /// Nothing is booked yet on these locked accounts.
    #[must_use]
    pub const fn new(accounts: Accounts) -> Self {
        Self {
            accounts,
            changed: BTreeSet::new(),
            entries: Vec::new(),
        }
    }

    /// Carries out a prepared branch: books its legs and its clearing entries, releases its holds.
    ///
    /// # Errors
    /// [`CannotFinish`]; nothing is booked then.
    pub fn apply(
        &mut self,
        transaction_id: TransactionId,
        content: &Content,
        own: &ParticipantId,
    ) -> Result<(), CannotFinish> {
        let mut clearing = content.clearing(own);
        clearing.retain(|_| !is_planted(Bug::ClearingLeftOut));
        let touched = content.legs.iter().map(|leg| leg.account_id);
        let touched = touched.chain(clearing.iter().map(|(account, _)| account.account_id));
        self.all_or_nothing(touched, |book| {
            book.release_holds(transaction_id, content)?;
            for leg in &content.legs {
                book.post(&Posting {
                    transaction_id,
                    account_id: leg.account_id,
                    transfer_index: leg.transfer_index,
                    kind: EntryKind::Transfer,
                    change: leg.change.into(),
                    description: content.description(leg.transfer_index),
                    step: None,
                })?;
            }
            for (account, change) in &clearing {
                book.post(&Posting {
                    transaction_id,
                    account_id: account.account_id,
                    transfer_index: 0,
                    kind: EntryKind::Clearing,
                    change: *change,
                    description: None,
                    step: None,
                })?;
            }
            Ok(())
        })
    }

    /// Gives up a prepared branch: releases its holds and books nothing.
    ///
    /// # Errors
    /// [`CannotFinish`]; nothing is released then.
    pub fn release(
        &mut self,
        transaction_id: TransactionId,
        content: &Content,
    ) -> Result<(), CannotFinish> {
        if is_planted(Bug::ReleaseForgetsHold) {
            return Ok(());
        }
        let touched = content.legs.iter().map(|leg| leg.account_id);
        self.all_or_nothing(touched, |book| book.release_holds(transaction_id, content))
    }

    /// Books movements that sum to zero, such as a deposit and its counter-entry at the vault.
    ///
    /// # Errors
    /// [`CannotFinish`]; nothing is booked then.
    pub fn post_all(&mut self, postings: &[Posting<'_>]) -> Result<(), CannotFinish> {
        self.post_and_reserve(postings, &[])
    }

    /// Books movements that sum to zero, and changes what is reserved on accounts.
    ///
    /// # Errors
    /// [`CannotFinish`]; nothing is booked then.
    pub fn post_and_reserve(
        &mut self,
        postings: &[Posting<'_>],
        reserved: &[(AccountId, Balance)],
    ) -> Result<(), CannotFinish> {
        let touched = postings.iter().map(|posting| posting.account_id);
        let touched = touched.chain(reserved.iter().map(|(id, _)| *id));
        self.all_or_nothing(touched, |book| {
            for posting in postings {
                book.post(posting)?;
            }
            for (id, change) in reserved {
                let account = book.account_mut(*id)?;
                let left = account.reserved_credits.plus(*change);
                account.reserved_credits = left
                    .filter(|left| !left.is_negative())
                    .ok_or(CannotFinish::ReservationMissing(*id))?;
            }
            Ok(())
        })
    }

    /// Holds what a branch that was found possible will need, for the branches after it.
    ///
    /// `None`, with nothing held, when it was not found possible on these accounts.
    #[must_use]
    pub fn hold(&mut self, transaction_id: TransactionId, content: &Content) -> Option<()> {
        hold(&mut self.accounts, transaction_id, content)?;
        let held = content.legs.iter().map(|leg| leg.account_id);
        self.changed.extend(held);
        Some(())
    }

    /// The accounts as they stand now.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// One of the accounts as it stands now.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&AccountState> {
        self.accounts.get(&id)
    }

    /// What is to be written: the changed accounts in id order, and the entries in the order they
    /// were booked.
    #[must_use]
    pub fn close(self) -> (Vec<AccountState>, Vec<NewEntry>) {
        let changed = self.changed;
        let accounts = self.accounts.into_values();
        let accounts = accounts.filter(|account| changed.contains(&account.account_id));
        (accounts.collect(), self.entries)
    }

    /// Works on copies of the touched accounts, which replace them only when all went well.
    fn all_or_nothing(
        &mut self,
        touched: impl Iterator<Item = AccountId>,
        work: impl FnOnce(&mut Self) -> Result<(), CannotFinish>,
    ) -> Result<(), CannotFinish> {
        let copies = touched.filter_map(|id| self.accounts.get(&id).cloned());
        let mut scratch = Self::new(copies.map(|copy| (copy.account_id, copy)).collect());
        work(&mut scratch)?;
        self.accounts.extend(scratch.accounts);
        self.changed.extend(scratch.changed);
        self.entries.extend(scratch.entries);
        Ok(())
    }

    fn account_mut(&mut self, id: AccountId) -> Result<&mut AccountState, CannotFinish> {
        let account = self.accounts.get_mut(&id);
        let account = account.ok_or(CannotFinish::AccountMissing(id))?;
        self.changed.insert(id);
        Ok(account)
    }

    fn release_holds(
        &mut self,
        transaction_id: TransactionId,
        content: &Content,
    ) -> Result<(), CannotFinish> {
        if content.legs.is_empty() {
            return Err(CannotFinish::NoLegs);
        }
        let first = content.legs[0].account_id;
        let net = content.net().ok_or(CannotFinish::OutOfRange(first))?;
        for (id, change) in net {
            let account = self.account_mut(id)?;
            let held = if change.is_negative() {
                &mut account.pending_debits
            } else {
                &mut account.pending_credits
            };
            let left = if change.is_negative() {
                held.plus(change)
            } else {
                held.minus(change)
            };
            *held = left
                .filter(|left| !left.is_negative())
                .ok_or(CannotFinish::HoldMissing(id))?;
            if account.locking == Locking::Exclusive {
                if account.transaction_lock != Some(LegId::derive(transaction_id, id)) {
                    return Err(CannotFinish::LockMissing(id));
                }
                account.transaction_lock = None;
            }
        }
        Ok(())
    }

    fn post(&mut self, posting: &Posting<'_>) -> Result<(), CannotFinish> {
        let spoilt = is_planted(Bug::VersionRaisedOnce) || is_planted(Bug::ChangesNotSummed);
        let mut booked = self.entries.iter();
        let repeated = spoilt && booked.any(|entry| entry.account_id == posting.account_id);
        let account = self.account_mut(posting.account_id)?;
        let before = account.balance;
        let balance = account.balance.plus(posting.change);
        account.balance = balance.ok_or(CannotFinish::OutOfRange(posting.account_id))?;
        account.version += 1;
        let entry = NewEntry {
            account_id: posting.account_id,
            version: account.version,
            transaction_id: posting.transaction_id,
            transfer_index: posting.transfer_index,
            kind: posting.kind,
            change: posting.change,
            balance_after: account.balance,
            description: posting.description.map(str::to_owned),
            step: posting.step,
        };
        if repeated && is_planted(Bug::VersionRaisedOnce) {
            account.version -= 1;
        }
        if repeated && is_planted(Bug::ChangesNotSummed) {
            account.balance = before;
        }
        self.entries.push(entry);
        Ok(())
    }
}

#[cfg(test)]
#[path = "ledger/tests.rs"]
mod tests;

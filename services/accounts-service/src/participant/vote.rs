//! Where a participant's vote is decided: a pure function over locked accounts.

use two_phase::participant::Finding;
use two_phase::planted::{Bug, is_planted};
use types::views::{AccountStatus, Locking};
use types::{Balance, Code, LegId, ParticipantId, TransactionId};

use crate::account::{AccountKind, AccountState, Accounts};
use crate::branch::Content;

/// Looks at the accounts of one branch, as they stand with the holds of everything prepared before.
///
/// The reasons are tried in this order over all accounts in id order, so that what a client is told
/// does not depend on which account happens to sort first:
///
/// 1. the legs are part of a balanced transfer;
/// 2. every account is a customer's, and a debited one is the caller's where that is asked for
///    (`account_not_found` otherwise: a system account is unknown to callers);
/// 3. none is closed or frozen;
/// 4. all are kept in the transfer's currency;
/// 5. no other branch holds an exclusive lock: BUSY;
/// 6. a net debit is covered by what is available;
/// 7. a net credit leaves the account below 10^15, whatever else arrives.
///
/// A refusal is definitive and wins over BUSY, which only says "ask again".
#[must_use]
pub fn vote(accounts: &Accounts, content: &Content, own: &ParticipantId) -> Finding {
    if let Some(defect) = content.defect(own) {
        return Finding::Refused(defect);
    }
    let Some(net) = content.net() else {
        return Finding::Refused(Code::BalanceLimit);
    };

    let mut found = Vec::with_capacity(net.len());
    for (id, change) in &net {
        match accounts.get(id) {
            Some(account) if account.kind == AccountKind::Customer => {
                found.push((account, *change));
            }
            _ => return Finding::Refused(Code::AccountNotFound),
        }
    }
    if let Some(owner) = content.debits_owned_by {
        let debits = content.legs.iter().filter(|leg| leg.change.is_debit());
        let foreign = debits
            .filter_map(|leg| accounts.get(&leg.account_id))
            .any(|account| account.customer_id != Some(owner));
        if foreign {
            return Finding::Refused(Code::AccountNotFound);
        }
    }

    let checks: [&Check<'_>; 3] = [
        &|account, _| is_closed_or_frozen(account),
        &|account, _| (account.currency != content.currency).then_some(Code::CurrencyMismatch),
        &exceeds_limits,
    ];
    for check in checks {
        if let Some(reason) = found
            .iter()
            .find_map(|(account, change)| check(account, *change))
        {
            return Finding::Refused(reason);
        }
    }
    if found.iter().any(|(account, _)| is_locked(account)) {
        return Finding::Busy;
    }
    Finding::Possible
}

/// Why an account cannot take a net change, if so.
type Check<'a> = dyn Fn(&AccountState, Balance) -> Option<Code> + 'a;

/// Why the account takes no part in anything, if so.
#[must_use]
pub const fn is_closed_or_frozen(account: &AccountState) -> Option<Code> {
    match account.status {
        AccountStatus::Active => None,
        AccountStatus::Frozen => Some(Code::AccountFrozen),
        AccountStatus::Closed => Some(Code::AccountClosed),
    }
}

/// Whether another branch has the account for itself.
#[must_use]
pub fn is_locked(account: &AccountState) -> bool {
    account.transaction_lock.is_some() && !is_planted(Bug::LockNotChecked)
}

/// Why the account cannot take the change, if so. What a lock hides is not judged: whether the
/// money is there will be known when the lock is gone.
fn exceeds_limits(account: &AccountState, change: Balance) -> Option<Code> {
    if is_locked(account) {
        return None;
    }
    if change.is_negative() {
        let amount = Balance::ZERO.minus(change);
        let covered = amount.is_some_and(|amount| account.covers(amount));
        (!covered).then_some(Code::InsufficientFunds)
    } else {
        let fits = change.is_zero() || account.has_room_for(change);
        (!fits).then_some(Code::BalanceLimit)
    }
}

/// Adds the holds and locks of a branch that was found possible, for the branches after it.
///
/// `None`, with nothing changed, when it was not found possible on these accounts.
#[must_use]
pub fn hold(accounts: &mut Accounts, transaction: TransactionId, content: &Content) -> Option<()> {
    let mut held = Vec::new();
    for (id, change) in content.net()? {
        let mut account = accounts.get(&id)?.clone();
        if account.locking == Locking::Escrow && is_planted(Bug::DebitWithoutHold) {
            continue;
        }
        if change.is_negative() {
            account.pending_debits = account.pending_debits.minus(change)?;
        } else {
            account.pending_credits = account.pending_credits.plus(change)?;
        }
        if account.locking == Locking::Exclusive {
            account.transaction_lock = Some(LegId::derive(transaction, id));
        }
        held.push(account);
    }
    accounts.extend(
        held.into_iter()
            .map(|account| (account.account_id, account)),
    );
    Some(())
}

#[cfg(test)]
#[path = "vote/tests.rs"]
mod tests;

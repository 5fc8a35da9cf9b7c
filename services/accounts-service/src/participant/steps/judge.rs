//! Where it is decided whether a step can be performed: a pure function over locked accounts.

use std::collections::BTreeMap;

use saga::Direction;
use two_phase::message::Leg;
use two_phase::steps::{StepAnswer, StepKind};
use types::{AccountId, Balance, Code, ParticipantId};

use super::operation::{Operation, PartState, credits, debits, next};
use crate::account::{AccountKind, AccountState, Accounts};
use crate::participant::vote::{is_closed_or_frozen, is_locked};

/// What to do with an operation that the barrier lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Book it; the part is this then.
    Perform(PartState),
    /// It cannot be done, for good or for now.
    Answer(StepAnswer),
    /// It contradicts what is known here: data were lost, or somebody reused an id. Nothing is done
    /// and nothing recorded but that.
    Contradiction,
}

/// Looks at an operation whose effect is asked for the first time, or whose action is to be undone.
///
/// The reasons of an action are tried in the order of a vote ([`crate::participant::vote`]), over
/// the accounts that this step moves money on. An exclusive lock is not waited for: "not now". What
/// undoes a step, and the release, only give back what is theirs: they look neither at a status nor
/// at a lock, and the one thing that can be in a refund's way is a balance of 10^15.
#[must_use]
pub fn judge(
    operation: &Operation,
    part: Option<PartState>,
    accounts: &Accounts,
    own: &ParticipantId,
) -> Finding {
    let (step, direction) = (operation.step, operation.direction());
    if let Some(code) = operation.defect(own) {
        return match direction {
            Direction::Action => refused(code),
            Direction::Compensation => Finding::Contradiction,
        };
    }
    let content = &operation.content;
    let has_debits = debits(content).next().is_some();
    if part == Some(PartState::Undone) && direction == Direction::Action {
        // It comes after its saga was given up.
        return refused(Code::OperationClosed);
    }
    let Some(next) = next(part, step, direction, has_debits) else {
        return Finding::Contradiction;
    };
    let found = match (direction, step) {
        (Direction::Action, StepKind::Debit) => {
            examine(operation, debits(content), accounts, |account, sum| {
                let amount = Balance::ZERO.minus(sum);
                let covered = amount.is_some_and(|amount| account.covers(amount));
                (!covered).then_some(Code::InsufficientFunds)
            })
        }
        (Direction::Action, StepKind::Credit) => {
            examine(operation, credits(content), accounts, |account, sum| {
                (!account.has_room_for(sum)).then_some(Code::BalanceLimit)
            })
        }
        (Direction::Compensation, StepKind::Debit) => room_for_refund(debits(content), accounts),
        _ => None,
    };
    found.unwrap_or(Finding::Perform(next))
}

const fn refused(code: Code) -> Finding {
    Finding::Answer(StepAnswer::Refused { code })
}

const fn not_now(code: Code) -> Finding {
    Finding::Answer(StepAnswer::NotNow { code })
}

/// The sum of these legs on each account; `None` when one no longer fits.
fn sums<'a>(legs: impl Iterator<Item = &'a Leg>) -> Option<BTreeMap<AccountId, Balance>> {
    let mut sums = BTreeMap::new();
    for leg in legs {
        let sum: &mut Balance = sums.entry(leg.account_id).or_insert(Balance::ZERO);
        *sum = sum.plus(leg.change)?;
    }
    Some(sums)
}

/// Why an account cannot take a sum, if so.
type Check<'a> = dyn Fn(&AccountState, Balance) -> Option<Code> + 'a;

/// Why the accounts of an action cannot take part in it, if so.
fn examine<'a>(
    operation: &Operation,
    legs: impl Iterator<Item = &'a Leg>,
    accounts: &Accounts,
    exceeds: impl Fn(&AccountState, Balance) -> Option<Code>,
) -> Option<Finding> {
    let Some(sums) = sums(legs) else {
        return Some(refused(Code::BalanceLimit));
    };
    let mut found = Vec::with_capacity(sums.len());
    for (id, sum) in sums {
        match accounts.get(&id) {
            Some(account) if account.kind == AccountKind::Customer => found.push((account, sum)),
            _ => return Some(refused(Code::AccountNotFound)),
        }
    }
    let content = &operation.content;
    let owner = content
        .debits_owned_by
        .filter(|_| operation.step == StepKind::Debit);
    let is_foreign = |account: &AccountState| owner.is_some() && account.customer_id != owner;
    let checks: [&Check<'_>; 4] = [
        &|account, _| is_foreign(account).then_some(Code::AccountNotFound),
        &|account, _| is_closed_or_frozen(account),
        &|account, _| (account.currency != content.currency).then_some(Code::CurrencyMismatch),
        // What a lock hides is not judged: whether the money is there will be known when it is gone.
        &|account, sum| exceeds(account, sum).filter(|_| !is_locked(account)),
    ];
    for check in checks {
        let mut reasons = found.iter();
        if let Some(code) = reasons.find_map(|(account, sum)| check(account, *sum)) {
            return Some(refused(code));
        }
    }
    let locked = found.iter().any(|(account, _)| is_locked(account));
    locked.then(|| not_now(Code::AccountLocked))
}

/// Whether the refunds fit. Nothing is kept free for them, because what others pay in meanwhile
/// would have to be refused for it.
fn room_for_refund<'a>(
    legs: impl Iterator<Item = &'a Leg>,
    accounts: &Accounts,
) -> Option<Finding> {
    let fits = sums(legs)?.into_iter().all(|(id, sum)| {
        let amount = Balance::ZERO.minus(sum);
        let account = accounts.get(&id);
        // One that is missing is found out when the refund is booked.
        account.is_none_or(|account| amount.is_some_and(|amount| account.has_room_for(amount)))
    });
    (!fits).then(|| not_now(Code::BalanceLimit))
}

#[cfg(test)]
#[path = "judge/tests.rs"]
mod tests;

//! What a step books: every one of them sums to zero at this bank, and so does what undoes it.

use saga::Direction;
use two_phase::steps::StepKind;
use types::views::EntryKind;
use types::{AccountId, Balance, ParticipantId};

use super::operation::{Operation, credits, debits, in_transit};
use crate::account::SystemAccount;
use crate::ledger::{Book, BookedBy, CannotFinish, Posting};

/// What is to be booked for one operation.
#[derive(Debug, Clone)]
pub struct Booking<'a> {
    /// The entries, which sum to zero.
    pub postings: Vec<Posting<'a>>,
    /// By how much the reservation on each account changes.
    pub reserved: Vec<(AccountId, Balance)>,
}

/// The system accounts that an action may be the first to book on.
#[must_use]
pub fn system_accounts(operation: &Operation, own: &ParticipantId) -> Vec<SystemAccount> {
    let content = &operation.content;
    let transit = debits(content).next();
    let transit = transit.map(|_| SystemAccount::in_transit(own, content.currency));
    let clearing = content
        .clearing(own)
        .into_iter()
        .map(|(account, _)| account);
    match (operation.direction(), operation.step) {
        (Direction::Action, StepKind::Debit) => transit.into_iter().collect(),
        (Direction::Action, StepKind::Credit) => transit.into_iter().chain(clearing).collect(),
        _ => Vec::new(),
    }
}

/// Every account that an operation may change.
pub fn accounts<'a>(
    operation: &'a Operation,
    own: &ParticipantId,
) -> impl Iterator<Item = AccountId> + use<'a> {
    let content = &operation.content;
    let transit = SystemAccount::in_transit(own, content.currency);
    let clearing = content.clearing(own);
    let legs = content.legs.iter().map(|leg| leg.account_id);
    legs.chain([transit.account_id])
        .chain(clearing.into_iter().map(|(account, _)| account.account_id))
}

/// What this operation books. `None` when a sum no longer fits.
#[must_use]
pub fn booking<'a>(operation: &'a Operation, own: &ParticipantId) -> Option<Booking<'a>> {
    let content = &operation.content;
    let mut postings = Vec::with_capacity(content.legs.len() + 2);
    let mut reserved = Vec::new();
    let posting = |account_id, transfer_index, kind, change| Posting {
        transaction_id: operation.transaction_id,
        account_id,
        transfer_index,
        kind,
        change,
        description: None,
        step: Some(BookedBy {
            step: operation.step,
            is_undone: operation.undoes.is_some(),
        }),
    };
    let transit = SystemAccount::in_transit(own, content.currency).account_id;
    let sum = in_transit(content)?;
    let (taken, given) = match operation.step {
        StepKind::Debit => (Some(sum), false),
        StepKind::Credit => (Some(Balance::ZERO.minus(sum)?), true),
        StepKind::Release => (None, false),
    };
    let legs: Vec<_> = match operation.step {
        StepKind::Debit => debits(content).collect(),
        StepKind::Credit => credits(content).collect(),
        StepKind::Release => Vec::new(),
    };
    for leg in legs {
        postings.push(Posting {
            description: content.description(leg.transfer_index),
            ..posting(
                leg.account_id,
                leg.transfer_index,
                EntryKind::Transfer,
                leg.change.into(),
            )
        });
    }
    if let Some(change) = taken.filter(|change| !change.is_zero()) {
        postings.push(posting(transit, 0, EntryKind::Transit, change));
    }
    if given {
        for (account, change) in content.clearing(own) {
            postings.push(posting(account.account_id, 0, EntryKind::Clearing, change));
        }
    }
    for leg in credits(content) {
        let change: Balance = leg.change.into();
        match operation.step {
            StepKind::Debit => {}
            StepKind::Credit => reserved.push((leg.account_id, change)),
            StepKind::Release => reserved.push((leg.account_id, Balance::ZERO.minus(change)?)),
        }
    }
    if operation.direction() == Direction::Compensation {
        for posting in &mut postings {
            posting.kind = EntryKind::Refund;
            posting.change = Balance::ZERO.minus(posting.change)?;
        }
        for (_, change) in &mut reserved {
            *change = Balance::ZERO.minus(*change)?;
        }
    }
    Some(Booking { postings, reserved })
}

/// Books an operation on locked accounts.
///
/// # Errors
/// [`CannotFinish`]; nothing is booked then.
pub fn book(
    book: &mut Book,
    operation: &Operation,
    own: &ParticipantId,
) -> Result<(), CannotFinish> {
    let booking = booking(operation, own).ok_or(CannotFinish::NoLegs)?;
    book.post_and_reserve(&booking.postings, &booking.reserved)
}

#[cfg(test)]
#[path = "booking/tests.rs"]
mod tests;

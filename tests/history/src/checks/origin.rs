//! From the ledgers back to what was decided, and from there to what was asked for.

use std::collections::BTreeMap;

use types::AccountId;
use types::views::{EntryKind, Status};

use crate::digest::{Digest, Transaction, transfers_of};
use crate::finding::{Reason, Verdict};
use crate::format::{Leg, Record, Request};
use crate::units::{Units, of_balance, of_change, written};

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    for transaction in &digest.transactions {
        match transaction.record {
            Some(record) => decided(transaction, record, verdict),
            None => without_record(digest, transaction, verdict),
        }
        if let Some(record) = transaction.record {
            asked_for(digest, transaction, record, verdict);
        }
    }
}

type Booked = BTreeMap<(u16, AccountId), Units>;

fn booked(transaction: &Transaction<'_>) -> Booked {
    let entries = transaction.entries.iter();
    let legs = entries.filter(|entry| entry.kind == EntryKind::Transfer);
    let mut booked = Booked::new();
    for entry in legs {
        *booked
            .entry((entry.transfer_index, entry.account))
            .or_default() += of_balance(entry.change);
    }
    booked
}

fn legs_of(legs: &[(u16, Leg)]) -> Booked {
    let legs = legs.iter();
    legs.map(|(index, leg)| ((*index, leg.account), of_change(leg.change)))
        .collect()
}

/// A committed transaction is booked to the last leg, another one not at all, or booked back.
fn decided(transaction: &Transaction<'_>, record: &Record, verdict: &mut Verdict) {
    let id = transaction.id;
    if record.status == Status::Pending {
        verdict.add(Reason::NotFinal, || format!("{id} is still pending"));
    }
    if record.status != Status::Committed {
        if let Some(entry) = transaction
            .entries
            .first()
            .filter(|_| transaction.is_booked())
        {
            let (status, account) = (record.status, entry.account);
            verdict.add(Reason::RefusalBooked, || {
                format!("{id} is {status} and booked on {account}")
            });
        }
        return;
    }
    let (found, expected) = (booked(transaction), legs_of(&record.legs));
    for ((index, account), change) in &expected {
        if found.get(&(*index, *account)) != Some(change) {
            let found = found.get(&(*index, *account)).copied();
            verdict.add(Reason::PromiseBroken, || {
                let change = written(*change);
                let found = found.map_or_else(|| "nothing".to_owned(), written);
                format!("{id} is committed with {change} on {account}; booked is {found}")
            });
        }
    }
    for (_, account) in found.keys().filter(|leg| !expected.contains_key(leg)) {
        verdict.add(Reason::NobodyAsked, || {
            format!("{id} is booked on {account}, which is none of its legs")
        });
    }
}

/// Cash and openings have no record at the coordinator; nothing else may be without.
fn without_record(digest: &Digest<'_>, transaction: &Transaction<'_>, verdict: &mut Verdict) {
    let Some(first) = transaction.entries.first() else {
        return;
    };
    let (id, account) = (transaction.id, first.account);
    match first.kind {
        EntryKind::Opening => {}
        EntryKind::Deposit | EntryKind::Withdrawal => {
            let asked = transaction.group.map(|(group, _)| &digest.groups[group]);
            let fits = asked.is_some_and(|group| is_that_cash(group.request, transaction));
            if !fits && !was_there_before(digest, transaction) {
                verdict.add(Reason::NobodyAsked, || {
                    format!("{id} moved cash on {account} as nobody asked for it")
                });
            }
        }
        EntryKind::Transfer | EntryKind::Clearing | EntryKind::Transit | EntryKind::Refund => {
            verdict.add(Reason::NobodyAsked, || {
                format!("{id} is booked on {account} and the coordinator has no record of it")
            })
        }
    }
}

/// Booked before the first event, so that no request of this history made it.
fn was_there_before(digest: &Digest<'_>, transaction: &Transaction<'_>) -> bool {
    transaction.entries.iter().any(|entry| {
        let mut starts = digest.history.header.accounts.iter();
        starts.any(|start| start.account == entry.account && entry.version <= start.version)
    })
}

fn is_that_cash(request: &Request, transaction: &Transaction<'_>) -> bool {
    let (account, change) = match request {
        Request::Deposit {
            account, amount, ..
        } => (*account, of_change(amount.credit())),
        Request::Withdrawal {
            account, amount, ..
        } => (*account, of_change(amount.debit())),
        _ => return false,
    };
    let mut own = transaction.entries.iter();
    own.any(|entry| entry.account == account && of_balance(entry.change) == change)
        && transaction.entries.len() == 2
}

/// What was begun is what was asked for.
fn asked_for(
    digest: &Digest<'_>,
    transaction: &Transaction<'_>,
    record: &Record,
    verdict: &mut Verdict,
) {
    let id = transaction.id;
    let Some((group, item)) = transaction.group else {
        verdict.add(Reason::NobodyAsked, || {
            format!("the coordinator has a record of {id}, for which nobody asked")
        });
        return;
    };
    let group = &digest.groups[group];
    let asked = transfers_of(group.request);
    let fits = asked
        .get(item)
        .is_some_and(|legs| legs_of(legs) == legs_of(&record.legs));
    if !fits {
        verdict.add(Reason::NobodyAsked, || {
            let (key, at) = (group.key, item);
            format!("{id} has other legs than transfer {at} of what was asked for under {key}")
        });
    }
}

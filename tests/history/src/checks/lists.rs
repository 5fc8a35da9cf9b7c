//! A list of a bank's accounts is one moment: of every transaction it shows all or nothing (I9), and
//! of a transfer by saga all or nothing of each step.
//!
//! Every transaction gets weights, one for each of its entries at the bank, that sum to zero; the
//! weights of all entries that a list has seen must then sum to zero too. One addition for each
//! account of a list, whatever the number of transactions; only where it fails is the culprit
//! looked for.

use std::collections::HashMap;

use types::{AccountId, TransactionId};

use crate::digest::Digest;
use crate::finding::{Reason, Verdict};
use crate::format::{Reply, Request, Seen, What};

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    let mut sums: HashMap<&str, HashMap<AccountId, Vec<u64>>> = HashMap::new();
    let starts = &digest.history.header.accounts;
    for (operation, one) in digest.operations.iter().enumerate() {
        let (Request::List { bank }, Some(What::Ok(Reply::Accounts(list)))) =
            (one.request, one.outcome)
        else {
            continue;
        };
        let listed = starts.iter().filter(|start| start.bank == *bank);
        let missing = listed
            .map(|start| start.account)
            .find(|id| !list.iter().any(|seen| seen.account == *id));
        if let Some(missing) = missing {
            verdict.add(Reason::SplitList, || {
                format!("{} does not show {missing}", digest.name(operation))
            });
            continue;
        }
        let sums = sums
            .entry(bank.as_str())
            .or_insert_with(|| weigh(digest, bank));
        let total = list.iter().fold(0_u64, |total, seen| {
            let place = usize::try_from(seen.version).unwrap_or(0);
            let own = sums.get(&seen.account).and_then(|own| own.get(place));
            total.wrapping_add(own.copied().unwrap_or_default())
        });
        if total != 0 {
            verdict.add(Reason::SplitList, || {
                let who = digest.name(operation);
                split(digest, list).map_or_else(
                    || format!("{who} is of no single moment"),
                    |(id, shown, hidden)| {
                        format!("{who} shows {id} on {shown} and not on {hidden}")
                    },
                )
            });
        }
    }
}

/// By account, the sum of the weights of its first n entries.
fn weigh(digest: &Digest<'_>, bank: &str) -> HashMap<AccountId, Vec<u64>> {
    // The bank's own accounts are not on the list.
    let ledgers = digest
        .ledgers
        .iter()
        .filter(|ledger| ledger.account.bank == bank && ledger.account.kind == "customer");
    let mut open: HashMap<(TransactionId, i16), (usize, u64)> = HashMap::new();
    let listed: Vec<_> = ledgers.collect();
    for row in listed.iter().flat_map(|ledger| &ledger.rows) {
        open.entry((row.transaction, row.step)).or_default().0 += 1;
    }
    let mut counter = 0;
    listed
        .iter()
        .map(|ledger| {
            let mut sum = 0_u64;
            let mut sums = vec![0];
            for row in &ledger.rows {
                let (left, weight) = open.entry((row.transaction, row.step)).or_default();
                *left = left.saturating_sub(1);
                let own = if *left == 0 {
                    // The last one evens it out.
                    weight.wrapping_neg()
                } else {
                    counter += 1;
                    scrambled(counter)
                };
                *weight = weight.wrapping_add(own);
                sum = sum.wrapping_add(own);
                sums.push(sum);
            }
            (ledger.account.account, sums)
        })
        .collect()
}

/// Numbers that look as if they had nothing to do with each other (the finisher of SplitMix64).
fn scrambled(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A transaction that the list shows on one account and not on another.
fn split(digest: &Digest<'_>, list: &[Seen]) -> Option<(TransactionId, AccountId, AccountId)> {
    let mut shown: HashMap<(TransactionId, i16), AccountId> = HashMap::new();
    let mut hidden: HashMap<(TransactionId, i16), AccountId> = HashMap::new();
    for seen in list {
        for row in &digest.ledger(seen.account)?.rows {
            let side = if row.version <= seen.version {
                &mut shown
            } else {
                &mut hidden
            };
            side.insert((row.transaction, row.step), seen.account);
        }
    }
    shown
        .into_iter()
        .filter_map(|(key, account)| Some((key.0, account, *hidden.get(&key)?)))
        .min()
}

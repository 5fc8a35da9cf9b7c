//! The ledgers by themselves: sums, versions, limits.

use std::collections::{BTreeMap, HashSet};

use types::views::EntryKind;

use crate::digest::{Digest, Ledger};
use crate::finding::{Reason, Verdict};
use crate::units::{Units, of_balance, written};

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    sums(digest, verdict);
    for ledger in &digest.ledgers {
        versions(ledger, verdict);
        adds_up(ledger, verdict);
    }
    starts(digest, verdict);
    once(digest, verdict);
    for entry in &digest.history.entries {
        if !digest.ledger_of.contains_key(&entry.account) {
            verdict.add(Reason::NobodyAsked, || {
                format!("an entry stands on {}, which is no account", entry.account)
            });
        }
    }
}

fn sums(digest: &Digest<'_>, verdict: &mut Verdict) {
    let mut banks: BTreeMap<(&str, String), Units> = BTreeMap::new();
    let mut clearing: BTreeMap<String, Units> = BTreeMap::new();
    for ledger in &digest.ledgers {
        let account = ledger.account;
        let currency = account.currency.to_string();
        let sum: Units = ledger.rows.iter().map(|row| of_balance(row.change)).sum();
        if account.kind == "clearing" {
            *clearing.entry(currency.clone()).or_default() += sum;
        }
        *banks.entry((&account.bank, currency)).or_default() += sum;
    }
    for ((bank, currency), sum) in banks.into_iter().filter(|(_, sum)| *sum != 0) {
        verdict.add(Reason::DoesNotSumToZero, || {
            format!("the ledger of {bank} sums to {} {currency}", written(sum))
        });
    }
    for (currency, sum) in clearing.into_iter().filter(|(_, sum)| *sum != 0) {
        verdict.add(Reason::DoesNotSumToZero, || {
            let sum = written(sum);
            format!("the clearing accounts of all banks sum to {sum} {currency}")
        });
    }
}

fn versions(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    let id = ledger.account.account;
    for (expected, row) in (1..).zip(&ledger.rows) {
        if row.version != expected {
            let found = row.version;
            verdict.add(Reason::VersionGap, || {
                format!("{id}: version {found} stands where {expected} belongs")
            });
            return;
        }
    }
    let last = ledger.rows.last().map_or(0, |row| row.version);
    let said = ledger.account.version;
    if last != said {
        verdict.add(Reason::VersionGap, || {
            format!("{id} says version {said}, its last entry is {last}")
        });
    }
}

fn adds_up(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    let account = ledger.account;
    let id = account.account;
    let limit = of_balance(account.limit);
    let mut balance: Units = 0;
    for (place, row) in ledger.rows.iter().enumerate() {
        balance += of_balance(row.change);
        let after = of_balance(row.balance_after);
        if balance != after {
            let (version, sum) = (row.version, written(balance));
            verdict.add(Reason::DoesNotAddUp, || {
                format!(
                    "{id}: the entries up to version {version} sum to {sum}, it says {}",
                    written(after)
                )
            });
            return;
        }
        // The legs of a linked batch count by their net, and nobody sees the account between them.
        let next = ledger.rows.get(place + 1);
        let is_last = next.is_none_or(|next| next.transaction != row.transaction);
        if is_last && account.kind == "customer" && balance + limit < 0 {
            let version = row.version;
            verdict.add(Reason::BelowLimit, || {
                format!("{id} stands at {} at version {version}", written(balance))
            });
        }
    }
    let said = of_balance(account.balance);
    if said != balance {
        verdict.add(Reason::DoesNotAddUp, || {
            let (said, sum) = (written(said), written(balance));
            format!("{id} says {said}, its entries sum to {sum}")
        });
    }
}

/// What was there before the first event is still there.
fn starts(digest: &Digest<'_>, verdict: &mut Verdict) {
    for start in &digest.history.header.accounts {
        let ledger = digest.ledger(start.account);
        let row = ledger.and_then(|ledger| ledger.row(start.version));
        let balance = row.map(|row| row.balance_after);
        let is_kept = match balance {
            None => ledger.is_some() && start.version == 0 && start.balance.is_zero(),
            Some(balance) => balance == start.balance,
        };
        if !is_kept {
            verdict.add(Reason::NeverWas, || {
                let (id, version) = (start.account, start.version);
                format!(
                    "{id} began with {} at version {version}; the ledger says {balance:?}",
                    start.balance
                )
            });
        }
    }
}

fn once(digest: &Digest<'_>, verdict: &mut Verdict) {
    let mut seen = HashSet::with_capacity(digest.history.entries.len());
    for entry in &digest.history.entries {
        // A saga may book something back, and money goes into transit and out of it again.
        let back = matches!(entry.kind, EntryKind::Refund | EntryKind::Transit)
            .then(|| (entry.kind, entry.change.is_negative()));
        let leg = (entry.transaction, entry.transfer_index, entry.account);
        if !seen.insert((leg, back)) {
            verdict.add(Reason::Twice, || {
                let (id, account) = (entry.transaction, entry.account);
                format!("transaction {id} has two entries on {account}")
            });
        }
    }
}

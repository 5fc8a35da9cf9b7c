//! What clients read of accounts.

use std::collections::HashMap;

use types::AccountId;

use crate::digest::Digest;
use crate::finding::{Reason, Verdict};
use crate::format::{Reply, Seen, What};

/// Every account that an operation saw.
pub(super) fn seen<'a>(digest: &Digest<'a>, operation: usize) -> &'a [Seen] {
    match digest.operations[operation].outcome {
        Some(What::Ok(Reply::Account(seen))) => std::slice::from_ref(seen),
        Some(What::Ok(Reply::Accounts(seen))) => seen,
        _ => &[],
    }
}

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    for operation in 0..digest.operations.len() {
        for seen in seen(digest, operation) {
            is_in_the_ledger(digest, operation, seen, verdict);
        }
    }
    forwards(digest, verdict);
}

fn is_in_the_ledger(digest: &Digest<'_>, operation: usize, seen: &Seen, verdict: &mut Verdict) {
    let ledger = digest.ledger(seen.account);
    let row = ledger.and_then(|ledger| ledger.row(seen.version));
    let fits = match row {
        Some(row) => row.balance_after == seen.balance,
        None => ledger.is_some() && seen.version == 0 && seen.balance.is_zero(),
    };
    if fits {
        return;
    }
    verdict.add(Reason::NeverWas, || {
        let who = digest.name(operation);
        let (id, version, balance) = (seen.account, seen.version, seen.balance);
        let is = row.map_or_else(
            || "there is no such version".to_owned(),
            |row| format!("it was {}", row.balance_after),
        );
        format!("{who} saw {balance} on {id} at version {version}; {is}")
    });
}

/// What a client reads after an answer is no older than that answer.
fn forwards(digest: &Digest<'_>, verdict: &mut Verdict) {
    let mut order: Vec<usize> = (0..digest.operations.len())
        .filter(|operation| !seen(digest, *operation).is_empty())
        .collect();
    order.sort_by_key(|operation| digest.operations[*operation].completed);
    // By client and account: the newest version that was read, and when that answer was there. A
    // client has one request under way at a time, so requests sent before that answer are rare.
    let mut newest: HashMap<(u32, AccountId), (i64, u64)> = HashMap::new();
    for operation in order {
        let one = &digest.operations[operation];
        for seen in seen(digest, operation) {
            let known = newest
                .entry((one.client, seen.account))
                .or_insert((seen.version, one.completed));
            if seen.version < known.0 && one.invoked > known.1 {
                let known = known.0;
                verdict.add(Reason::WentBack, || {
                    let (who, id, version) = (digest.name(operation), seen.account, seen.version);
                    format!("{who} saw version {version} of {id} after it had seen {known}")
                });
            } else if seen.version > known.0 {
                *known = (seen.version, one.completed);
            }
        }
    }
}

//! From what clients were told to what was done.

use std::collections::BTreeSet;

use types::TransactionId;
use types::views::Status;

use crate::digest::{Digest, Group, transfers_of};
use crate::finding::{Reason, Verdict};
use crate::format::{Reply, Request, What};

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    for (at, operation) in digest.operations.iter().enumerate() {
        match operation.outcome {
            Some(What::Ok(reply)) => confirmed(digest, at, reply, verdict),
            Some(What::Fail {
                transaction: Some(id),
                code,
            }) => refused(digest, at, *id, code, verdict),
            _ => {}
        }
    }
    for group in &digest.groups {
        once(digest, group, verdict);
    }
}

fn is_booked(digest: &Digest<'_>, id: TransactionId) -> bool {
    let transaction = digest.transaction(id);
    transaction.is_some_and(|transaction| transaction.is_booked())
}

/// What the coordinator says of it at the end, and for cash what the ledger says.
fn status(digest: &Digest<'_>, id: TransactionId) -> Option<Status> {
    let transaction = digest.transaction(id)?;
    match transaction.record {
        Some(record) => Some(record.status),
        None if transaction.entries.is_empty() => None,
        None => Some(Status::Committed),
    }
}

fn confirmed(digest: &Digest<'_>, at: usize, reply: &Reply, verdict: &mut Verdict) {
    match reply {
        Reply::Transfer { transaction, .. } => committed(digest, at, *transaction, verdict),
        Reply::Batch(results) => {
            for result in results {
                match (result.transaction, result.status) {
                    (Some(id), Status::Committed) => committed(digest, at, id, verdict),
                    (Some(id), Status::Aborted) => {
                        let code = result.code.as_deref().unwrap_or("no reason");
                        refused(digest, at, id, code, verdict);
                    }
                    _ => {}
                }
            }
        }
        Reply::Cash {
            transaction,
            version,
            balance_after,
        } => {
            committed(digest, at, *transaction, verdict);
            let (Request::Deposit { account, .. } | Request::Withdrawal { account, .. }) =
                digest.operations[at].request
            else {
                return;
            };
            let row = digest
                .ledger(*account)
                .and_then(|ledger| ledger.row(*version));
            let fits = row.is_some_and(|row| {
                row.transaction == *transaction && row.balance_after == *balance_after
            });
            if !fits {
                verdict.add(Reason::PromiseBroken, || {
                    let who = digest.name(at);
                    format!("{who} was shown version {version} with {balance_after}, which the ledger does not have")
                });
            }
        }
        Reply::Account(_) | Reply::Accounts(_) | Reply::Status { .. } => {}
    }
}

fn committed(digest: &Digest<'_>, at: usize, id: TransactionId, verdict: &mut Verdict) {
    let status = status(digest, id);
    if status == Some(Status::Committed) && is_booked(digest, id) {
        return;
    }
    verdict.add(Reason::PromiseBroken, || {
        let who = digest.name(at);
        let status = status.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
        format!("{who} was told that {id} is committed; it is {status}")
    });
}

fn refused(digest: &Digest<'_>, at: usize, id: TransactionId, code: &str, verdict: &mut Verdict) {
    if status(digest, id) == Some(Status::Committed) || is_booked(digest, id) {
        verdict.add(Reason::RefusalBooked, || {
            let who = digest.name(at);
            format!("{who} was refused ({code}) and {id} is committed")
        });
    }
}

/// One request, and one transaction for each of its transfers, under a key.
fn once(digest: &Digest<'_>, group: &Group<'_>, verdict: &mut Verdict) {
    let key = group.key;
    let others = group.operations.iter();
    for at in others.filter(|at| digest.operations[**at].request != group.request) {
        verdict.add(Reason::Twice, || {
            format!("{} uses the key of another request", digest.name(*at))
        });
    }
    if group.kept.len() > 1 {
        verdict.add(Reason::Twice, || format!("{key} is kept by two services"));
    }
    let most = transfers_of(group.request).len().max(1);
    let mut ids: BTreeSet<TransactionId> = BTreeSet::new();
    for kept in &group.kept {
        ids.extend(&kept.transactions);
    }
    let mut all_refused_before = true;
    for at in &group.operations {
        match digest.operations[*at].outcome {
            Some(What::Ok(
                Reply::Transfer { transaction, .. } | Reply::Cash { transaction, .. },
            ))
            | Some(What::Fail {
                transaction: Some(transaction),
                ..
            }) => {
                ids.insert(*transaction);
                all_refused_before = false;
            }
            Some(What::Ok(Reply::Batch(results))) => {
                ids.extend(results.iter().filter_map(|result| result.transaction));
                all_refused_before = false;
            }
            Some(What::Fail {
                transaction: None, ..
            }) => {}
            _ => all_refused_before = false,
        }
    }
    if ids.len() > most {
        verdict.add(Reason::Twice, || {
            let count = ids.len();
            format!("{key} asked for {most} and has {count} transactions")
        });
    }
    let committed = ids
        .iter()
        .find(|id| status(digest, **id) == Some(Status::Committed));
    if let Some(id) = committed.filter(|_| all_refused_before) {
        verdict.add(Reason::RefusalBooked, || {
            format!("everything under {key} was refused before it began, and {id} is committed")
        });
    }
}

//! Where transactions stood, whenever somebody asked.

use std::collections::HashMap;

use types::TransactionId;
use types::views::Status;

use crate::digest::Digest;
use crate::finding::{Reason, Verdict};
use crate::format::{Reply, Request, What};

/// A client was told a status.
struct Told {
    operation: usize,
    status: Status,
}

pub(super) fn check(digest: &Digest<'_>, verdict: &mut Verdict) {
    let mut told: HashMap<TransactionId, Vec<Told>> = HashMap::new();
    for (operation, one) in digest.operations.iter().enumerate() {
        for (id, status) in said(one.request, one.outcome) {
            told.entry(id).or_default().push(Told { operation, status });
        }
    }
    let mut told: Vec<_> = told.into_iter().collect();
    told.sort_by_key(|(_, told)| told.first().map(|one| one.operation));
    for (id, told) in told {
        one_transaction(digest, id, &told, verdict);
    }
}

fn said(request: &Request, outcome: Option<&What>) -> Vec<(TransactionId, Status)> {
    match (request, outcome) {
        (Request::Status { transaction }, Some(What::Ok(Reply::Status { status, .. }))) => {
            vec![(*transaction, *status)]
        }
        (_, Some(What::Ok(Reply::Transfer { transaction, .. }))) => {
            vec![(*transaction, Status::Committed)]
        }
        (_, Some(What::Ok(Reply::Batch(results)))) => results
            .iter()
            .filter_map(|result| Some((result.transaction?, result.status)))
            .filter(|(_, status)| *status != Status::Pending)
            .collect(),
        (
            Request::Transfer { .. } | Request::Batch { .. },
            Some(What::Fail {
                transaction: Some(id),
                ..
            }),
        ) => vec![(*id, Status::Aborted)],
        _ => Vec::new(),
    }
}

fn one_transaction(digest: &Digest<'_>, id: TransactionId, told: &[Told], verdict: &mut Verdict) {
    let finals = told.iter().filter(|one| one.status != Status::Pending);
    let first = finals
        .clone()
        .min_by_key(|one| digest.operations[one.operation].completed);
    let Some(first) = first else { return };
    if let Some(other) = finals.clone().find(|one| one.status != first.status) {
        verdict.add(Reason::StatusChanged, || {
            let (one, two) = (digest.name(first.operation), digest.name(other.operation));
            let (a, b) = (first.status, other.status);
            format!("{id} was {a} for {one} and {b} for {two}")
        });
    }
    let known = digest.operations[first.operation].completed;
    let late = told.iter().find(|one| {
        one.status == Status::Pending && digest.operations[one.operation].invoked > known
    });
    if let Some(late) = late {
        verdict.add(Reason::StatusChanged, || {
            let (one, two) = (digest.name(first.operation), digest.name(late.operation));
            format!(
                "{id} was {} for {one} and pending later for {two}",
                first.status
            )
        });
    }
    let record = digest.transaction(id).and_then(|found| found.record);
    if record.is_none_or(|record| record.status != first.status) {
        verdict.add(Reason::StatusChanged, || {
            let (was, who) = (first.status, digest.name(first.operation));
            let is = record.map_or_else(|| "unknown".to_owned(), |one| one.status.to_string());
            format!("{id} was {was} for {who} and is {is} at the end")
        });
    }
}

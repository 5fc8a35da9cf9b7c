//! The checks, each by itself: none relies on another having passed.

mod available;
mod ledgers;
mod lists;
mod order;
mod origin;
mod promises;
mod reads;
mod statuses;

use crate::digest::Digest;
use crate::finding::Verdict;
use crate::format::{History, What};

/// Says what in a history cannot be.
#[must_use]
pub fn check(history: &History) -> Verdict {
    let digest = Digest::of(history);
    let is_known = |what: Option<&What>| !matches!(what, None | Some(What::Unknown { .. }));
    let mut verdict = Verdict {
        operations: digest.operations.len(),
        unknown: digest
            .operations
            .iter()
            .filter(|operation| !is_known(operation.outcome))
            .count(),
        entries: history.entries.len(),
        ..Verdict::default()
    };
    ledgers::check(&digest, &mut verdict);
    origin::check(&digest, &mut verdict);
    promises::check(&digest, &mut verdict);
    statuses::check(&digest, &mut verdict);
    reads::check(&digest, &mut verdict);
    lists::check(&digest, &mut verdict);
    available::check(&digest, &mut verdict);
    order::check(&digest, &mut verdict);
    verdict
}

//! What a coordinator does about transactions that another process left behind.
//!
//! The driver claims rows whose lease has run out (epoch + 1), asks [`plan`], and drives each one
//! with [`crate::Coordinator::recovered`].

use types::views::Status;

use crate::message::Outcome;

/// What is to be done about one claimed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plan {
    /// Compare-and-set to aborted under the new epoch, then deliver whatever stands there.
    DecideAbort,
    /// It was decided: deliver until everybody has acknowledged.
    Deliver(Outcome),
}

/// Plans a list of claimed transactions.
///
/// A pending one is aborted and never committed, even if all votes were yes: the votes died with
/// their coordinator, and nobody was told of a commit.
#[must_use]
pub fn plan(claimed: &[Status]) -> Vec<Plan> {
    claimed
        .iter()
        .map(|status| match status {
            Status::Pending => Plan::DecideAbort,
            Status::Committed => Plan::Deliver(Outcome::Commit),
            Status::Aborted => Plan::Deliver(Outcome::Abort),
        })
        .collect()
}

/// Whether a lease is over, by the database's clock.
///
/// `remaining_ms` is how long it still runs, negative when it is past. A lease further ahead than
/// one lease length was given before the clock was set back; it counts as over, or nothing would
/// be recovered until the clock has caught up.
#[must_use]
pub const fn lease_is_over(remaining_ms: i64, length_ms: i64) -> bool {
    remaining_ms <= 0 || remaining_ms > length_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_transaction_is_never_committed_by_recovery() {
        assert_eq!(
            plan(&[Status::Pending, Status::Committed, Status::Aborted]),
            [
                Plan::DecideAbort,
                Plan::Deliver(Outcome::Commit),
                Plan::Deliver(Outcome::Abort)
            ]
        );
    }

    #[test]
    fn a_lease_is_over_when_it_is_past_or_absurdly_far_ahead() {
        for (remaining, over) in [
            (-1, true),
            (0, true),
            (1, false),
            (10_000, false),
            (10_001, true),
        ] {
            assert_eq!(lease_is_over(remaining, 10_000), over, "{remaining}");
        }
    }
}

//! Retention: when what is long finished may be deleted, and what is said of it from then on.
//!
//! Whoever deletes a record can no longer answer for it, so nobody may come to depend on a record
//! that somebody else has deleted. A decision goes when it has been done for a week. A branch goes
//! later than the decision, and only when the coordinator agrees: what is not done there may still
//! be sent, and a COMMIT that finds no branch would look like lost data. What comes about an absent
//! transaction that is older than a week is too late, whatever it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::TransactionId;

use crate::message::Numbers;

/// One day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A decision is kept at least this long after its transaction is done. About a transaction that is
/// absent and older than this nobody writes anything: whoever finished it may have deleted it since.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A branch is kept at least this much longer than its decision.
pub const LONGER: Duration = DAY;

/// How long ago a transaction was begun; `now` is the time since 1970. UUIDv7 says when it was begun
/// (RFC 9562, section 5.7); `None` for an id of another version. Zero for one from the future.
#[must_use]
pub fn age(id: TransactionId, now: Duration) -> Option<Duration> {
    let id = Some(id.uuid()).filter(|id| id.get_version_num() == 7)?;
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    Some(now.saturating_sub(Duration::new(seconds, nanoseconds)))
}

/// Whether an absent transaction of this id is one that nobody writes anything about. An id that
/// does not say its age never is.
#[must_use]
pub fn is_forgotten(id: TransactionId, now: Duration) -> bool {
    age(id, now).is_some_and(|age| age > FORGOTTEN_AFTER)
}

/// What a coordinator has on record of a transaction whose branch a participant wants to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// Nothing.
    Absent,
    /// It is not done, or an operator may want to look at it.
    Open,
    /// It has been done for this long.
    Done(Duration),
}

/// Whether a participant may delete its branch of a transaction. `kept_for`: how long this
/// coordinator keeps decisions.
///
/// One that is absent and young was not deleted by anybody in good order: its branch is what is left
/// of it.
#[must_use]
pub fn may_delete_branch(
    id: TransactionId,
    now: Duration,
    record: Record,
    kept_for: Duration,
) -> bool {
    match record {
        Record::Absent => is_forgotten(id, now),
        Record::Open => false,
        Record::Done(since) => since >= kept_for + LONGER,
    }
}

/// Whether a decision may be deleted by the coordinator. `kept_for`: how long it keeps decisions.
#[must_use]
pub fn may_delete_decision(record: Record, kept_for: Duration) -> bool {
    match record {
        Record::Absent => true,
        Record::Open => false,
        Record::Done(since) => since >= kept_for,
    }
}

/// Which of the transactions that a participant named are to be kept by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Not done, or not for long enough.
    pub items: Vec<TransactionId>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::{NoContext, Timestamp, Uuid};

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn begun(ago: Duration) -> TransactionId {
        let then = NOW.saturating_sub(ago);
        let then = Timestamp::from_unix(NoContext, then.as_secs(), then.subsec_nanos());
        TransactionId::from_uuid(Uuid::new_v7(then))
    }

    #[test]
    fn an_id_is_forgotten_after_seven_days() {
        let second = Duration::from_secs(1);
        assert!(!is_forgotten(begun(Duration::ZERO), NOW));
        assert!(!is_forgotten(begun(FORGOTTEN_AFTER - second), NOW));
        assert!(is_forgotten(begun(FORGOTTEN_AFTER + second), NOW));
    }

    #[test]
    fn an_id_that_does_not_say_its_age_is_never_forgotten() {
        for id in [
            Uuid::from_u128(7),
            Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001),
        ] {
            assert_eq!(age(id.into(), NOW), None);
            assert!(!is_forgotten(id.into(), NOW));
        }
    }

    #[test]
    fn an_id_from_the_future_is_new() {
        let id = begun(Duration::ZERO);
        assert_eq!(age(id, NOW - DAY), Some(Duration::ZERO));
    }

    #[test]
    fn a_branch_goes_only_when_the_coordinator_is_done_with_it_or_has_long_forgotten_it() {
        let week = FORGOTTEN_AFTER;
        let (old, young) = (begun(week * 5), begun(DAY));
        for (id, record, kept_for, goes) in [
            (old, Record::Absent, week, true),
            (young, Record::Absent, week, false),
            (old, Record::Open, week, false),
            (young, Record::Open, week, false),
            (old, Record::Done(week + DAY), week, true),
            (
                old,
                Record::Done(week + DAY - Duration::from_secs(1)),
                week,
                false,
            ),
            (old, Record::Done(Duration::ZERO), week, false),
            // One that keeps its decisions for longer has the branches kept for longer.
            (old, Record::Done(week + DAY), week * 2, false),
            (old, Record::Done(week * 2 + DAY), week * 2, true),
        ] {
            let found = may_delete_branch(id, NOW, record, kept_for);
            assert_eq!(found, goes, "{record:?}, kept for {kept_for:?}");
        }
    }

    #[test]
    fn no_branch_goes_before_its_decision_may() {
        for days in 0..30 {
            let record = Record::Done(DAY * days);
            for kept_for in [FORGOTTEN_AFTER, FORGOTTEN_AFTER * 3] {
                let branch = may_delete_branch(begun(DAY * 40), NOW, record, kept_for);
                assert!(!branch || may_delete_decision(record, kept_for), "{days}");
            }
        }
    }

    #[test]
    fn a_decision_goes_only_when_it_has_been_done_for_as_long_as_it_is_kept() {
        let week = FORGOTTEN_AFTER;
        assert!(may_delete_decision(Record::Done(week), week));
        assert!(!may_delete_decision(Record::Done(week - DAY), week));
        assert!(!may_delete_decision(Record::Open, week));
        assert!(may_delete_decision(Record::Absent, week));
    }
}

//! What is long finished is deleted: keys with the transactions that were begun under them.
//!
//! The race it survives: a client repeats an old request while its transaction is deleted. Were the
//! transaction deleted first, its key would stand for something that is gone; were the key deleted
//! first and alone, the request would happen twice while the first one can still be read. So a key
//! goes with all that was begun under it, in one database transaction, or not at all: of a batch with
//! one transfer that is not done everything stays. Processes that delete at the same time skip what
//! the others have locked.
//!
//! Keys of services stay, and with them what was paid under them: a refund finds the payment by its
//! key, whenever it comes, and a key that is gone would read as "nothing was paid".

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use service_kit::database::{retry_transient, spawned};
use service_kit::retention::{BATCH, Deleted, Sweeper};
use sqlx::PgPool;
use two_phase::retention::{Record, may_delete_decision};
use types::TransactionId;

use crate::store::retention::{self as store, OldKey, Place};

/// Deletes what is old, batch by batch.
pub(crate) struct Cleaner {
    pool: PgPool,
    kept_for: Duration,
    /// Behind which key the sweep goes on; `None` at its end.
    place: Option<Place>,
}

impl Cleaner {
    /// Deletes what has been done for longer than `kept_for`.
    pub(crate) const fn new(pool: PgPool, kept_for: Duration) -> Self {
        Self {
            pool,
            kept_for,
            place: Some(Place::FIRST),
        }
    }
}

impl Sweeper for Cleaner {
    type Error = sqlx::Error;

    async fn batch(&mut self) -> Result<Option<Deleted>, sqlx::Error> {
        // Whatever fails, the next batch is the first one of a new sweep.
        let Some(place) = self.place.replace(Place::FIRST) else {
            return Ok(None);
        };
        let (pool, kept_for) = (self.pool.clone(), self.kept_for);
        let batch = spawned(async move { retry_transient(|| once(&pool, kept_for, &place)).await });
        let (deleted, next) = batch.await?;
        self.place = next;
        Ok(Some(deleted))
    }
}

/// One batch, and behind which key the next one begins, if there is one.
async fn once(
    pool: &PgPool,
    kept_for: Duration,
    place: &Place,
) -> Result<(Deleted, Option<Place>), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let before = long_ago(kept_for);
    let found = store::old_keys(&mut transaction, before, kept_for, place, limit).await?;
    let is_last = found.len() < BATCH;
    let batch = within(BATCH, &found);
    let next = batch
        .last()
        .filter(|_| !is_last || batch.len() < found.len());
    let next = next.map(Place::from);
    let ids = batch.iter().flat_map(|key| &key.transaction_ids);
    let ids: Vec<TransactionId> = ids.copied().collect();
    let records = store::records(&mut *transaction, &ids).await?;
    let over = over(batch, &records.into_iter().collect(), kept_for);
    let gone = store::delete(&mut transaction, &over).await?;
    transaction.commit().await?;
    let deleted = Deleted::of("idempotency_keys", gone.keys)
        .and("transactions", gone.transactions)
        .and("transfer_legs", gone.legs)
        .and("sagas", gone.sagas)
        .and("saga_log", gone.saga_log);
    Ok((deleted, next))
}

fn long_ago(kept_for: Duration) -> DateTime<Utc> {
    let kept_for = TimeDelta::from_std(kept_for).unwrap_or(TimeDelta::MAX);
    let before = Utc::now().checked_sub_signed(kept_for);
    before.unwrap_or(DateTime::UNIX_EPOCH)
}

/// So many of the first keys that not many more than `most` transactions were begun under them: a key
/// of a batch alone may stand for as many.
fn within(most: usize, keys: &[OldKey]) -> &[OldKey] {
    let mut begun = 0;
    let enough = keys.iter().position(|key| {
        begun += key.transaction_ids.len().max(1);
        begun >= most
    });
    &keys[..enough.map_or(keys.len(), |place| place + 1)]
}

/// The keys under which everything that was begun is long over.
fn over(
    keys: &[OldKey],
    records: &HashMap<TransactionId, Record>,
    kept_for: Duration,
) -> Vec<OldKey> {
    let is_over = |id: &TransactionId| {
        let record = records.get(id);
        record.is_some_and(|record| may_delete_decision(*record, kept_for))
    };
    let over = keys
        .iter()
        .filter(|key| key.transaction_ids.iter().all(is_over));
    over.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use two_phase::retention::{DAY, FORGOTTEN_AFTER};
    use uuid::Uuid;

    fn key(transactions: usize) -> OldKey {
        OldKey {
            scope: Uuid::now_v7(),
            key: "key".to_owned(),
            created_at: Utc::now(),
            transaction_ids: (0..transactions)
                .map(|_| TransactionId::generate())
                .collect(),
        }
    }

    #[test]
    fn a_batch_ends_with_the_key_that_fills_it() {
        let keys = [key(1), key(0), key(5), key(2)];
        assert_eq!(within(2, &keys).len(), 2);
        assert_eq!(within(3, &keys).len(), 3);
        assert_eq!(within(7, &keys).len(), 3);
        assert_eq!(within(100, &keys).len(), 4);
        assert_eq!(within(1, &[key(50)]).len(), 1);
    }

    #[test]
    fn a_key_stays_until_everything_that_was_begun_under_it_is_long_over() {
        let all = [key(2), key(1), key(0)];
        let (batch, lone) = (&all[0].transaction_ids, &all[1].transaction_ids);
        let week = FORGOTTEN_AFTER;
        let remain = |first, second, third| {
            let records = [(batch[0], first), (batch[1], second), (lone[0], third)];
            let over = over(&all, &records.into_iter().collect(), week);
            all.iter()
                .map(|key| !over.contains(key))
                .collect::<Vec<_>>()
        };
        let done = Record::Done(week);
        assert_eq!(remain(done, done, done), [false, false, false]);
        assert_eq!(remain(done, Record::Open, done), [true, false, false]);
        let fresh = Record::Done(week - DAY);
        assert_eq!(remain(done, fresh, Record::Absent), [true, false, false]);
        assert_eq!(remain(done, done, fresh), [false, true, false]);
    }

    #[test]
    fn what_is_not_known_of_a_transaction_keeps_its_key() {
        assert!(over(&[key(1)], &HashMap::new(), FORGOTTEN_AFTER).is_empty());
    }
}

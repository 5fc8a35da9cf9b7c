//! What is old enough to be deleted, and the deletion. The ledger is not touched, and neither is what
//! operators have done or still have to look at: whatever has a hazard on record stays with it, and
//! so does a branch that was forced.

use chrono::TimeDelta;
use sqlx::PgConnection;
use sqlx::postgres::types::PgInterval;
use std::time::Duration;
use types::TransactionId;
use uuid::Uuid;

use super::{StoreError, rows};

/// What is old. Two clocks have to agree about it, so that one that was set wrong deletes nothing.
#[derive(Debug, Clone)]
pub struct Old {
    /// Transactions with smaller ids were begun that long ago, by this process's clock.
    before: Uuid,
    /// And were finished that long ago, by the database's.
    for_longer_than: PgInterval,
}

impl Old {
    /// Begun before `before`, and finished for longer than `kept_for`.
    ///
    /// # Errors
    /// [`StoreError`], when no interval is as long.
    pub fn new(before: Uuid, kept_for: Duration) -> Result<Self, StoreError> {
        let kept_for = TimeDelta::from_std(kept_for).unwrap_or(TimeDelta::MAX);
        let kept_for = PgInterval::try_from(kept_for);
        Ok(Self {
            before,
            for_longer_than: kept_for.map_err(|error| rows::damaged("interval", error))?,
        })
    }
}

fn ids(ids: Vec<Uuid>) -> Vec<TransactionId> {
    ids.into_iter().map(TransactionId::from_uuid).collect()
}

fn uuids(ids: &[TransactionId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// Transactions whose branches are old and over, in id order, at most `limit`, going on after `last`.
///
/// # Errors
/// [`StoreError`].
pub async fn old_branches(
    connection: &mut PgConnection,
    old: &Old,
    last: Uuid,
    limit: i64,
) -> Result<Vec<TransactionId>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT b.transaction_id FROM branches b
         WHERE b.transaction_id > $1 AND b.transaction_id < $2
           AND b.state IN ('COMMITTED', 'ABORTED', 'REFUSED')
           AND b.finished_at < clock_timestamp() - $3::interval
           AND NOT EXISTS (SELECT FROM hazards h WHERE h.transaction_id = b.transaction_id)
         ORDER BY b.transaction_id LIMIT $4",
        last,
        old.before,
        &old.for_longer_than,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(ids(found))
}

/// Deletes these branches, if they still are as [`old_branches`] found them; says how many, durable
/// with the caller's database transaction. One that somebody is looking at stays for the next time.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_branches(
    connection: &mut PgConnection,
    old: &Old,
    ids: &[TransactionId],
) -> Result<u64, StoreError> {
    let deleted = sqlx::query_scalar!(
        "DELETE FROM branches WHERE transaction_id = ANY(ARRAY(
             SELECT b.transaction_id FROM branches b
             WHERE b.transaction_id = ANY($1)
               AND b.state IN ('COMMITTED', 'ABORTED', 'REFUSED')
               AND b.finished_at < clock_timestamp() - $2::interval
               AND NOT EXISTS (SELECT FROM hazards h WHERE h.transaction_id = b.transaction_id)
             ORDER BY b.transaction_id FOR UPDATE OF b SKIP LOCKED))
         RETURNING transaction_id",
        &uuids(ids),
        &old.for_longer_than,
    )
    .fetch_all(&mut *connection)
    .await?;
    deleted_through(connection, deleted).await
}

/// Transactions of which a saga's steps were asked for here, long ago, and whose part, if there is
/// one, is over; in id order, at most `limit`, going on after `last`.
///
/// # Errors
/// [`StoreError`].
pub async fn old_sagas(
    connection: &mut PgConnection,
    old: &Old,
    last: Uuid,
    limit: i64,
) -> Result<Vec<TransactionId>, StoreError> {
    let found = sqlx::query_scalar!(
        "SELECT o.transaction_id FROM saga_operations o
         WHERE o.transaction_id > $1 AND o.transaction_id < $2
           AND NOT EXISTS (SELECT FROM hazards h WHERE h.transaction_id = o.transaction_id)
           AND NOT EXISTS (
               SELECT FROM saga_parts p WHERE p.transaction_id = o.transaction_id
                  AND (p.state NOT IN ('RELEASED', 'UNDONE')
                       OR p.changed_at >= clock_timestamp() - $3::interval))
         GROUP BY o.transaction_id
         HAVING max(o.recorded_at) < clock_timestamp() - $3::interval
         ORDER BY o.transaction_id LIMIT $4",
        last,
        old.before,
        &old.for_longer_than,
        limit,
    )
    .fetch_all(connection)
    .await?;
    Ok(ids(found))
}

/// Deletes the parts of these sagas, if they still are as [`old_sagas`] found them; says how many,
/// durable with the caller's database transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_parts(
    connection: &mut PgConnection,
    old: &Old,
    ids: &[TransactionId],
) -> Result<u64, StoreError> {
    let deleted = sqlx::query_scalar!(
        "DELETE FROM saga_parts WHERE transaction_id = ANY(ARRAY(
             SELECT p.transaction_id FROM saga_parts p
             WHERE p.transaction_id = ANY($1)
               AND p.state IN ('RELEASED', 'UNDONE')
               AND p.changed_at < clock_timestamp() - $2::interval
               AND NOT EXISTS (SELECT FROM hazards h WHERE h.transaction_id = p.transaction_id)
             ORDER BY p.transaction_id FOR UPDATE OF p SKIP LOCKED))
         RETURNING transaction_id",
        &uuids(ids),
        &old.for_longer_than,
    )
    .fetch_all(&mut *connection)
    .await?;
    deleted_through(connection, deleted).await
}

/// Deletes what was recorded of the steps of these sagas, where their part is gone or never was; says
/// how many rows, durable with the caller's database transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_operations(
    connection: &mut PgConnection,
    old: &Old,
    ids: &[TransactionId],
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "DELETE FROM saga_operations o
         WHERE o.transaction_id = ANY($1)
           AND o.recorded_at < clock_timestamp() - $2::interval
           AND NOT EXISTS (SELECT FROM saga_parts p WHERE p.transaction_id = o.transaction_id)
           AND NOT EXISTS (SELECT FROM hazards h WHERE h.transaction_id = o.transaction_id)",
        &uuids(ids),
        &old.for_longer_than,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes the oldest requests with their keys, at most `limit`; says how many, durable with the
/// caller's database transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_requests(
    connection: &mut PgConnection,
    old: &Old,
    limit: i64,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "DELETE FROM idempotency_keys WHERE (scope, key) IN (
             SELECT scope, key FROM idempotency_keys
             WHERE created_at < clock_timestamp() - $1::interval AND transaction_id < $2
             ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
        &old.for_longer_than,
        old.before,
        limit,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// Notes up to where something is missing because it was deleted; gives the number of these.
async fn deleted_through(
    connection: &mut PgConnection,
    deleted: Vec<Uuid>,
) -> Result<u64, StoreError> {
    let rows = u64::try_from(deleted.len()).unwrap_or(u64::MAX);
    if let Some(last) = deleted.into_iter().max() {
        sqlx::query!(
            "UPDATE retention SET deleted_through = $1 WHERE deleted_through < $1",
            last
        )
        .execute(connection)
        .await?;
    }
    Ok(rows)
}

//! What is old enough to be deleted, and the deletion.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgExecutor};
use two_phase::retention::Record;
use types::TransactionId;
use uuid::Uuid;

/// What is on record of these transactions, one item each. Whatever operators have to look at, or
/// have looked at, stays open for ever: the audit trail speaks of it.
pub(crate) async fn records(
    executor: impl PgExecutor<'_>,
    ids: &[TransactionId],
) -> Result<Vec<(TransactionId, Record)>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT asked.id AS "id!", transactions.transaction_id IS NOT NULL AS "is_there!",
                  (EXTRACT(EPOCH FROM now() - transactions.settled_at) * 1000)::int8
                      AS "done_for_ms?",
                  (EXISTS (SELECT FROM hazards WHERE hazards.transaction_id = asked.id)
                   OR EXISTS (SELECT FROM resolutions
                              WHERE resolutions.transaction_id = asked.id)
                   OR EXISTS (SELECT FROM sagas WHERE sagas.saga_id = asked.id
                              AND sagas.status NOT IN ('COMMITTED', 'COMPENSATED')))
                      AS "is_open!"
           FROM UNNEST($1::uuid[]) AS asked (id)
           LEFT JOIN transactions ON transactions.transaction_id = asked.id"#,
        &ids,
    )
    .fetch_all(executor)
    .await?;
    let records = rows.into_iter().map(|row| {
        let record = match (row.is_there, row.done_for_ms) {
            _ if row.is_open => Record::Open,
            (false, _) => Record::Absent,
            (true, None) => Record::Open,
            // One that was done in the future has been done for no time at all.
            (true, Some(ms)) => Record::Done(Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
        };
        (TransactionId::from_uuid(row.id), record)
    });
    Ok(records.collect())
}

/// A key, and what was begun under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OldKey {
    pub(crate) scope: Uuid,
    pub(crate) key: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) transaction_ids: Vec<TransactionId>,
}

/// Behind which key to go on: those of one instant have an order, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    created_at: DateTime<Utc>,
    scope: Uuid,
    key: String,
}

impl Place {
    /// Before all keys.
    pub(crate) const FIRST: Self = Self {
        created_at: DateTime::UNIX_EPOCH,
        scope: Uuid::nil(),
        key: String::new(),
    };
}

impl From<&OldKey> for Place {
    fn from(key: &OldKey) -> Self {
        Self {
            created_at: key.created_at,
            scope: key.scope,
            key: key.key.clone(),
        }
    }
}

/// The oldest keys of logins that were used longer than `kept_for` ago, by two clocks: the database's,
/// and ours, by which that was at `before`. At most `limit`, behind `place`; locked until the end of
/// the database transaction. What another process has locked is left out.
pub(crate) async fn old_keys(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
    kept_for: Duration,
    place: &Place,
    limit: i64,
) -> Result<Vec<OldKey>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT scope, key, created_at, transaction_ids FROM idempotency_keys
         WHERE substr(scope::text, 15, 1) <> '5'
           AND created_at < least($1, now() - $2::interval)
           AND (created_at, scope, key) > ($3, $4::uuid, $5::text)
         ORDER BY created_at, scope, key
         LIMIT $6
         FOR UPDATE SKIP LOCKED",
        before,
        interval(kept_for),
        place.created_at,
        place.scope,
        place.key,
        limit,
    )
    .fetch_all(connection)
    .await?;
    let keys = rows.into_iter().map(|row| OldKey {
        scope: row.scope,
        key: row.key,
        created_at: row.created_at,
        transaction_ids: row.transaction_ids.into_iter().map(Into::into).collect(),
    });
    Ok(keys.collect())
}

fn interval(length: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX),
    }
}

/// Rows that are gone, once the caller has committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) keys: u64,
    pub(crate) transactions: u64,
    pub(crate) legs: u64,
    pub(crate) sagas: u64,
    pub(crate) saga_log: u64,
}

/// Deletes keys with all that was begun under them.
pub(crate) async fn delete(
    connection: &mut PgConnection,
    keys: &[OldKey],
) -> Result<Gone, sqlx::Error> {
    let scopes: Vec<Uuid> = keys.iter().map(|key| key.scope).collect();
    let names: Vec<String> = keys.iter().map(|key| key.key.clone()).collect();
    let ids = keys.iter().flat_map(|key| &key.transaction_ids);
    let ids: Vec<Uuid> = ids.map(|id| id.uuid()).collect();
    let keys = sqlx::query!(
        "DELETE FROM idempotency_keys USING UNNEST($1::uuid[], $2::text[]) AS old (scope, key)
         WHERE idempotency_keys.scope = old.scope AND idempotency_keys.key = old.key",
        &scopes,
        &names,
    )
    .execute(&mut *connection)
    .await?;
    let legs = sqlx::query!(
        "DELETE FROM transfer_legs WHERE transaction_id = ANY($1)",
        &ids
    )
    .execute(&mut *connection)
    .await?;
    let saga_log = sqlx::query!("DELETE FROM saga_log WHERE saga_id = ANY($1)", &ids)
        .execute(&mut *connection)
        .await?;
    let sagas = sqlx::query!("DELETE FROM sagas WHERE saga_id = ANY($1)", &ids)
        .execute(&mut *connection)
        .await?;
    let transactions = sqlx::query!(
        "DELETE FROM transactions WHERE transaction_id = ANY($1)",
        &ids
    )
    .execute(connection)
    .await?;
    Ok(Gone {
        keys: keys.rows_affected(),
        transactions: transactions.rows_affected(),
        legs: legs.rows_affected(),
        sagas: sagas.rows_affected(),
        saga_log: saga_log.rows_affected(),
    })
}

//! Who drives what: leases of coordinator processes, and taking over from those that are gone.
//!
//! A lease only makes things finish. That two processes believe they own a transaction costs
//! work, not money: the epoch in the compare-and-set tells them apart.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use types::views::{Status, TimelineEvent};
use types::{ParticipantId, TransactionId};
use uuid::Uuid;

use crate::record::{Moment, line_of};
use crate::store::StatusRow;

/// A transaction that now is ours.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) transaction_id: TransactionId,
    pub(crate) epoch: i32,
    pub(crate) status: Status,
    pub(crate) participants: Vec<ParticipantId>,
}

fn interval(length: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX),
    }
}

/// Registers a process that starts, and ends the lease of its former self: a process of the same
/// name that starts again knows that the one before is gone.
pub(crate) async fn register(
    pool: &PgPool,
    coordinator: Uuid,
    name: &str,
    length: Duration,
) -> Result<(), sqlx::Error> {
    let mut database_transaction = pool.begin().await?;
    sqlx::query!(
        "UPDATE coordinators SET lease_until = now() - interval '1 hour' WHERE name = $1",
        name
    )
    .execute(&mut *database_transaction)
    .await?;
    sqlx::query!(
        "INSERT INTO coordinators (coordinator_id, name, lease_until)
         VALUES ($1, $2, now() + $3)",
        coordinator,
        name,
        interval(length),
    )
    .execute(&mut *database_transaction)
    .await?;
    database_transaction.commit().await
}

/// Renews our lease, by the database's clock; tells what this database is now (`numbers.rs`).
pub(crate) async fn renew(
    pool: &PgPool,
    coordinator: Uuid,
    name: &str,
    length: Duration,
) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"INSERT INTO coordinators (coordinator_id, name, lease_until)
           VALUES ($1, $2, now() + $3)
           ON CONFLICT (coordinator_id) DO UPDATE SET lease_until = excluded.lease_until
           RETURNING incarnation() AS "incarnation!""#,
        coordinator,
        name,
        interval(length),
    )
    .fetch_one(pool)
    .await
}

/// Lets go of everything at once, when a process stops in good order.
pub(crate) async fn release(pool: &PgPool, coordinator: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE coordinators SET lease_until = now() - interval '1 hour'
         WHERE coordinator_id = $1",
        coordinator,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Our own open transactions that are not among `driven`, at most `limit`.
pub(crate) async fn own_undriven(
    pool: &PgPool,
    coordinator: Uuid,
    driven: &[Uuid],
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT transaction_id FROM transactions
         WHERE settled_at IS NULL AND protocol = '2pc' AND phase <> 'hazard' AND owner = $1
           AND transaction_id NOT IN (SELECT UNNEST($2::uuid[]))
         ORDER BY transaction_id
         LIMIT $3",
        coordinator,
        driven,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Takes over what nobody drives: transactions whose owner's lease is over, and these of our own.
///
/// Durable when it returns: owner and epoch of everything returned. A lease further ahead than one
/// length was given before the clock was set back, and counts as over
/// ([`two_phase::recovery::lease_is_over`] says the same).
pub(crate) async fn claim(
    pool: &PgPool,
    coordinator: Uuid,
    length: Duration,
    own: &[Uuid],
    limit: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let recovered = line_of(&[Moment::now(TimelineEvent::Recovered, None)]);
    let rows = sqlx::query!(
        r#"WITH alive AS (
               SELECT coordinator_id FROM coordinators
               WHERE lease_until > now() AND lease_until <= now() + $2
                 AND coordinator_id <> $1
           ), left_behind AS (
               SELECT transaction_id FROM transactions
               WHERE settled_at IS NULL AND protocol = '2pc' AND phase <> 'hazard'
                 AND owner NOT IN (SELECT coordinator_id FROM alive)
                 AND (owner <> $1 OR transaction_id = ANY($3))
               ORDER BY transaction_id
               LIMIT $4
               FOR UPDATE SKIP LOCKED
           )
           UPDATE transactions
           SET owner = $1, epoch = epoch + 1, timeline = timeline || $5
           FROM left_behind
           WHERE transactions.transaction_id = left_behind.transaction_id
           RETURNING transactions.transaction_id, transactions.epoch,
                     transactions.status AS "status: StatusRow", transactions.participants"#,
        coordinator,
        interval(length),
        own,
        limit,
        recovered,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Claimed {
                transaction_id: row.transaction_id.into(),
                epoch: row.epoch,
                status: row.status.into(),
                participants: participants(row.participants)?,
            })
        })
        .collect()
}

/// A transaction that somebody asks about.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) transaction_id: TransactionId,
    pub(crate) status: Status,
    pub(crate) lease_over: bool,
    pub(crate) epoch: i32,
    pub(crate) participants: Vec<ParticipantId>,
}

/// What an inquiry needs to know: the status, and whether the owner's lease is over.
pub(crate) async fn standing(
    pool: &PgPool,
    ids: &[Uuid],
    length: Duration,
) -> Result<Vec<Standing>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT transactions.transaction_id AS "transaction_id!",
                  transactions.status AS "status!: StatusRow",
                  transactions.epoch AS "epoch!", transactions.participants AS "participants!",
                  COALESCE((EXTRACT(EPOCH FROM coordinators.lease_until - now()) * 1000)::int8, 0)
                      AS "remaining_ms!"
           FROM transactions
           LEFT JOIN coordinators ON coordinators.coordinator_id = transactions.owner
           WHERE transactions.transaction_id = ANY($1)"#,
        ids,
    )
    .fetch_all(pool)
    .await?;
    let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    rows.into_iter()
        .map(|row| {
            Ok(Standing {
                transaction_id: row.transaction_id.into(),
                status: row.status.into(),
                lease_over: two_phase::recovery::lease_is_over(row.remaining_ms, length_ms),
                epoch: row.epoch,
                participants: participants(row.participants)?,
            })
        })
        .collect()
}

pub(super) fn participants(names: Vec<String>) -> Result<Vec<ParticipantId>, sqlx::Error> {
    names
        .into_iter()
        .map(|name| ParticipantId::try_from(name).map_err(super::damaged))
        .collect()
}

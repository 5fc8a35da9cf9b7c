//! Who drives a transaction, for operators.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use types::TransactionId;
use uuid::Uuid;

/// The process that owns a transaction, and how long it may be silent.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) epoch: i32,
    pub(crate) coordinator_id: Uuid,
    /// `None` for one that never registered.
    pub(crate) name: Option<String>,
    pub(crate) lease_until: Option<DateTime<Utc>>,
    /// By the database's clock; 0 without a lease.
    pub(crate) remaining_ms: i64,
}

/// The owners of these transactions; those that are not there are left out.
pub(crate) async fn of(
    pool: &PgPool,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Owner>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT transactions.transaction_id AS "transaction_id!",
                  transactions.epoch AS "epoch!", transactions.owner AS "owner!",
                  coordinators.name AS "name?", coordinators.lease_until AS "lease_until?",
                  COALESCE((EXTRACT(EPOCH FROM coordinators.lease_until - now()) * 1000)::int8, 0)
                      AS "remaining_ms!"
           FROM transactions
           LEFT JOIN coordinators ON coordinators.coordinator_id = transactions.owner
           WHERE transactions.transaction_id = ANY($1)"#,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    let owners = rows.into_iter().map(|row| {
        let owner = Owner {
            epoch: row.epoch,
            coordinator_id: row.owner,
            name: row.name,
            lease_until: row.lease_until,
            remaining_ms: row.remaining_ms,
        };
        (row.transaction_id.into(), owner)
    });
    Ok(owners.collect())
}

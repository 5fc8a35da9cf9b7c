//! Contradictions that were seen. They stay until an operator acknowledges them.

use sqlx::PgPool;
use types::{ParticipantId, TransactionId};

/// One contradiction.
#[derive(Debug, Clone)]
pub(crate) struct HazardRow {
    pub(crate) transaction_id: TransactionId,
    pub(crate) participant: String,
    pub(crate) hazard: String,
    pub(crate) seen_at: chrono::DateTime<chrono::Utc>,
}

/// Records a contradiction. Durable when it returns; true when it is new.
pub(crate) async fn record(
    pool: &PgPool,
    transaction: TransactionId,
    participant: &ParticipantId,
    hazard: &str,
    detail: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "INSERT INTO hazards (transaction_id, participant, hazard, detail)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        transaction.uuid(),
        participant.as_str(),
        hazard,
        detail,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Everything that waits for an operator.
pub(crate) async fn open(pool: &PgPool) -> Result<Vec<HazardRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT transaction_id, participant, hazard, seen_at FROM hazards
         WHERE acknowledged_at IS NULL ORDER BY seen_at LIMIT 1000"
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| HazardRow {
            transaction_id: row.transaction_id.into(),
            participant: row.participant,
            hazard: row.hazard,
            seen_at: row.seen_at,
        })
        .collect())
}

/// How many wait.
pub(crate) async fn count_open(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM hazards WHERE acknowledged_at IS NULL"#)
        .fetch_one(pool)
        .await
}

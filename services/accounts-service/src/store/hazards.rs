//! The table `hazards`: contradictions that were seen, until an operator acknowledges them.

use sqlx::PgConnection;
use types::TransactionId;
use uuid::Uuid;

use super::StoreError;

/// A contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHazard {
    /// In which transaction.
    pub transaction_id: TransactionId,
    /// What contradicts what, in one word.
    pub kind: &'static str,
    /// The same in words.
    pub detail: String,
}

/// Records hazards and says which ones were not known yet.
///
/// # Errors
/// [`StoreError`].
pub async fn record(
    connection: &mut PgConnection,
    hazards: &[NewHazard],
) -> Result<Vec<(TransactionId, String)>, StoreError> {
    if hazards.is_empty() {
        return Ok(Vec::new());
    }
    let mut hazards: Vec<&NewHazard> = hazards.iter().collect();
    hazards.sort_by_key(|hazard| (hazard.transaction_id, hazard.kind));
    let ids: Vec<Uuid> = hazards.iter().map(|h| h.transaction_id.uuid()).collect();
    let kinds: Vec<String> = hazards.iter().map(|h| h.kind.to_owned()).collect();
    let details: Vec<String> = hazards.iter().map(|h| h.detail.clone()).collect();
    let new = sqlx::query!(
        "INSERT INTO hazards (transaction_id, kind, detail)
         SELECT n.transaction_id, n.kind, n.detail
         FROM UNNEST($1::uuid[], $2::text[], $3::text[]) AS n(transaction_id, kind, detail)
         ORDER BY n.transaction_id, n.kind
         ON CONFLICT DO NOTHING
         RETURNING transaction_id, kind",
        &ids,
        &kinds,
        &details,
    )
    .fetch_all(connection)
    .await?;
    Ok(new
        .into_iter()
        .map(|row| (TransactionId::from_uuid(row.transaction_id), row.kind))
        .collect())
}

/// Marks the hazards of a transaction as dealt with: operators have decided about it.
///
/// # Errors
/// [`StoreError`].
pub async fn acknowledge(
    connection: &mut PgConnection,
    transaction_id: TransactionId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE hazards SET acknowledged_at = clock_timestamp()
         WHERE transaction_id = $1 AND acknowledged_at IS NULL",
        transaction_id.uuid()
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks one hazard as dealt with. `None`: there is no such one; otherwise whether it was open.
///
/// # Errors
/// [`StoreError`].
pub async fn acknowledge_one(
    connection: &mut PgConnection,
    transaction_id: TransactionId,
    kind: &str,
) -> Result<Option<bool>, StoreError> {
    let acknowledged_before = sqlx::query_scalar!(
        "SELECT acknowledged_at IS NOT NULL FROM hazards
         WHERE transaction_id = $1 AND kind = $2 FOR UPDATE",
        transaction_id.uuid(),
        kind,
    )
    .fetch_optional(&mut *connection)
    .await?
    .flatten();
    let Some(before) = acknowledged_before else {
        return Ok(None);
    };
    sqlx::query!(
        "UPDATE hazards SET acknowledged_at = clock_timestamp()
         WHERE transaction_id = $1 AND kind = $2 AND acknowledged_at IS NULL",
        transaction_id.uuid(),
        kind,
    )
    .execute(connection)
    .await?;
    Ok(Some(!before))
}

/// How many hazards nobody has acknowledged.
///
/// # Errors
/// [`StoreError`].
pub async fn count_open(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM hazards WHERE acknowledged_at IS NULL"#
    )
    .fetch_one(connection)
    .await?;
    Ok(count)
}

//! The table `saga_operations`: the barrier.

use std::collections::BTreeMap;

use saga::Reason;
use saga::barrier::Recorded;
use sqlx::PgConnection;
use types::{OperationId, TransactionId};
use uuid::Uuid;

use super::{StoreError, rows};

/// Inserts the rows of operations as DONE, in id order, and says which ones were new. Look at the
/// others in a *later* statement, as with [`super::branches::insert_prepared`].
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    connection: &mut PgConnection,
    operations: &BTreeMap<OperationId, TransactionId>,
) -> Result<Vec<OperationId>, StoreError> {
    if operations.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = operations.keys().map(|id| id.uuid()).collect();
    let transactions: Vec<Uuid> = operations.values().map(|id| id.uuid()).collect();
    let inserted = sqlx::query_scalar!(
        "INSERT INTO saga_operations (operation_id, transaction_id, outcome)
         SELECT n.operation_id, n.transaction_id, 'DONE'
         FROM UNNEST($1::uuid[], $2::uuid[]) AS n(operation_id, transaction_id)
         ORDER BY n.operation_id
         ON CONFLICT DO NOTHING
         RETURNING operation_id",
        &ids,
        &transactions,
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().map(OperationId::from_uuid).collect())
}

/// What is recorded of these operations. They never change, so that nothing has to be locked. What
/// is not there is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn read(
    connection: &mut PgConnection,
    ids: &[OperationId],
) -> Result<Vec<(OperationId, Recorded)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT operation_id, outcome, reason FROM saga_operations WHERE operation_id = ANY($1)",
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let recorded = match (row.outcome.as_str(), row.reason) {
                ("DONE", None) => Recorded::Done,
                ("CLOSED", None) => Recorded::Closed,
                ("REFUSED", Some(reason)) => Recorded::Refused {
                    reason: Reason::new(reason),
                },
                (other, _) => return Err(rows::damaged("outcome of an operation", other)),
            };
            Ok((OperationId::from_uuid(row.operation_id), recorded))
        })
        .collect()
}

/// Says of rows that this same database transaction inserted what became of them.
///
/// # Errors
/// [`StoreError`].
pub async fn settle(
    connection: &mut PgConnection,
    outcomes: &[(OperationId, &Recorded)],
) -> Result<(), StoreError> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = outcomes.iter().map(|(id, _)| id.uuid()).collect();
    let (words, reasons): (Vec<String>, Vec<Option<String>>) = outcomes
        .iter()
        .map(|(_, recorded)| match recorded {
            Recorded::Done => ("DONE".to_owned(), None),
            Recorded::Closed => ("CLOSED".to_owned(), None),
            Recorded::Refused { reason } => ("REFUSED".to_owned(), Some(reason.to_string())),
        })
        .unzip();
    sqlx::query!(
        "UPDATE saga_operations AS o SET outcome = n.outcome, reason = n.reason
         FROM UNNEST($1::uuid[], $2::text[], $3::text[]) AS n(operation_id, outcome, reason)
         WHERE o.operation_id = n.operation_id",
        &ids,
        &words,
        &reasons as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes back rows that this same database transaction inserted, as if they had never been.
///
/// # Errors
/// [`StoreError`].
pub async fn take_back(
    connection: &mut PgConnection,
    ids: &[OperationId],
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "DELETE FROM saga_operations WHERE operation_id = ANY($1)",
        &ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

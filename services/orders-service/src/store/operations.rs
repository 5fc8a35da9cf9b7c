//! Table `order_operations`: the barrier of what steps do to an order's rows.

use saga::OperationId;
use saga::barrier::{BarrierStore, Recorded};
use sqlx::PgConnection;
use sqlx::types::Json;

/// The barrier, seen through one open database transaction.
pub(crate) struct Barrier<'a>(pub(crate) &'a mut PgConnection);

impl BarrierStore for Barrier<'_> {
    type Error = sqlx::Error;

    async fn enter(&mut self, operation: OperationId) -> Result<Option<Recorded>, sqlx::Error> {
        let inserted = sqlx::query!(
            "INSERT INTO order_operations (operation_id) VALUES ($1) ON CONFLICT DO NOTHING",
            operation.uuid(),
        )
        .execute(&mut *self.0)
        .await?;
        if inserted.rows_affected() == 1 {
            return Ok(None);
        }
        // A later statement: it sees what was committed while the insertion waited.
        let row = sqlx::query!(
            r#"SELECT outcome AS "outcome: Json<Recorded>" FROM order_operations
               WHERE operation_id = $1"#,
            operation.uuid(),
        )
        .fetch_one(&mut *self.0)
        .await?;
        Ok(row.outcome.map(|outcome| outcome.0))
    }

    async fn record(
        &mut self,
        operation: OperationId,
        outcome: Recorded,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "UPDATE order_operations SET outcome = $2 WHERE operation_id = $1",
            operation.uuid(),
            Json(outcome) as _,
        )
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}

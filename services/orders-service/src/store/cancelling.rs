//! Table `orders`: which saga undoes an order on demand.

use sqlx::PgConnection;
use types::OrderId;
use uuid::Uuid;

use crate::error::Error;

/// How an order's sagas stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its own.
    pub(crate) saga: String,
    /// Its state, with what it bought.
    pub(crate) saga_state: String,
    /// The last cancellation, if one was begun.
    pub(crate) cancellation: Option<(Uuid, String)>,
}

/// Locks an order and tells how its sagas stand; `None` where there is no such order.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    order: OrderId,
) -> Result<Option<Standing>, Error> {
    let row = sqlx::query!(
        r#"SELECT s.status, s.state, o.cancel_saga_id, c.status AS "cancellation?"
           FROM orders o
           JOIN sagas s ON s.saga_id = o.order_id
           LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id
           WHERE o.order_id = $1 FOR UPDATE OF o"#,
        order.uuid(),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Standing {
        saga: row.status,
        saga_state: row.state,
        cancellation: row.cancel_saga_id.zip(row.cancellation),
    }))
}

/// Names the saga that undoes the order, in the caller's database transaction.
pub(crate) async fn name(
    connection: &mut PgConnection,
    order: OrderId,
    saga: Uuid,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE orders SET cancel_saga_id = $2, updated_at = now() WHERE order_id = $1",
        order.uuid(),
        saga,
    )
    .execute(connection)
    .await?;
    Ok(())
}

//! Tables `orders` and `order_items`, as the steps change them.

use sqlx::PgConnection;
use types::views::StockState;
use types::{OrderId, TransactionId};

/// Locks an order's row and gives its state; `None` where there is no such order.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    order: OrderId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT state FROM orders WHERE order_id = $1 FOR UPDATE",
        order.uuid(),
    )
    .fetch_optional(connection)
    .await
}

/// Puts an order into a state, and its pieces where `stock` says, in the caller's database
/// transaction.
pub(crate) async fn change(
    connection: &mut PgConnection,
    order: OrderId,
    state: &str,
    stock: Option<StockState>,
    payment: Option<TransactionId>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE orders SET state = $2, updated_at = now(),
             payment_transaction_id = coalesce($3, payment_transaction_id)
         WHERE order_id = $1",
        order.uuid(),
        state,
        payment.map(TransactionId::uuid),
    )
    .execute(&mut *connection)
    .await?;
    if let Some(stock) = stock {
        sqlx::query!(
            "UPDATE order_items SET stock = $2 WHERE order_id = $1",
            order.uuid(),
            stock.as_str(),
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

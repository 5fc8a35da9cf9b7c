//! Table `injected_failures`: crashes that happen once.

use sqlx::PgPool;
use types::OrderId;

/// Whether this is the first time. Durable when it returns: the next time it is not.
pub(crate) async fn first(pool: &PgPool, order: OrderId) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO injected_failures (order_id) VALUES ($1) ON CONFLICT DO NOTHING",
        order.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

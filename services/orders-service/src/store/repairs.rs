//! Table `repairs`: what a read found to disagree, and what it wrote instead.

use sqlx::{PgConnection, PgPool};
use types::views::{Repair, RepairedSide};
use types::{OrderId, ProductId};
use uuid::Uuid;

use crate::error::Error;

/// Writes down a correction, in the caller's database transaction.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    order: Option<OrderId>,
    product: ProductId,
    side: RepairedSide,
    found: &str,
    corrected: &str,
) -> Result<(), sqlx::Error> {
    let side = match side {
        RepairedSide::Order => "order",
        RepairedSide::Stock => "stock",
    };
    sqlx::query!(
        "INSERT INTO repairs (repair_id, order_id, product_id, side, found, corrected)
         VALUES ($1, $2, $3, $4, $5, $6)",
        Uuid::now_v7(),
        order.map(OrderId::uuid),
        product.uuid(),
        side,
        found,
        corrected,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was mended of these orders, oldest first.
pub(crate) async fn of(pool: &PgPool, orders: &[Uuid]) -> Result<Vec<(Uuid, Repair)>, Error> {
    let rows = sqlx::query!(
        r#"SELECT order_id AS "order_id!", at, product_id, side, found, corrected FROM repairs
           WHERE order_id = ANY ($1) ORDER BY at, repair_id"#,
        orders,
    )
    .fetch_all(pool)
    .await?;
    let repairs = rows.into_iter().map(|row| {
        let repair = Repair {
            at: row.at.into(),
            side: match row.side.as_str() {
                "order" => RepairedSide::Order,
                _ => RepairedSide::Stock,
            },
            product_id: ProductId::from_uuid(row.product_id),
            found: row.found,
            corrected: row.corrected,
        };
        (row.order_id, repair)
    });
    Ok(repairs.collect())
}

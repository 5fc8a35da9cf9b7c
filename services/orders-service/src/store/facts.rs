//! What became of orders, and what they say of their pieces; for read-repair.

use sqlx::{PgConnection, PgPool};
use types::views::{Quantity, StockState};
use types::{OrderId, ProductId};

use crate::error::Error;

/// One product of an order of which no saga is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) order_id: OrderId,
    pub(crate) product_id: ProductId,
    pub(crate) quantity: Quantity,
    /// Where the pieces are, as the order says.
    pub(crate) stock: StockState,
    /// It came about and was not cancelled: the pieces are the customer's.
    pub(crate) came_about: bool,
}

/// The facts of those of these orders that are settled.
pub(crate) async fn of(pool: &PgPool, orders: &[OrderId]) -> Result<Vec<Fact>, Error> {
    let ids: Vec<_> = orders.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT i.order_id, i.product_id, i.quantity, i.stock,
                  s.status = 'COMMITTED' AND c.status IS DISTINCT FROM 'COMMITTED'
                      AS "came_about!"
           FROM order_items i
           JOIN orders o USING (order_id)
           JOIN sagas s ON s.saga_id = o.order_id
           LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id
           WHERE i.order_id = ANY ($1) AND s.status IN ('COMMITTED', 'COMPENSATED')
             AND coalesce(c.status IN ('COMMITTED', 'COMPENSATED'), true)"#,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = row.order_id;
            let corrupt =
                |error: &dyn std::fmt::Display| Error::Corrupt(format!("order {id}: {error}"));
            let quantity = u32::try_from(row.quantity).map_err(|error| corrupt(&error))?;
            Ok(Fact {
                order_id: OrderId::from_uuid(id),
                product_id: ProductId::from_uuid(row.product_id),
                quantity: Quantity::try_from(quantity).map_err(|error| corrupt(&error))?,
                stock: row.stock.parse().map_err(|error| corrupt(&error))?,
                came_about: row.came_about,
            })
        })
        .collect()
}

/// Writes where an order's pieces are, if the order still says what the fact says and no saga has
/// begun meanwhile: a cancellation begins under the row's lock. Whether it did.
pub(crate) async fn correct(
    connection: &mut PgConnection,
    fact: &Fact,
    right: StockState,
) -> Result<bool, Error> {
    let locked = sqlx::query_scalar!(
        r#"SELECT coalesce(c.status IN ('COMMITTED', 'COMPENSATED'), true) AS "is_settled!"
           FROM orders o LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id
           WHERE o.order_id = $1 FOR UPDATE OF o"#,
        fact.order_id.uuid(),
    )
    .fetch_optional(&mut *connection)
    .await?;
    if locked != Some(true) {
        return Ok(false);
    }
    let corrected = sqlx::query!(
        "UPDATE order_items SET stock = $4
         WHERE order_id = $1 AND product_id = $2 AND stock = $3",
        fact.order_id.uuid(),
        fact.product_id.uuid(),
        fact.stock.as_str(),
        right.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(corrected.rows_affected() == 1)
}

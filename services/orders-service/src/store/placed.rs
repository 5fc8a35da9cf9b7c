//! Tables `orders` and `order_items`, as they are first written.

use sqlx::PgConnection;
use types::{Amount, LoginId};

use crate::ordering::state::Ordered;

/// A product of an order, with what it was called and cost when it was ordered.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) price: Amount,
}

/// Writes an order and its items, `items` in the order of its pieces, in the caller's database
/// transaction.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    order: &Ordered,
    placed_by: LoginId,
    items: &[Item],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO orders (order_id, customer_id, placed_by, account_id, currency, total)
         VALUES ($1, $2, $3, $4, $5, $6)",
        order.order_id.uuid(),
        order.customer_id.map(|id| id.uuid()),
        placed_by.uuid(),
        order.account_id.uuid(),
        order.currency.to_string(),
        order.total.decimal(),
    )
    .execute(&mut *connection)
    .await?;
    let (mut products, mut quantities) = (Vec::new(), Vec::new());
    for (product, quantity) in &order.pieces {
        products.push(product.uuid());
        quantities.push(i32::try_from(quantity.get()).unwrap_or(i32::MAX));
    }
    let names: Vec<_> = items.iter().map(|item| item.name.clone()).collect();
    let prices: Vec<_> = items.iter().map(|item| item.price.decimal()).collect();
    sqlx::query!(
        "INSERT INTO order_items (order_id, position, product_id, name, price, quantity)
         SELECT $1, item.position, item.product_id, item.name, item.price, item.quantity
         FROM UNNEST($2::uuid[], $3::text[], $4::numeric[], $5::int4[]) WITH ORDINALITY
              AS item (product_id, name, price, quantity, position)",
        order.order_id.uuid(),
        &products,
        &names,
        &prices,
        &quantities,
    )
    .execute(connection)
    .await?;
    Ok(())
}

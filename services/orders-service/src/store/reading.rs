//! Orders for people to read: their own rows, and how their sagas stand.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgPool;
use types::views::{Coordination, Order, OrderItem, OrderStatus, Quantity, Repair};
use types::{AccountId, CustomerId, OrderId, ProductId, TransactionId};
use uuid::Uuid;

use crate::error::Error;
use crate::store::repairs;

/// Which orders are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Filter {
    pub(crate) order: Option<OrderId>,
    /// Only this customer's.
    pub(crate) customer: Option<CustomerId>,
    pub(crate) status: Option<OrderStatus>,
    /// Only those that were placed before this one.
    pub(crate) before: Option<OrderId>,
}

/// An order, and what only this service needs to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) order: Order,
    /// Neither its saga nor its cancellation is under way.
    pub(crate) is_settled: bool,
}

struct Row {
    order_id: Uuid,
    customer_id: Option<Uuid>,
    account_id: Uuid,
    currency: String,
    total: Decimal,
    payment_transaction_id: Option<Uuid>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    status: String,
    reason: Option<String>,
    is_settled: bool,
}

impl Row {
    fn order(self, items: Vec<OrderItem>, repairs: Vec<Repair>) -> Result<Found, Error> {
        let id = self.order_id;
        let corrupt =
            |error: &dyn std::fmt::Display| Error::Corrupt(format!("order {id}: {error}"));
        let mut all = OrderStatus::ALL.into_iter();
        let status = all.find(|status| status.as_str() == self.status);
        let status = status.ok_or_else(|| corrupt(&self.status))?;
        let order = Order {
            order_id: OrderId::from_uuid(id),
            status,
            reason: self.reason,
            coordination: Coordination::Orchestration,
            customer_id: self.customer_id.map(CustomerId::from_uuid),
            account_id: AccountId::from_uuid(self.account_id),
            total: self.total.try_into().map_err(|error| corrupt(&error))?,
            currency: self.currency.parse().map_err(|error| corrupt(&error))?,
            items,
            payment_transaction_id: self.payment_transaction_id.map(TransactionId::from_uuid),
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
            repairs,
        };
        Ok(Found {
            order,
            is_settled: self.is_settled,
        })
    }
}

/// Up to `limit` orders, the latest first.
pub(crate) async fn find(pool: &PgPool, filter: Filter, limit: i64) -> Result<Vec<Found>, Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"WITH shown AS (
               SELECT o.*, s.status IN ('COMMITTED', 'COMPENSATED')
                          AND coalesce(c.status IN ('COMMITTED', 'COMPENSATED'), true)
                          AS is_settled,
                      CASE WHEN s.status = 'COMMITTED' AND c.status = 'COMMITTED'
                               THEN 'CANCELLED'
                           WHEN s.status = 'COMMITTED' AND c.status = 'STUCK' THEN 'STUCK'
                           ELSE s.status END AS status
               FROM orders o
               JOIN sagas s ON s.saga_id = o.order_id
               LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id)
           SELECT order_id, customer_id, account_id, currency, total, payment_transaction_id,
                  created_at, updated_at, status AS "status!", is_settled AS "is_settled!",
                  (SELECT l.reason FROM saga_log l
                   WHERE l.saga_id = order_id AND l.event IN ('TURNED_BACK', 'STUCK')
                   ORDER BY l.sequence LIMIT 1) AS reason
           FROM shown
           WHERE ($1::uuid IS NULL OR order_id = $1)
             AND ($2::uuid IS NULL OR customer_id = $2)
             AND ($3::text IS NULL OR status = $3)
             AND ($4::uuid IS NULL OR order_id < $4)
           ORDER BY order_id DESC LIMIT $5"#,
        filter.order.map(OrderId::uuid),
        filter.customer.map(CustomerId::uuid),
        filter.status.map(OrderStatus::as_str),
        filter.before.map(OrderId::uuid),
        limit,
    )
    .fetch_all(pool)
    .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.order_id).collect();
    let mut items = items(pool, &ids).await?;
    let mut repairs = repairs::of(pool, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let id = row.order_id;
            let own = items.extract_if(.., |(order, _)| *order == id);
            let own = own.map(|(_, item)| item).collect();
            let mended = repairs.extract_if(.., |(order, _)| *order == id);
            let mended = mended.map(|(_, repair)| repair).collect();
            row.order(own, mended)
        })
        .collect()
}

async fn items(pool: &PgPool, orders: &[Uuid]) -> Result<Vec<(Uuid, OrderItem)>, Error> {
    let rows = sqlx::query!(
        "SELECT order_id, product_id, name, price, quantity, stock FROM order_items
         WHERE order_id = ANY ($1) ORDER BY order_id, position",
        orders,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let id = row.order_id;
            let corrupt =
                |error: &dyn std::fmt::Display| Error::Corrupt(format!("order {id}: {error}"));
            let quantity = u32::try_from(row.quantity).map_err(|error| corrupt(&error))?;
            let item = OrderItem {
                product_id: ProductId::from_uuid(row.product_id),
                name: row.name,
                quantity: Quantity::try_from(quantity).map_err(|error| corrupt(&error))?,
                price: row.price.try_into().map_err(|error| corrupt(&error))?,
                stock: row.stock.parse().map_err(|error| corrupt(&error))?,
            };
            Ok((id, item))
        })
        .collect()
}

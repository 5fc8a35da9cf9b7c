//! Table `products`.

use rust_decimal::Decimal;
use sqlx::PgPool;
use types::views::CreateProduct;
use types::{Amount, Currency, ProductId, Text};
use uuid::Uuid;

use crate::error::Error;

/// A product without its stock.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) product_id: ProductId,
    pub(crate) name: Text<200>,
    pub(crate) price: Amount,
    pub(crate) currency: Currency,
}

struct Row {
    product_id: Uuid,
    name: String,
    price: Decimal,
    currency: String,
}

impl TryFrom<Row> for Listed {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let id = row.product_id;
        let corrupt =
            |error: &dyn std::fmt::Display| Error::Corrupt(format!("product {id}: {error}"));
        Ok(Self {
            product_id: ProductId::from_uuid(id),
            name: row.name.parse().map_err(|error| corrupt(&error))?,
            price: row.price.try_into().map_err(|error| corrupt(&error))?,
            currency: row.currency.parse().map_err(|error| corrupt(&error))?,
        })
    }
}

/// Inserts a product unless there is one of this id. Durable when it returns.
pub(crate) async fn insert(
    pool: &PgPool,
    id: ProductId,
    product: &CreateProduct,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO products (product_id, name, price, currency) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
        id.uuid(),
        product.name.as_str(),
        product.price.decimal(),
        product.currency.to_string(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Up to `limit` products after `after`, in the order of their ids.
pub(crate) async fn list(
    pool: &PgPool,
    after: Option<ProductId>,
    limit: i64,
) -> Result<Vec<Listed>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT product_id, name, price, currency FROM products
         WHERE ($1::uuid IS NULL OR product_id > $1) ORDER BY product_id LIMIT $2",
        after.map(ProductId::uuid),
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Listed::try_from).collect()
}

/// Those of these products that exist.
pub(crate) async fn find(pool: &PgPool, ids: &[ProductId]) -> Result<Vec<Listed>, Error> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        "SELECT product_id, name, price, currency FROM products WHERE product_id = ANY ($1)",
        &ids,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(Listed::try_from).collect()
}

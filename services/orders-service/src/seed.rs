//! What the cash desk of a development bank sells.

use documents::Documents;
use sqlx::PgPool;
use types::ProductId;
use types::views::CreateProduct;
use uuid::{Uuid, uuid};

use crate::error::Error;
use crate::stock::Stock;
use crate::store::products;

/// Id, name, price in US dollars, pieces.
const PRODUCTS: [(Uuid, &str, &str, i64); 5] = [
    (
        uuid!("770e8400-e29b-41d4-a716-446655440001"),
        "Silver coin, one ounce",
        "32.50",
        200,
    ),
    (
        uuid!("770e8400-e29b-41d4-a716-446655440002"),
        "Gold bar, one gram",
        "95.00",
        50,
    ),
    (
        uuid!("770e8400-e29b-41d4-a716-446655440003"),
        "Foreign notes, 100 EUR",
        "109.25",
        40,
    ),
    (
        uuid!("770e8400-e29b-41d4-a716-446655440004"),
        "Foreign notes, 100 CHF",
        "112.80",
        40,
    ),
    (
        uuid!("770e8400-e29b-41d4-a716-446655440005"),
        "Anniversary coin",
        "25.00",
        10,
    ),
];

/// Inserts what is not there yet; what is there stays as it is. Durable when it returns.
///
/// # Errors
/// When the database or the documents cannot be written.
pub async fn insert(pool: &PgPool, documents: &Documents) -> Result<(), Error> {
    let stock = Stock::new(documents.clone());
    let wrong = |what: &dyn std::fmt::Display| Error::Corrupt(format!("seed data: {what}"));
    for (id, name, price, pieces) in PRODUCTS {
        let id = ProductId::from_uuid(id);
        let product = CreateProduct {
            name: name.parse().map_err(|error| wrong(&error))?,
            price: price.parse().map_err(|error| wrong(&error))?,
            currency: "USD".parse().map_err(|error| wrong(&error))?,
        };
        products::insert(pool, id, &product).await?;
        stock.open(id, pieces).await?;
    }
    Ok(())
}

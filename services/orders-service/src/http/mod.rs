//! One file per endpoint: its parameters, its documentation and its handler.

pub(crate) mod cancel_order;
pub(crate) mod change_stock;
pub(crate) mod create_order;
pub(crate) mod create_product;
pub(crate) mod list_products;
pub(crate) mod orders;
pub(crate) mod sagas;

use types::views::Product;

use crate::stock::StockDocument;
use crate::store::products::Listed;

/// A product with its stock; one that has no document yet has none.
fn with_stock(product: Listed, stock: Option<&StockDocument>) -> Product {
    Product {
        product_id: product.product_id,
        name: product.name,
        price: product.price,
        currency: product.currency,
        available: stock.map_or(0, |stock| stock.available),
        reserved: stock.map_or(0, |stock| stock.reserved),
    }
}

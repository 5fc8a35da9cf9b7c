//! What stands in the document of a product.

use std::collections::BTreeMap;

use saga::barrier::Recorded;
use serde::{Deserialize, Serialize};
use types::views::{Quantity, StockState};
use types::{OrderId, ProductId};
use uuid::Uuid;

/// The stock of one product.
///
/// At every moment `received = available + reserved + sold`, none of them below zero; `reserved`
/// and `sold` are the sums over `orders`, `sold` with what was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StockDocument {
    pub(crate) product_id: ProductId,
    /// Pieces that ever came, without those that went otherwise than by an order.
    pub(crate) received: i64,
    /// Pieces that can be ordered.
    pub(crate) available: i64,
    /// Pieces of orders that are not finished.
    pub(crate) reserved: i64,
    /// Pieces of orders that are.
    pub(crate) sold: i64,
    /// Pieces sold to orders that are no longer listed below.
    pub(crate) forgotten: i64,
    /// What each order has of it.
    pub(crate) orders: BTreeMap<OrderId, Pieces>,
    /// The barrier: what became of each operation.
    pub(crate) operations: BTreeMap<Uuid, Operation>,
    /// Orders up to this one are forgotten unless they stand here: their ids are in the order in
    /// which they were placed.
    pub(crate) forgotten_until: OrderId,
}

/// What became of one operation, and of which order it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) order: OrderId,
    pub(crate) recorded: Recorded,
}

/// What one order has of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pieces {
    pub(crate) quantity: Quantity,
    pub(crate) state: StockState,
}

impl StockDocument {
    pub(crate) const fn new(product_id: ProductId, pieces: i64) -> Self {
        Self {
            product_id,
            received: pieces,
            available: pieces,
            reserved: 0,
            sold: 0,
            forgotten: 0,
            orders: BTreeMap::new(),
            operations: BTreeMap::new(),
            // Before every order: ids are never nil, and a real one is a time.
            forgotten_until: OrderId::from_uuid(Uuid::from_u128(1)),
        }
    }

    /// Whether it no longer says anything of an order that may have had pieces.
    pub(crate) fn has_forgotten(&self, order: OrderId) -> bool {
        order <= self.forgotten_until && !self.orders.contains_key(&order)
    }

    /// The pieces of all listed orders that are in this state.
    pub(crate) fn sum(&self, state: StockState) -> i64 {
        let orders = self.orders.values().filter(|pieces| pieces.state == state);
        orders.map(|pieces| i64::from(pieces.quantity.get())).sum()
    }
}

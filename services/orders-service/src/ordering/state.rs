//! What the sagas carry from step to step.

use serde::{Deserialize, Serialize};
use types::views::{Failure, Quantity};
use types::{AccountId, Amount, Currency, CustomerId, OrderId, ProductId, TransactionId};
use uuid::Uuid;

use crate::stock::operations::Lot;

/// What is bought: products and how many of each.
pub type Bought = Vec<(ProductId, Quantity)>;

pub(super) fn lots(order: OrderId, bought: &Bought) -> Vec<Lot> {
    let each = bought.iter();
    each.map(|&(product, quantity)| Lot {
        product,
        order,
        quantity,
    })
    .collect()
}

/// An order, as its saga knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// Which order.
    pub order_id: OrderId,
    /// Whose accounts may be debited: `None` for any, when a teller placed it.
    pub customer_id: Option<CustomerId>,
    /// Who pays.
    pub account_id: AccountId,
    /// Who is paid.
    pub sales_account_id: AccountId,
    /// How much.
    pub total: Amount,
    /// Of the total.
    pub currency: Currency,
    /// What is bought, in the order of the products' ids: two orders for the same products never
    /// wait for each other in a circle.
    pub pieces: Bought,
    /// A failure that the request asked for.
    pub failure: Option<Failure>,
    /// The transfer that paid, once there is one.
    pub payment: Option<TransactionId>,
}

/// An order that came about and is to be undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Which order.
    pub order_id: OrderId,
    /// The operation under which it was paid.
    pub payment: Uuid,
    /// What was bought, as in [`Ordered`].
    pub pieces: Bought,
}

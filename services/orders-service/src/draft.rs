//! A request to order something, made into an order or refused: pure.

use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use types::views::{PlaceOrder, Role};
use types::{Amount, Code, CustomerId, OrderId};

use crate::config::SalesAccounts;
use crate::ordering::state::Ordered;
use crate::store::placed::Item;
use crate::store::products::Listed;

/// The most products of one order: each is a document that is changed by itself.
const MOST_ITEMS: usize = 50;

/// Why a request is no order. Nothing has begun.
pub(crate) type Refusal = (Code, &'static str);

/// Who orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orderer {
    pub(crate) role: Role,
    pub(crate) customer_id: Option<CustomerId>,
}

/// Whether the request makes sense by itself; puts its items in the order of their products.
pub(crate) fn check(
    mut request: PlaceOrder,
    orderer: Orderer,
    is_development: bool,
) -> Result<PlaceOrder, Refusal> {
    if request.items.is_empty() || request.items.len() > MOST_ITEMS {
        return Err((Code::InvalidBody, "An order has 1 to 50 products."));
    }
    request.items.sort_by_key(|item| item.product_id);
    let mut pairs = request.items.windows(2);
    if pairs.any(|pair| pair[0].product_id == pair[1].product_id) {
        return Err((Code::InvalidBody, "Each product stands in an order once."));
    }
    if request.failure.is_some() && !is_development {
        return Err((Code::InvalidBody, "Failures are for development only."));
    }
    if orderer.role == Role::Customer {
        let own = orderer.customer_id;
        if own.is_none() || request.customer_id.is_some_and(|other| Some(other) != own) {
            return Err((Code::Forbidden, "Customers order for themselves."));
        }
        request.customer_id = own;
    }
    Ok(request)
}

/// SHA-256 over the meaning of a checked request.
pub(crate) fn fingerprint(request: &PlaceOrder) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(request.account_id.uuid().as_bytes());
    for item in &request.items {
        hash.update(item.product_id.uuid().as_bytes());
        hash.update(item.quantity.get().to_be_bytes());
    }
    hash.update(format!("{:?} {:?}", request.customer_id, request.failure));
    hash.finalize().to_vec()
}

/// What a checked request comes to with these products.
pub(crate) fn draft(
    order_id: OrderId,
    request: &PlaceOrder,
    products: &[Listed],
    sales: &SalesAccounts,
) -> Result<(Ordered, Vec<Item>), Refusal> {
    let mut total = Decimal::ZERO;
    let mut items = Vec::with_capacity(request.items.len());
    let mut currency = None;
    for wanted in &request.items {
        let mut listed = products.iter();
        let product = listed.find(|product| product.product_id == wanted.product_id);
        let product = product.ok_or((Code::ProductNotFound, "There is no such product."))?;
        if *currency.get_or_insert(product.currency) != product.currency {
            return Err((Code::CurrencyMismatch, "An order has one currency."));
        }
        let quantity = Decimal::from(wanted.quantity.get());
        total = product
            .price
            .decimal()
            .checked_mul(quantity)
            .and_then(|price| total.checked_add(price))
            .ok_or(TOO_MUCH)?;
        items.push(Item {
            name: product.name.to_string(),
            price: product.price,
        });
    }
    let currency = currency.ok_or((Code::InvalidBody, "An order has 1 to 50 products."))?;
    let sales_account_id = sales
        .of(currency)
        .ok_or((Code::CurrencyMismatch, "Nothing is sold in this currency."))?;
    let pieces = request.items.iter();
    let ordered = Ordered {
        order_id,
        customer_id: request.customer_id,
        account_id: request.account_id,
        sales_account_id,
        total: Amount::try_from(total).map_err(|_| TOO_MUCH)?,
        currency,
        pieces: pieces
            .map(|item| (item.product_id, item.quantity))
            .collect(),
        failure: request.failure,
        payment: None,
    };
    Ok((ordered, items))
}

const TOO_MUCH: Refusal = (Code::InvalidAmount, "The order costs too much.");

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;

//! A document forgets orders that are over, or a product could be in some thousands of orders and
//! no more. What was sold to them stays in its sums.
//!
//! The race it survives: a request of an order arrives after the document has forgotten the order,
//! and with it what was recorded of the request. So the document remembers up to which order it has
//! forgotten, and pieces are taken for none of these: the condition stands in the very update. And a
//! cancellation that begins while we look: the document is replaced only in the version that was
//! read, and what was sold to a forgotten order can still be taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::Utc;
use documents::{Query, body_of};
use sqlx::PgPool;
use tokio::sync::watch;
use types::OrderId;
use types::views::StockState;
use uuid::Uuid;

use super::{STOCK, Stock, StockDocument};
use crate::error::Error;
use crate::store::facts::{self, Fact};

/// When orders are forgotten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forgetting {
    /// So many orders stand in a document at least, if there were as many.
    pub(crate) keep: usize,
    /// And those that were placed less than this ago.
    pub(crate) after: Duration,
    /// Between two looks.
    pub(crate) tick: Duration,
}

/// Looks at all documents again and again, until `stop` says so.
pub(crate) async fn run(
    pool: PgPool,
    stock: Stock,
    forgetting: Forgetting,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let looked = forget(&pool, &stock, forgetting);
        if let Err(error) = looked.await {
            tracing::warn!(event = "ORDERS_NOT_FORGOTTEN", %error);
        }
        tokio::select! {
            () = tokio::time::sleep(forgetting.tick) => {}
            // A sender that is gone cannot say so any more: that is a stop, too.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Durable when it returns: every document without what it may forget, unless it changed meanwhile;
/// then the next look finds it.
async fn forget(pool: &PgPool, stock: &Stock, forgetting: Forgetting) -> Result<(), Error> {
    let before = first_order_since(forgetting.after);
    let mut query = Query::new(documents::Filter::everything()).limit(20);
    loop {
        let page = stock.0.find(STOCK, &query).await?;
        for found in &page.documents {
            let document: StockDocument = found.read()?;
            let old = old_orders(&document, forgetting.keep, before);
            if old.is_empty() {
                continue;
            }
            let listed: Vec<OrderId> = old.iter().copied().collect();
            let settled = facts::of(pool, &listed).await?;
            if let Some(shorter) = without(&document, &old, &settled) {
                let body = body_of(&shorter)?;
                let product = document.product_id;
                stock.replace(product, found.version, &body).await?;
            }
        }
        match page.next {
            Some(next) => query = query.after(Some(next)),
            None => return Ok(()),
        }
    }
}

/// Every order that was placed earlier has a smaller id (UUIDv7, RFC 9562).
fn first_order_since(age: Duration) -> OrderId {
    let since = Utc::now() - age;
    let milliseconds = u128::try_from(since.timestamp_millis()).unwrap_or(0);
    OrderId::from_uuid(Uuid::from_u128(milliseconds << 80))
}

/// The orders of a document that are neither among the last `keep` nor after `before`.
fn old_orders(document: &StockDocument, keep: usize, before: OrderId) -> BTreeSet<OrderId> {
    let operations = document.operations.values();
    let mut all: BTreeSet<OrderId> = operations.map(|operation| operation.order).collect();
    all.extend(document.orders.keys());
    let old = all.len().saturating_sub(keep);
    let old = all.into_iter().take(old);
    old.filter(|order| *order < before).collect()
}

/// The document without those old orders that are settled and of which it says what became of them;
/// what it says wrongly is left for read-repair. `None`: there is nothing to forget.
fn without(
    document: &StockDocument,
    old: &BTreeSet<OrderId>,
    settled: &[Fact],
) -> Option<StockDocument> {
    let settled = settled
        .iter()
        .filter(|fact| fact.product_id == document.product_id);
    let settled: BTreeMap<OrderId, bool> = settled
        .map(|fact| (fact.order_id, fact.came_about))
        .collect();
    let mut shorter = document.clone();
    let mut gone = BTreeSet::new();
    for order in old {
        let Some(came_about) = settled.get(order) else {
            continue;
        };
        let pieces = document.orders.get(order);
        match pieces.map(|pieces| pieces.state) {
            Some(StockState::Sold) if *came_about => {}
            None | Some(StockState::None | StockState::Returned) if !came_about => {}
            _ => continue,
        }
        if *came_about {
            shorter.forgotten += pieces.map_or(0, |pieces| i64::from(pieces.quantity.get()));
        }
        shorter.orders.remove(order);
        gone.insert(*order);
    }
    let last = *gone.last()?;
    shorter
        .operations
        .retain(|_, operation| !gone.contains(&operation.order));
    shorter.forgotten_until = shorter.forgotten_until.max(last);
    Some(shorter)
}

#[cfg(test)]
#[path = "forgetting_tests.rs"]
mod tests;

//! Read-repair: an order and the stock of its products each carry the other's facts; whoever reads
//! one compares them, and where they differ writes the correction, records it and counts it.
//!
//! The race it survives: a read finds a difference that a saga is just about to remove. So only
//! orders are compared of which no saga is under way, and they are looked at after the documents:
//! a document that a saga has changed since has another version, and is not written.

mod compare;

use documents::body_of;
use types::views::{Order, RepairedSide};
use types::{OrderId, ProductId};

use crate::app::App;
use crate::error::Error;
use crate::stock::StockDocument;
use crate::store::facts::{self, Fact};
use crate::store::repairs;

/// Compares an order of which no saga is under way with the stock of its products. Whether anything
/// was mended. Durable when it returns: the corrections, and that they were made.
pub(crate) async fn of_order(app: &App, order: &Order) -> Result<bool, Error> {
    let products: Vec<_> = order.items.iter().map(|item| item.product_id).collect();
    let documents = app.stock.find(&products).await?;
    let facts = facts::of(&app.pool, &[order.order_id]).await?;
    let mut is_mended = mend_order(app, &facts).await?;
    for (document, version) in &documents {
        is_mended |= mend_stock(app, document, *version, &facts).await?.is_some();
    }
    Ok(is_mended)
}

/// Compares documents with the orders they speak of, and gives them as they are then.
pub(crate) async fn of_stock(
    app: &App,
    documents: Vec<(StockDocument, i64)>,
) -> Result<Vec<StockDocument>, Error> {
    let orders = documents
        .iter()
        .flat_map(|(document, _)| document.orders.keys().copied());
    let orders: Vec<OrderId> = orders.collect();
    let facts = facts::of(&app.pool, &orders).await?;
    mend_order(app, &facts).await?;
    let mut mended = Vec::with_capacity(documents.len());
    for (document, version) in documents {
        let now = mend_stock(app, &document, version, &facts).await?;
        mended.push(now.unwrap_or(document));
    }
    Ok(mended)
}

/// What orders say of their pieces, against what became of them.
async fn mend_order(app: &App, facts: &[Fact]) -> Result<bool, Error> {
    let mut is_mended = false;
    for fact in facts {
        let Some(right) = compare::order_side(fact) else {
            continue;
        };
        let mut transaction = app.pool.begin().await?;
        if !facts::correct(&mut transaction, fact, right).await? {
            // A saga was begun meanwhile, or another read was faster.
            continue;
        }
        let (found, corrected) = (fact.stock.as_str(), right.as_str());
        repairs::insert(
            &mut transaction,
            Some(fact.order_id),
            fact.product_id,
            RepairedSide::Order,
            found,
            corrected,
        )
        .await?;
        transaction.commit().await?;
        tell(
            Some(fact.order_id),
            fact.product_id,
            "order",
            found,
            corrected,
        );
        is_mended = true;
    }
    Ok(is_mended)
}

/// What a document says of orders and of itself. `Some`: as it is after the correction.
async fn mend_stock(
    app: &App,
    document: &StockDocument,
    version: i64,
    facts: &[Fact],
) -> Result<Option<StockDocument>, Error> {
    let product = document.product_id;
    let own = facts.iter().filter(|fact| fact.product_id == product);
    let (right, findings) = compare::stock_side(document, own);
    if findings.is_empty() {
        return Ok(None);
    }
    let body = body_of(&right)?;
    if !app.stock.replace(product, version, &body).await? {
        return Ok(None);
    }
    let mut transaction = app.pool.begin().await?;
    for finding in &findings {
        repairs::insert(
            &mut transaction,
            finding.order_id,
            product,
            RepairedSide::Stock,
            &finding.found,
            &finding.corrected,
        )
        .await?;
    }
    transaction.commit().await?;
    for finding in &findings {
        tell(
            finding.order_id,
            product,
            "stock",
            &finding.found,
            &finding.corrected,
        );
    }
    Ok(Some(right))
}

fn tell(
    order: Option<OrderId>,
    product_id: ProductId,
    side: &'static str,
    found: &str,
    corrected: &str,
) {
    metrics::counter!("bank_read_repairs_total", "side" => side).increment(1);
    let order_id = order.map(|id| id.to_string());
    tracing::warn!(event = "READ_REPAIRED", order_id, %product_id, side, found, corrected);
}

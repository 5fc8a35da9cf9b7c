//! Stock: a document for each product, changed by itself and as a whole.
//!
//! | what | where |
//! |---|---|
//! | the fields of a document, and what must be true of them | [`document`] |
//! | orders that are over, forgotten | [`forgetting`] |
//! | pieces taken, given back, sold and taken back, each once | [`operations`] |
//!
//! The barrier of the sagas' steps stands inside the document, under the operation's id, and is
//! written by the same atomic update as the effect.

pub(crate) mod document;
pub(crate) mod forgetting;
pub(crate) mod operations;

use documents::{Body, Documents, Filter, Query, Update, body_of, field};
use types::ProductId;

pub(crate) use document::StockDocument;

/// The collection.
const STOCK: &str = "stock";

/// The documents of all products. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Stock(Documents);

impl Stock {
    pub(crate) const fn new(documents: Documents) -> Self {
        Self(documents)
    }

    /// Makes the document of a product unless there is one. Durable when it returns.
    pub(crate) async fn open(
        &self,
        product: ProductId,
        pieces: i64,
    ) -> Result<(), documents::Error> {
        let document = body_of(&StockDocument::new(product, pieces))?;
        self.0
            .insert(STOCK, &product.to_string(), &document)
            .await?;
        Ok(())
    }

    /// The documents of these products, where there are any, with their versions.
    pub(crate) async fn find(
        &self,
        products: &[ProductId],
    ) -> Result<Vec<(StockDocument, i64)>, documents::Error> {
        let ids = products.iter().map(ToString::to_string);
        let mut query = Query::new(field("product_id").is_one_of(ids)).limit(1_000);
        let mut found = Vec::with_capacity(products.len());
        loop {
            let page = self.0.find(STOCK, &query).await?;
            for document in page.documents {
                found.push((document.read()?, document.version));
            }
            match page.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok(found),
            }
        }
    }

    /// Pieces come or go. `None`: there are not as many as are to go. Durable when it returns.
    pub(crate) async fn change(
        &self,
        product: ProductId,
        delta: i64,
    ) -> Result<Option<StockDocument>, documents::Error> {
        self.open(product, 0).await?;
        let enough = if delta < 0 {
            field("available").at_least(-delta)
        } else {
            Filter::everything()
        };
        let update = Update::new()
            .increment("available", delta)
            .increment("received", delta);
        let id = product.to_string();
        let changed = self.0.update(STOCK, &id, &enough, &update).await?;
        changed.map(|document| document.read()).transpose()
    }

    /// Writes a document anew over the version that was read; whether it still was that one.
    /// Durable when it returns.
    pub(crate) async fn replace(
        &self,
        product: ProductId,
        version: i64,
        body: &Body,
    ) -> Result<bool, documents::Error> {
        let id = product.to_string();
        let replaced = self.0.replace_if_version(STOCK, &id, version, body).await?;
        Ok(replaced.is_some())
    }

    /// Whether the store answers.
    pub(crate) async fn ping(&self) -> Result<(), documents::Error> {
        self.0.ping().await
    }
}

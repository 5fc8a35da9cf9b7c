//! `GET /products`

use axum::extract::State;
use service_kit::auth::User;
use service_kit::database::spawned;
use service_kit::extract::{Json, PageQuery, Query};
use service_kit::{Problem, Result};
use types::views::{Page, ProblemView, Product};
use types::{Code, ProductId};

use super::with_stock;
use crate::app::App;
use crate::error::Error;
use crate::repair;
use crate::store::products;

/// What the cash desk sells, and how much of it there is.
///
/// What the stock says of orders is compared with what became of them. Where they differ and nothing
/// is under way for the order, it is mended and written down.
#[utoipa::path(get, path = "/products", tag = "products", security(("bearer" = [])),
    params(PageQuery), responses(
    (status = 200, description = "A page of products", body = Page<Product>),
    (status = 422, description = "`invalid_parameter`", body = ProblemView),
    (status = 503, description = "`unavailable`: the document store is down", body = ProblemView)))]
pub(crate) async fn list_products(
    _: User,
    State(app): State<App>,
    Query(PageQuery { limit, cursor }): Query<PageQuery>,
) -> Result<Json<Page<Product>>> {
    let after = cursor.map(|cursor| cursor.parse::<ProductId>()).transpose();
    let after = after
        .map_err(|_| Problem::new(Code::InvalidParameter).detail("This cursor is none of ours."))?;
    let mut items = spawned::<_, Error>(async move {
        let products = products::list(&app.pool, after, limit.one_more()).await?;
        let ids: Vec<_> = products.iter().map(|product| product.product_id).collect();
        let stock = app.stock.find(&ids).await?;
        let stock = repair::of_stock(&app, stock).await?;
        let items = products.into_iter().map(|product| {
            let mut all = stock.iter();
            let own = all.find(|stock| stock.product_id == product.product_id);
            with_stock(product, own)
        });
        Ok(items.collect::<Vec<_>>())
    })
    .await?;
    let more = items.len() > limit.get() as usize;
    items.truncate(limit.get() as usize);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|product| product.product_id.to_string());
    Ok(Json(Page { items, next_cursor }))
}

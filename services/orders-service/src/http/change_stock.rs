//! `PATCH /products/{id}/stock`

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::Teller;
use service_kit::database::spawned;
use service_kit::extract::{Id, Json};
use types::ProductId;
use types::views::{ChangeStock, ProblemView, Product};

use super::with_stock;
use crate::app::App;
use crate::error::Error;
use crate::store::products;

/// Pieces come, or go otherwise than by an order.
///
/// What is reserved stays: no more can go than are available.
#[utoipa::path(patch, path = "/products/{product_id}/stock", tag = "products",
    security(("bearer" = [])), params(("product_id" = ProductId, Path)),
    request_body = ChangeStock, responses(
    (status = 200, description = "The product", body = Product),
    (status = 403, description = "`forbidden`", body = ProblemView),
    (status = 404, description = "`not_found`", body = ProblemView),
    (status = 422, description = "`out_of_stock`, `invalid_body`", body = ProblemView),
    (status = 503, description = "`unavailable`: whether it happened is unknown", body = ProblemView)))]
pub(crate) async fn change_stock(
    Teller(teller): Teller,
    State(app): State<App>,
    Id(id): Id<ProductId>,
    Json(ChangeStock { delta }): Json<ChangeStock>,
) -> Result<Json<Product>> {
    let product = spawned::<_, Error>(async move {
        let product = products::find(&app.pool, &[id]).await?.pop();
        let product = product.ok_or(Error::NotFound)?;
        let changed = app.stock.change(id, delta.get().into()).await?;
        Ok(with_stock(
            product,
            Some(&changed.ok_or(Error::OutOfStock)?),
        ))
    })
    .await?;
    tracing::info!(event = "STOCK_CHANGED", product_id = %id, delta, login_id = %teller.login);
    Ok(Json(product))
}

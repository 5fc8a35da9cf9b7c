//! `POST /products`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use service_kit::Result;
use service_kit::auth::Teller;
use service_kit::database::spawned;
use service_kit::extract::Json;
use types::ProductId;
use types::views::{CreateProduct, ProblemView, Product};

use crate::app::App;
use crate::error::Error;
use crate::store::products;

/// Takes up a product, of which there is nothing yet.
#[utoipa::path(post, path = "/products", tag = "products", security(("bearer" = [])),
    request_body = CreateProduct, responses(
    (status = 201, description = "The product", body = Product),
    (status = 403, description = "`forbidden`", body = ProblemView),
    (status = 422, description = "`invalid_body`", body = ProblemView),
    (status = 503, description = "`unavailable`: the document store is down", body = ProblemView)))]
pub(crate) async fn create_product(
    Teller(teller): Teller,
    State(app): State<App>,
    Json(product): Json<CreateProduct>,
) -> Result<impl IntoResponse> {
    let product_id = ProductId::generate();
    let created = product.clone();
    spawned::<_, Error>(async move {
        // A product without a document has no stock, so it may come first.
        products::insert(&app.pool, product_id, &created).await?;
        Ok(app.stock.open(product_id, 0).await?)
    })
    .await?;
    tracing::info!(event = "PRODUCT_CREATED", %product_id, login_id = %teller.login);
    let product = Product {
        product_id,
        name: product.name,
        price: product.price,
        currency: product.currency,
        available: 0,
        reserved: 0,
    };
    Ok((StatusCode::CREATED, Json(product)))
}

//! `POST /customers`

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{AppendHeaders, IntoResponse};
use service_kit::Result;
use service_kit::auth::Teller;
use service_kit::database::spawned;
use service_kit::extract::Json;
use types::views::{CreateCustomer, Customer, ProblemView};

use super::etag;
use crate::app::App;
use crate::error::Error;
use crate::store::customers;

/// Takes on a customer.
#[utoipa::path(post, path = "/customers", tag = "customers", security(("bearer" = [])),
    request_body = CreateCustomer, responses(
    (status = 201, body = Customer, headers(("Location" = String), ("ETag" = String))),
    (status = 403, description = "`forbidden`", body = ProblemView),
    (status = 422, description = "`invalid_body`", body = ProblemView)))]
pub(crate) async fn create_customer(
    Teller(teller): Teller,
    State(app): State<App>,
    Json(customer): Json<CreateCustomer>,
) -> Result<impl IntoResponse> {
    let created = spawned::<_, Error>(async move { customers::insert(&app.pool, &customer).await });
    let created = created.await?;
    let id = created.customer.customer_id;
    tracing::info!(event = "CUSTOMER_CREATED", customer_id = %id, login_id = %teller.login);
    let headers = AppendHeaders([(LOCATION, format!("/customers/{id}"))]);
    let etag = [etag::header(created.version)];
    Ok((StatusCode::CREATED, headers, etag, Json(created.customer)))
}

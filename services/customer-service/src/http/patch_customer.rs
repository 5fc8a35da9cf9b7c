//! `PATCH /customers/{id}`

use axum::extract::State;
use axum::response::IntoResponse;
use service_kit::Result;
use service_kit::auth::User;
use service_kit::database::spawned;
use service_kit::extract::{Id, Json};
use types::CustomerId;
use types::views::{Customer, PatchCustomer, ProblemView};

use super::etag::{self, IfMatch};
use crate::app::App;
use crate::error::Error;
use crate::store::customers;

/// Changes what the body names; `contact_info` as a whole.
///
/// With `If-Match`, only when nobody else changed the customer since its `ETag` was read.
#[utoipa::path(patch, path = "/customers/{id}", tag = "customers", security(("bearer" = [])),
    params(("id" = CustomerId, Path), ("If-Match" = Option<String>, Header)),
    request_body = PatchCustomer, responses(
    (status = 200, body = Customer, headers(("ETag" = String))),
    (status = 404, description = "`not_found`", body = ProblemView),
    (status = 412, description = "`precondition_failed`", body = ProblemView),
    (status = 422, description = "`invalid_body`", body = ProblemView)))]
pub(crate) async fn patch_customer(
    user: User,
    State(app): State<App>,
    Id(id): Id<CustomerId>,
    IfMatch(versions): IfMatch,
    Json(patch): Json<PatchCustomer>,
) -> Result<impl IntoResponse> {
    if !user.may_see(id) {
        return Err(Error::CustomerNotFound.into());
    }
    let changed = spawned::<_, Error>(async move {
        customers::update(&app.pool, id, &patch, versions.as_deref()).await
    })
    .await?;
    tracing::info!(event = "CUSTOMER_CHANGED", customer_id = %id, login_id = %user.login);
    Ok(([etag::header(changed.version)], Json(changed.customer)))
}

//! `GET /customers/{id}`

use axum::extract::State;
use axum::response::IntoResponse;
use service_kit::Result;
use service_kit::auth::User;
use service_kit::database::spawned;
use service_kit::extract::{Id, Json};
use types::CustomerId;
use types::views::{Customer, ProblemView};

use super::etag;
use crate::app::App;
use crate::error::Error;
use crate::store::customers;

/// A customer: one's own, or any as a teller or an admin.
///
/// Another's is not found, so that ids cannot be probed.
#[utoipa::path(get, path = "/customers/{id}", tag = "customers", security(("bearer" = [])),
    params(("id" = CustomerId, Path)), responses(
    (status = 200, body = Customer, headers(("ETag" = String))),
    (status = 404, description = "`not_found`", body = ProblemView)))]
pub(crate) async fn show_customer(
    user: User,
    State(app): State<App>,
    Id(id): Id<CustomerId>,
) -> Result<impl IntoResponse> {
    if !user.may_see(id) {
        return Err(Error::CustomerNotFound.into());
    }
    let found = spawned::<_, Error>(async move { customers::find(&app.pool, id).await }).await?;
    let found = found.ok_or(Error::CustomerNotFound)?;
    Ok(([etag::header(found.version)], Json(found.customer)))
}

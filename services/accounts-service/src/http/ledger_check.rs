//! `GET /ledger/check`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::Admin;
use service_kit::extract::Json;
use types::views::LedgerCheck;

use crate::app::Shared;
use crate::examination::examine;

/// The bank examines its own books, as one consistent snapshot, while everything goes on.
#[utoipa::path(get, path = "/ledger/check", tag = "operations", security(("bearer" = [])),
    responses((status = 200, description = "Each invariant", body = LedgerCheck)))]
pub(crate) async fn ledger_check(State(app): Shared, _: Admin) -> Result<Json<LedgerCheck>> {
    Ok(Json(examine(app.pool()).await?))
}

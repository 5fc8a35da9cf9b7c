//! `GET /transactions/{id}/audit`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::Admin;
use service_kit::extract::{Id, Json};
use types::TransactionId;
use types::views::{AuditEntry, Page};

use crate::app::Shared;
use crate::store::audit;

/// What operators did about a transaction, oldest first: as the coordinator has it. Each bank keeps
/// its own.
#[utoipa::path(
    get, path = "/transactions/{transaction_id}/audit", tag = "operations",
    security(("bearer" = [])), params(("transaction_id" = TransactionId, Path)),
    responses((status = 200, description = "All of it", body = Page<AuditEntry>))
)]
pub(crate) async fn show(
    State(app): Shared,
    _admin: Admin,
    Id(id): Id<TransactionId>,
) -> Result<Json<Page<AuditEntry>>> {
    Ok(Json(Page {
        items: audit::of(app.pool(), id).await?,
        next_cursor: None,
    }))
}

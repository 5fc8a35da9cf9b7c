//! `POST /internal/branches/terminate`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use two_phase::message::InquiryList;

use super::BranchList;
use crate::app::Shared;

/// Tells a peer in doubt what is known here of some transactions. Of those that were never prepared
/// here it is durable, when they are answered, that they never will be.
#[utoipa::path(post, path = "/internal/branches/terminate", tag = "internal",
    security(("bearer" = [])), request_body = Object,
    responses((status = 200, description = "The states", body = Object)))]
pub(crate) async fn terminate(
    State(app): Shared,
    caller: ServiceCaller,
    Json(asked): Json<InquiryList>,
) -> Result<Json<BranchList>> {
    app.admit_peer(&caller, &asked.participant)?;
    let known = app.participant().terminate(asked.items.clone()).await?;
    Ok(Json(BranchList::new(app.own(), asked.items, &known)))
}

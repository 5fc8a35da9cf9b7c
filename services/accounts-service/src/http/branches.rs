//! `POST /internal/branches`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use two_phase::message::InquiryList;

use super::BranchList;
use crate::app::Shared;

/// Tells the coordinator what is known here of some transactions. Nothing is written.
#[utoipa::path(post, path = "/internal/branches", tag = "internal", security(("bearer" = [])),
    request_body = Object, responses((status = 200, description = "The states", body = Object)))]
pub(crate) async fn branches(
    State(app): Shared,
    caller: ServiceCaller,
    Json(asked): Json<InquiryList>,
) -> Result<Json<BranchList>> {
    app.admit_coordinator(&caller, &asked.participant)?;
    let known = app.participant().states(asked.items.clone()).await?;
    Ok(Json(BranchList::new(app.own(), asked.items, &known)))
}

//! `POST /internal/unfinished`: a participant wants to delete what is old.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use two_phase::message::InquiryList;
use two_phase::retention::Unfinished;

use super::inquiries::{problem, speaks_for_itself};
use crate::app::Shared;
use crate::coordinator::unfinished::reply;

/// Which of these transactions may not be forgotten yet?
#[utoipa::path(
    post, path = "/internal/unfinished", tag = "internal",
    security(("bearer" = [])),
    request_body = Object,
    responses((status = 200, description = "Those that are to be kept", body = Object))
)]
pub(crate) async fn create(
    State(app): Shared,
    caller: ServiceCaller,
    Json(question): Json<InquiryList>,
) -> Result<Json<Unfinished>> {
    speaks_for_itself(&caller, &question)?;
    let answer = reply(&app.coordination, question).await;
    answer.map(Json).map_err(problem)
}

//! `POST /internal/inquiries`: a participant in doubt asks.

use axum::extract::State;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use service_kit::{Problem, Result};
use two_phase::message::{InquiryList, InquiryReply};
use types::Code;

use crate::app::Shared;
use crate::coordinator::inquiries::{Unanswered, reply};

/// What became of these transactions?
#[utoipa::path(
    post, path = "/internal/inquiries", tag = "internal",
    security(("bearer" = [])),
    request_body = Object,
    responses((status = 200, description = "One answer each", body = Object))
)]
pub(crate) async fn create(
    State(app): Shared,
    caller: ServiceCaller,
    Json(inquiry): Json<InquiryList>,
) -> Result<Json<InquiryReply>> {
    speaks_for_itself(&caller, &inquiry)?;
    let answer = reply(&app.coordination, inquiry).await.map_err(problem)?;
    service_kit::failpoints::hit("after_inquiry").await?;
    Ok(Json(answer))
}

/// Lets a bank pass that asks in its own name.
pub(super) fn speaks_for_itself(caller: &ServiceCaller, question: &InquiryList) -> Result<()> {
    if caller.name == question.participant.as_str() {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden).detail("Ask in your own name."))
}

/// Why there is no answer.
pub(super) fn problem(error: Unanswered) -> Problem {
    match error {
        Unanswered::Database(error) => error.into(),
        Unanswered::NotInStep => Problem::new(Code::NotInStep).detail(error.to_string()),
        Unanswered::Step(error) => {
            tracing::warn!(event = "INQUIRY_UNANSWERED", %error);
            Problem::new(Code::Unavailable)
        }
    }
}

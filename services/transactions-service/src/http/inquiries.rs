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
    if caller.name != inquiry.participant.as_str() {
        return Err(Problem::new(Code::Forbidden).detail("Ask in your own name."));
    }
    match reply(&app.coordination, inquiry).await {
        Ok(reply) => {
            service_kit::failpoints::hit("after_inquiry").await?;
            Ok(Json(reply))
        }
        Err(Unanswered::Database(error)) => Err(error.into()),
        Err(error @ Unanswered::NotInStep) => {
            Err(Problem::new(Code::NotInStep).detail(error.to_string()))
        }
        Err(Unanswered::Step(error)) => {
            tracing::warn!(event = "INQUIRY_UNANSWERED", %error);
            Err(Problem::new(Code::Unavailable))
        }
    }
}

//! `POST /internal/abort`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use two_phase::message::{AcknowledgementList, DecisionList, Outcome};

use super::acknowledge;
use crate::app::Shared;

/// Gives up a list of branches, prepared or not. What is acknowledged is durable; what is missing in
/// the answer is to be sent again.
#[utoipa::path(post, path = "/internal/abort", tag = "internal", security(("bearer" = [])),
    request_body = Object,
    responses((status = 200, description = "The acknowledgements", body = Object)))]
pub(crate) async fn abort(
    State(app): Shared,
    caller: ServiceCaller,
    Json(list): Json<DecisionList>,
) -> Result<Json<AcknowledgementList>> {
    app.admit_coordinator(&caller, &list.participant)?;
    acknowledge(&app, list, Outcome::Abort).await.map(Json)
}

//! `POST /internal/steps`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use two_phase::steps::{StepItem, StepList, StepReply};

use crate::app::Shared;

/// Performs a list of saga steps. Every "done" and "refused" that is answered is durable; of what is
/// missing in the answer nothing is known.
#[utoipa::path(post, path = "/internal/steps", tag = "internal", security(("bearer" = [])),
    request_body = Object, responses((status = 200, description = "The answers", body = Object)))]
pub(crate) async fn steps(
    State(app): Shared,
    caller: ServiceCaller,
    Json(list): Json<StepList>,
) -> Result<Json<StepReply>> {
    app.admit_coordinator(&caller, &list.participant)?;
    let ids: Vec<_> = list.items.iter().map(|item| item.operation_id).collect();
    let answers = app.perform(list.items, list.numbers.clone()).await?;
    let items = ids.into_iter().zip(answers).filter_map(|(id, answer)| {
        answer.map(|answer| StepItem {
            operation_id: id,
            answer,
        })
    });
    Ok(Json(StepReply {
        participant: app.own().clone(),
        items: items.collect(),
        numbers: app.participant().numbers(list.numbers.as_ref()),
    }))
}

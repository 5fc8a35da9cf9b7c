//! `POST /transfers/batch`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use service_kit::Problem;
use service_kit::auth::User;
use service_kit::extract::Json;
use service_kit::idempotency::KeyHeader;
use types::Code;
use types::views::{BatchRequest, BatchResults, ProblemView, Status};

use crate::app::Shared;
use crate::requests::batch::{BatchReply, batch};
use crate::requests::{Caller, reply};

/// Carries out up to 1,000 transfers under one key: each by itself, or `linked`, all or none.
#[utoipa::path(
    post, path = "/transfers/batch", tag = "transfers",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters; the same batch is carried out once per key")),
    request_body = BatchRequest,
    responses(
        (status = 200, description = "What became of each", body = BatchResults),
        (status = 422, description = "A linked batch was refused; the same list in `results`", body = ProblemView),
        (status = 503, description = "A bank is down, or too much is waiting", body = ProblemView),
    )
)]
pub(crate) async fn create(
    State(app): Shared,
    user: User,
    KeyHeader(key): KeyHeader,
    Json(request): Json<BatchRequest>,
) -> Response {
    let caller = Caller::new(&user, key);
    let key = caller.name.key.clone();
    let answer = batch(&app, &caller, request).await;
    match answer {
        Ok(answer) => {
            let replayed = answer.replayed;
            reply::with_key(respond(answer), &key, replayed)
        }
        Err(problem) => reply::with_key(problem.into_response(), &key, false),
    }
}

fn respond(answer: BatchReply) -> Response {
    if !answer.refused {
        return Json(answer.results).into_response();
    }
    let first = answer.results.results.iter().find_map(|result| {
        let code = result.code.filter(|code| *code != Code::LinkedRefused)?;
        Some((code, result.detail.clone().unwrap_or_default()))
    });
    let (code, detail) = first.unwrap_or((Code::LinkedRefused, String::new()));
    let mut problem = Problem::new(code)
        .status(422)
        .detail(format!("None of the linked transfers was made. {detail}"))
        .extension("results", serde_json::json!(answer.results.results));
    if let Some(id) = answer.linked {
        problem = problem.transaction(id, Status::Aborted);
    }
    if let Some(request_id) = answer.original_request {
        problem = problem.extension("request_id", request_id.into());
    }
    problem.into_response()
}

//! `POST /transfers`.

use axum::extract::State;
use axum::response::Response;
use service_kit::Problem;
use service_kit::auth::User;
use service_kit::extract::Json;
use service_kit::idempotency::KeyHeader;
use types::views::{ProblemView, TransferRequest, TransferView};

use crate::app::Shared;
use crate::requests::{Caller, reply, single};
use crate::transfer::{Invalid, Transfer};

/// Moves money, all of it or none of it.
///
/// Every account of the transfer is prepared at its bank; when all have promised, the decision is
/// made durable and delivered. The reply comes when every bank has applied it.
#[utoipa::path(
    post, path = "/transfers", tag = "transfers",
    security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters; the same request is carried out once per key")),
    request_body = TransferRequest,
    responses(
        (status = 201, description = "Committed and applied", body = TransferView),
        (status = 202, description = "Committed; an acknowledgement is late", body = TransferView),
        (status = 404, description = "A debited account does not exist", body = ProblemView),
        (status = 409, description = "The account is locked, or the key's request still runs", body = ProblemView),
        (status = 422, description = "Refused", body = ProblemView),
        (status = 503, description = "A bank is down, the outcome is unknown, or too much is waiting", body = ProblemView),
    )
)]
pub(crate) async fn create(
    State(app): Shared,
    user: User,
    KeyHeader(key): KeyHeader,
    Json(request): Json<TransferRequest>,
) -> Response {
    let caller = Caller::new(&user, key);
    let key = caller.name.key.clone();
    let answer = match Transfer::try_from(request) {
        Ok(transfer) => single::transfer(&app, &caller, &transfer).await,
        Err(refused) => Err(invalid(refused)),
    };
    match answer {
        Ok((reply, replayed)) => reply.respond(&key, replayed),
        Err(problem) => reply::Reply::Refused(problem).respond(&key, false),
    }
}

/// A request that is no transfer.
pub(crate) fn invalid(invalid: Invalid) -> Problem {
    Problem::new(invalid.code).detail(invalid.detail)
}

//! `POST /internal/transfers` and `POST /internal/transfers/close`: orders-service pays and refunds.

use axum::extract::State;
use axum::response::Response;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use service_kit::{Problem, Result};
use types::Code;
use types::views::{CloseReply, CloseRequest, InternalTransferRequest, ProblemView, TransferView};

use crate::app::Shared;
use crate::requests::internal::{self, ORDERS};
use crate::requests::reply::Reply;
use crate::store::keys::KeyName;

/// Moves money on behalf of a customer, or for the bank itself.
///
/// As `POST /transfers`, for a service: a refusal that is durable is a 4xx, whatever its reason.
#[utoipa::path(
    post, path = "/internal/transfers", tag = "internal",
    security(("bearer" = [])),
    request_body = InternalTransferRequest,
    responses(
        (status = 201, description = "Committed and applied", body = TransferView),
        (status = 202, description = "Committed; an acknowledgement is late", body = TransferView),
        (status = 404, description = "The debited account does not exist or is another customer's", body = ProblemView),
        (status = 409, description = "Refused for now or for good, closed, or under way", body = ProblemView),
        (status = 422, description = "Refused", body = ProblemView),
        (status = 503, description = "Nothing was begun, or the outcome is unknown", body = ProblemView),
    )
)]
pub(crate) async fn create(
    State(app): Shared,
    caller: ServiceCaller,
    Json(request): Json<InternalTransferRequest>,
) -> Result<Response> {
    let caller = allowed(caller)?;
    let key = request.idempotency_key.clone();
    let name = KeyName::of_service(&caller.name, key.clone());
    let (reply, replayed) = internal::pay(&app, name, request).await?;
    Ok(definitive(reply).respond(&key, replayed))
}

/// Makes sure that nothing is paid under a key, now and later.
///
/// A key that nobody has used is closed, so that a late payment finds it closed; a payment that was
/// committed is taken back by another transfer, once.
#[utoipa::path(
    post, path = "/internal/transfers/close", tag = "internal",
    security(("bearer" = [])),
    request_body = CloseRequest,
    responses(
        (status = 200, description = "Nothing is paid under it, and nothing will be", body = CloseReply),
        (status = 409, description = "Its transfer is under way, or the reversal was refused", body = ProblemView),
        (status = 422, description = "The reversal was refused", body = ProblemView),
        (status = 503, description = "Not known, or a bank does not answer: ask again", body = ProblemView),
    )
)]
pub(crate) async fn close(
    State(app): Shared,
    caller: ServiceCaller,
    Json(request): Json<CloseRequest>,
) -> Result<Json<CloseReply>> {
    let caller = allowed(caller)?;
    let name = KeyName::of_service(&caller.name, request.idempotency_key.clone());
    internal::close(&app, name, request).await.map(Json)
}

fn allowed(caller: ServiceCaller) -> Result<ServiceCaller> {
    if caller.name == ORDERS {
        return Ok(caller);
    }
    Err(Problem::new(Code::Forbidden).detail("This is for the service that sells."))
}

/// Services read a 5xx as "unknown", which a refusal that is on disk is not.
fn definitive(reply: Reply) -> Reply {
    match reply {
        Reply::Refused(problem) if problem.http_status() >= 500 => {
            Reply::Refused(problem.status(409))
        }
        other => other,
    }
}

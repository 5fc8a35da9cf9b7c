//! `POST /internal/numbers` and `POST /internal/numbers/reconciliations`.

use axum::extract::State;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use service_kit::{Problem, Result};
use two_phase::message::{Comparison, ComparisonReply, Reconciliation};
use types::Code;

use crate::app::Shared;

/// Compares this bank's database with the coordinator's. It is durable, when it is answered, that
/// the two are in step, or that nothing moves between them.
#[utoipa::path(post, path = "/internal/numbers", tag = "internal", security(("bearer" = [])),
    request_body = Object,
    responses((status = 200, description = "What this database says of itself", body = Object)))]
pub(crate) async fn compare(
    State(app): Shared,
    caller: ServiceCaller,
    Json(theirs): Json<Comparison>,
) -> Result<Json<ComparisonReply>> {
    app.admit_coordinator(&caller, &theirs.participant)?;
    let reply = app.participant().compare(theirs).await?;
    Ok(Json(reply))
}

/// Accepts what one of the two databases has lost, by order of two operators.
#[utoipa::path(post, path = "/internal/numbers/reconciliations", tag = "internal",
    security(("bearer" = [])), request_body = Object,
    responses((status = 200, description = "The numbers afterwards", body = Object)))]
pub(crate) async fn reconcile(
    State(app): Shared,
    caller: ServiceCaller,
    Json(order): Json<Reconciliation>,
) -> Result<Json<ComparisonReply>> {
    app.admit_coordinator(&caller, &order.comparison.participant)?;
    if order.proposed_by == order.confirmed_by {
        return Err(Problem::new(Code::Forbidden).detail("It takes two operators."));
    }
    Ok(Json(app.participant().reconcile(order).await?))
}

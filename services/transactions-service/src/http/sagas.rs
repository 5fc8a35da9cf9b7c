//! `GET /sagas`, `GET /sagas/{id}`, and what an operator can order: `POST /sagas/{id}/retry`, `skip`.

use axum::extract::State;
use saga::Command;
use saga::operator::CommandError;
use saga_postgres::SagaFilter;
use serde::Deserialize;
use service_kit::auth::{Admin, User};
use service_kit::extract::{Id, Json, Limit, Query};
use service_kit::{Problem, Result};
use types::views::{Page, ProblemView, SagaOrder, SagaStatus, SagaView};
use types::{Code, SagaId};
use utoipa::IntoParams;

use crate::app::{App, Shared};
use crate::sagas::underway::Ordered;
use crate::store::transactions;

/// What narrows a list of sagas.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SagasQuery {
    /// Only those that stand like this: `STUCK` lists what waits for an operator.
    status: Option<SagaStatus>,
    /// How many, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Transfers by saga with their steps and logs, newest first.
#[utoipa::path(
    get, path = "/sagas", tag = "operations",
    security(("bearer" = [])), params(SagasQuery),
    responses((status = 200, description = "A page of sagas", body = Page<SagaView>))
)]
pub(crate) async fn index(
    State(app): Shared,
    _admin: Admin,
    Query(query): Query<SagasQuery>,
) -> Result<Json<Page<SagaView>>> {
    let before = query.cursor.map(|cursor| cursor.parse::<SagaId>());
    let before = before.transpose().map_err(|_| {
        Problem::new(Code::InvalidParameter).detail("The cursor is not one of ours.")
    })?;
    let filter = SagaFilter {
        status: query.status,
        before,
    };
    let limit = query.limit.get() as usize;
    let names = app.coordination.sagas.names();
    let mut items = saga_postgres::sagas(app.pool(), &names, filter, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|saga| saga.saga_id.to_string());
    Ok(Json(Page { items, next_cursor }))
}

/// One saga with its steps and its log; a transfer's has the transfer's id.
#[utoipa::path(
    get, path = "/sagas/{saga_id}", tag = "operations",
    security(("bearer" = [])), params(("saga_id" = SagaId, Path)),
    responses(
        (status = 200, description = "The saga", body = SagaView),
        (status = 404, description = "No such saga", body = ProblemView),
    )
)]
pub(crate) async fn show(
    State(app): Shared,
    _admin: Admin,
    Id(id): Id<SagaId>,
) -> Result<Json<SagaView>> {
    find(&app, id).await.map(Json)
}

/// Has a stuck saga try again, in the direction it was going. It goes on in the background.
#[utoipa::path(
    post, path = "/sagas/{saga_id}/retry", tag = "operations",
    security(("bearer" = [])), params(("saga_id" = SagaId, Path)), request_body = SagaOrder,
    responses(
        (status = 202, description = "It tries again", body = SagaView),
        (status = 404, description = "No such saga", body = ProblemView),
        (status = 409, description = "It is not stuck", body = ProblemView),
    )
)]
pub(crate) async fn retry(
    State(app): Shared,
    Admin(admin): Admin,
    Id(id): Id<SagaId>,
    Json(order): Json<SagaOrder>,
) -> Result<(axum::http::StatusCode, Json<SagaView>)> {
    carry_out(&app, &admin, id, &Command::Retry, &order).await
}

/// Has a stuck saga leave the step that is stuck as it is, and go on behind it. What the step should
/// have done is for the operator to do by hand.
#[utoipa::path(
    post, path = "/sagas/{saga_id}/skip", tag = "operations",
    security(("bearer" = [])), params(("saga_id" = SagaId, Path)), request_body = SagaOrder,
    responses(
        (status = 202, description = "It goes on", body = SagaView),
        (status = 404, description = "No such saga", body = ProblemView),
        (status = 409, description = "It is not stuck", body = ProblemView),
    )
)]
pub(crate) async fn skip(
    State(app): Shared,
    Admin(admin): Admin,
    Id(id): Id<SagaId>,
    Json(order): Json<SagaOrder>,
) -> Result<(axum::http::StatusCode, Json<SagaView>)> {
    carry_out(&app, &admin, id, &Command::Skip, &order).await
}

/// Durable when it returns: the order, in the saga's log and in the audit trail.
async fn carry_out(
    app: &App,
    admin: &User,
    id: SagaId,
    command: &Command,
    order: &SagaOrder,
) -> Result<(axum::http::StatusCode, Json<SagaView>)> {
    find(app, id).await?;
    let transaction = id.uuid().into();
    let records = transactions::read(app.pool(), &[transaction]).await?;
    let record = records.get(&transaction);
    let participants = record.map(|record| record.participants.clone());
    let ordered = Ordered {
        actor: admin.login,
        reason: order.reason.as_str().to_owned(),
    };
    let done = app.coordination.sagas.order(
        transaction,
        command,
        ordered,
        participants.unwrap_or_default(),
    );
    match done.await {
        Ok(()) => {}
        Err(error @ (CommandError::NotStuck | CommandError::Illegal(_))) => {
            return Err(Problem::new(Code::Conflict).detail(format!("{error}.")));
        }
        Err(error) => {
            tracing::warn!(event = "SAGA_ORDER_UNKNOWN", saga_id = %id, %error);
            return Err(Problem::new(Code::OutcomeUnknown)
                .detail("The database did not answer; look at the saga again.")
                .retry_after(1));
        }
    }
    tracing::warn!(event = "SAGA_ORDERED", saga_id = %id, ?command, by = %admin.login);
    let saga = find(app, id).await?;
    Ok((axum::http::StatusCode::ACCEPTED, Json(saga)))
}

async fn find(app: &App, id: SagaId) -> Result<SagaView> {
    let names = app.coordination.sagas.names();
    let saga = saga_postgres::saga(app.pool(), &names, id).await?;
    saga.ok_or_else(|| Problem::new(Code::NotFound).detail(format!("There is no saga {id}.")))
}

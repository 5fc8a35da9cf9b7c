//! `GET /sagas`, `GET /sagas/{id}`, and what an operator can order: `POST /sagas/{id}/retry`, `skip`.

use axum::extract::State;
use axum::http::StatusCode;
use saga::operator::CommandError;
use saga::{Command, Executor, Owned, Reason};
use saga_postgres::{PgSagaLog, SagaFilter};
use serde::Deserialize;
use service_kit::auth::{Admin, User};
use service_kit::extract::{Id, Json, Limit, Query};
use service_kit::{Problem, Result};
use types::views::{Page, ProblemView, SagaOrder, SagaStatus, SagaView};
use types::{Code, SagaId};
use utoipa::IntoParams;

use crate::app::App;
use crate::driving::{count, drive};

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

/// Orders and cancellations with their steps and logs, newest first.
#[utoipa::path(get, path = "/sagas", tag = "operations", security(("bearer" = [])),
    params(SagasQuery), responses(
    (status = 200, description = "A page of sagas", body = Page<SagaView>)))]
pub(crate) async fn list_sagas(
    _: Admin,
    State(app): State<App>,
    Query(query): Query<SagasQuery>,
) -> Result<Json<Page<SagaView>>> {
    let before = query.cursor.map(|cursor| cursor.parse::<SagaId>());
    let before = before
        .transpose()
        .map_err(|_| Problem::new(Code::InvalidParameter).detail("This cursor is none of ours."))?;
    let filter = SagaFilter {
        status: query.status,
        before,
    };
    let limit = query.limit.get() as usize;
    let mut items = saga_postgres::sagas(&app.pool, &app.names, filter, limit + 1).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|saga| saga.saga_id.to_string());
    Ok(Json(Page { items, next_cursor }))
}

/// One saga with its steps and its log; an order's has the order's id.
#[utoipa::path(get, path = "/sagas/{saga_id}", tag = "operations", security(("bearer" = [])),
    params(("saga_id" = SagaId, Path)), responses(
    (status = 200, description = "The saga", body = SagaView),
    (status = 404, description = "`not_found`", body = ProblemView)))]
pub(crate) async fn show_any_saga(
    _: Admin,
    State(app): State<App>,
    Id(id): Id<SagaId>,
) -> Result<Json<SagaView>> {
    find(&app, id).await.map(Json)
}

/// Has a stuck saga try again, in the direction it was going. It goes on in the background.
#[utoipa::path(post, path = "/sagas/{saga_id}/retry", tag = "operations",
    security(("bearer" = [])), params(("saga_id" = SagaId, Path)), request_body = SagaOrder,
    responses(
    (status = 202, description = "It tries again", body = SagaView),
    (status = 404, description = "`not_found`", body = ProblemView),
    (status = 409, description = "`conflict`: it is not stuck", body = ProblemView)))]
pub(crate) async fn retry_saga(
    Admin(admin): Admin,
    State(app): State<App>,
    Id(id): Id<SagaId>,
    Json(order): Json<SagaOrder>,
) -> Result<(StatusCode, Json<SagaView>)> {
    carry_out(&app, &admin, id, &Command::Retry, &order).await
}

/// Has a stuck saga leave the step that is stuck as it is, and go on behind it. What the step should
/// have done is for the operator to do by hand.
#[utoipa::path(post, path = "/sagas/{saga_id}/skip", tag = "operations",
    security(("bearer" = [])), params(("saga_id" = SagaId, Path)), request_body = SagaOrder,
    responses(
    (status = 202, description = "It goes on", body = SagaView),
    (status = 404, description = "`not_found`", body = ProblemView),
    (status = 409, description = "`conflict`: it is not stuck", body = ProblemView)))]
pub(crate) async fn skip_saga(
    Admin(admin): Admin,
    State(app): State<App>,
    Id(id): Id<SagaId>,
    Json(order): Json<SagaOrder>,
) -> Result<(StatusCode, Json<SagaView>)> {
    carry_out(&app, &admin, id, &Command::Skip, &order).await
}

/// Durable when it returns: the order, in the saga's log.
async fn carry_out(
    app: &App,
    admin: &User,
    id: SagaId,
    what: &Command,
    order: &SagaOrder,
) -> Result<(StatusCode, Json<SagaView>)> {
    let view = find(app, id).await?;
    let reason = Reason::new(format!("{}: {}", admin.login, order.reason));
    let saga_id = saga::SagaId::from_uuid(id.uuid());
    if view.kind == app.orders.definition().kind() {
        let owned = ordered(&app.orders, saga_id, what, reason).await?;
        drop(drive(&app.orders, &app.pool, owned));
    } else {
        let owned = ordered(&app.cancellations, saga_id, what, reason).await?;
        drop(drive(&app.cancellations, &app.pool, owned));
    }
    tracing::warn!(event = "SAGA_ORDERED", saga_id = %id, ?what, by = %admin.login);
    count(&app.pool).await;
    Ok((StatusCode::ACCEPTED, Json(find(app, id).await?)))
}

async fn ordered<S: saga::State>(
    executor: &Executor<S, PgSagaLog>,
    id: saga::SagaId,
    what: &Command,
    reason: Reason,
) -> Result<Owned> {
    executor
        .command(id, what, reason)
        .await
        .map_err(|error| match error {
            CommandError::NotStuck | CommandError::Illegal(_) => {
                Problem::new(Code::Conflict).detail(format!("{error}."))
            }
            CommandError::Log(_) | CommandError::Stopped(_) => {
                tracing::warn!(event = "SAGA_ORDER_UNKNOWN", saga_id = %id, %error);
                Problem::new(Code::OutcomeUnknown)
                    .detail("The database did not answer; look at the saga again.")
                    .retry_after(1)
            }
        })
}

async fn find(app: &App, id: SagaId) -> Result<SagaView> {
    let saga = saga_postgres::saga(&app.pool, &app.names, id).await?;
    saga.ok_or_else(|| Problem::new(Code::NotFound).detail(format!("There is no saga {id}.")))
}

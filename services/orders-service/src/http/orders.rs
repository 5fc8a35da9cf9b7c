//! `GET /orders`, `GET /orders/{id}` and `GET /orders/{id}/saga`.

use axum::extract::State;
use serde::Deserialize;
use service_kit::auth::User;
use service_kit::database::spawned;
use service_kit::extract::{Id, Json, Limit, Query};
use service_kit::{Problem, Result};
use types::views::{Order, OrderStatus, Page, ProblemView, Role, SagaView};
use types::{Code, OrderId, SagaId};
use utoipa::IntoParams;

use crate::app::App;
use crate::error::Error;
use crate::repair;
use crate::store::reading::{self, Filter, Found};

/// What narrows a list of orders.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those that stand like this.
    status: Option<OrderStatus>,
    /// How many, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Orders, newest first: a customer's own, or for tellers and admins all.
#[utoipa::path(get, path = "/orders", tag = "orders", security(("bearer" = [])),
    params(ListQuery), responses(
    (status = 200, description = "A page of orders", body = Page<Order>),
    (status = 422, description = "`invalid_parameter`", body = ProblemView)))]
pub(crate) async fn list_orders(
    user: User,
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Order>>> {
    let before = query.cursor.map(|cursor| cursor.parse::<OrderId>());
    let filter = Filter {
        order: None,
        customer: match user.role {
            Role::Customer => Some(user.customer_id.ok_or(Code::Forbidden)?),
            Role::Teller | Role::Admin => None,
        },
        status: query.status,
        before: before.transpose().map_err(|_| {
            Problem::new(Code::InvalidParameter).detail("This cursor is none of ours.")
        })?,
    };
    let (limit, more) = (query.limit.get() as usize, query.limit.one_more());
    let mut found =
        spawned::<_, Error>(async move { reading::find(&app.pool, filter, more).await }).await?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| is_more);
    let next_cursor = last.map(|found| found.order.order_id.to_string());
    let items = found.into_iter().map(|found| found.order).collect();
    Ok(Json(Page { items, next_cursor }))
}

/// One order.
///
/// What it says of its pieces is compared with what their stock says. Where they differ and nothing
/// is under way for it, it is mended and written down.
#[utoipa::path(get, path = "/orders/{order_id}", tag = "orders", security(("bearer" = [])),
    params(("order_id" = OrderId, Path)), responses(
    (status = 200, description = "The order", body = Order),
    (status = 404, description = "`not_found`, or another's", body = ProblemView)))]
pub(crate) async fn show_order(
    user: User,
    State(app): State<App>,
    Id(id): Id<OrderId>,
) -> Result<Json<Order>> {
    let found = visible(&app, &user, id).await?;
    let order = spawned::<_, Error>(async move {
        if found.is_settled && repair::of_order(&app, &found.order).await? {
            let again = find(&app, id).await?;
            return Ok(again.map_or(found.order, |found| found.order));
        }
        Ok(found.order)
    });
    Ok(Json(order.await?))
}

/// How an order's saga stands, step by step.
#[utoipa::path(get, path = "/orders/{order_id}/saga", tag = "orders", security(("bearer" = [])),
    params(("order_id" = OrderId, Path)), responses(
    (status = 200, description = "The saga and its log", body = SagaView),
    (status = 404, description = "`not_found`, or another's", body = ProblemView)))]
pub(crate) async fn show_saga(
    user: User,
    State(app): State<App>,
    Id(id): Id<OrderId>,
) -> Result<Json<SagaView>> {
    visible(&app, &user, id).await?;
    let saga_id = SagaId::from_uuid(id.uuid());
    let view = saga_postgres::saga(&app.pool, &app.names, saga_id).await?;
    Ok(Json(view.ok_or(Code::NotFound)?))
}

async fn find(app: &App, id: OrderId) -> std::result::Result<Option<Found>, Error> {
    let filter = Filter {
        order: Some(id),
        ..Filter::default()
    };
    Ok(reading::find(&app.pool, filter, 1).await?.pop())
}

/// The order, if the caller may know of it.
pub(super) async fn visible(app: &App, user: &User, id: OrderId) -> Result<Found> {
    let found = find(app, id).await?;
    let found = found.filter(|found| {
        let owner = found.order.customer_id;
        user.is_staff() || owner.is_some_and(|owner| user.is_customer(owner))
    });
    found.ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such order."))
}

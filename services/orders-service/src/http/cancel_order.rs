//! `POST /orders/{id}/cancel`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use service_kit::auth::User;
use service_kit::extract::{Id, Json};
use service_kit::{Problem, Result};
use types::OrderId;
use types::views::{Order, OrderStatus, ProblemView};

use super::orders::visible;
use crate::app::App;
use crate::cancelling::{Outcome, cancel};

/// Undoes an order that came about: the money goes back, the pieces can be ordered again.
///
/// Asked again, it is answered as before. An order that is still being carried out is refused.
#[utoipa::path(post, path = "/orders/{order_id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("order_id" = OrderId, Path)), responses(
    (status = 200, description = "It is cancelled", body = Order),
    (status = 202, description = "Its cancellation is being carried out", body = Order),
    (status = 404, description = "`not_found`, or another's", body = ProblemView),
    (status = 409, description = "`order_in_progress`, `order_not_cancellable`", body = ProblemView),
    (status = 422, description = "The money cannot go back; the order stays", body = ProblemView)))]
pub(crate) async fn cancel_order(
    user: User,
    State(app): State<App>,
    Id(id): Id<OrderId>,
) -> Result<impl IntoResponse> {
    visible(&app, &user, id).await?;
    if let Outcome::Refused(code) = cancel(&app, id).await? {
        return Err(Problem::new(code)
            .status(422)
            .detail("The money cannot go back; the order stays as it is.")
            .extension("order_id", id.to_string().into()));
    }
    let order = visible(&app, &user, id).await?.order;
    let status = if order.status == OrderStatus::Cancelled {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(order)))
}

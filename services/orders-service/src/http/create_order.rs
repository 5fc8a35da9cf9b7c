//! `POST /orders`

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use service_kit::Result;
use service_kit::auth::User;
use service_kit::extract::Json;
use service_kit::idempotency::{KeyHeader, REPLAYED_HEADER};
use types::views::{Order, PlaceOrder, ProblemView};

use crate::app::App;
use crate::draft::Orderer;
use crate::placing::{Placed, place};
use crate::store::keys::Reply;

/// Buys from the cash desk, all of it or nothing: the order, its pieces and its payment.
///
/// Each is in a store of its own, so a saga keeps them together: what fails is undone. The reply
/// comes when it has ended; 202 says that it still runs.
#[utoipa::path(post, path = "/orders", tag = "orders", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header,
        description = "1 to 200 visible ASCII characters; the same order is carried out once per key")),
    request_body = PlaceOrder, responses(
    (status = 201, description = "It came about", body = Order),
    (status = 202, description = "It is still being carried out", body = Order),
    (status = 403, description = "`forbidden`: for somebody else", body = ProblemView),
    (status = 409, description = "`request_in_progress`", body = ProblemView),
    (status = 422, description = "Refused, or undone: then with `order_id`", body = ProblemView),
    (status = 503, description = "Ask again with the same key", body = ProblemView)))]
pub(crate) async fn create_order(
    user: User,
    State(app): State<App>,
    KeyHeader(key): KeyHeader,
    Json(request): Json<PlaceOrder>,
) -> Result<Response> {
    let orderer = Orderer {
        role: user.role,
        customer_id: user.customer_id,
    };
    Ok(
        match place(&app, user.login, orderer, key, request).await? {
            Placed::Ended(reply, is_repeated) => document(reply, is_repeated),
            Placed::Runs(order) => {
                let location = [(LOCATION, format!("/orders/{}", order.order_id))];
                (StatusCode::ACCEPTED, location, Json(*order)).into_response()
            }
        },
    )
}

/// The same bytes every time.
fn document(reply: Reply, is_repeated: bool) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() {
        "application/json"
    } else {
        "application/problem+json"
    };
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(kind))];
    let mut response = (status, kind, reply.body).into_response();
    if is_repeated {
        let name = HeaderName::from_static(REPLAYED_HEADER);
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}

//! Requests that may be sent again under their key: one effect, one answer.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use service_kit::Problem;
use service_kit::idempotency::{HEADER, REPLAYED_HEADER};
use types::{Code, IdempotencyKey};

use crate::store::StoreError;
use crate::store::requests::Reply;

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// It was carried out or refused just now; durable either way.
    Now(Reply),
    /// It was answered before: the same answer.
    Before(Reply),
    /// The key was used for another request; nothing was done.
    KeyReused,
    /// What it is about does not exist; nothing was done, and nothing remembered.
    NotFound,
}

/// The reply to a request: the same bytes every time, with its key.
pub fn respond(
    answered: std::result::Result<Answered, StoreError>,
    key: &IdempotencyKey,
    not_found: impl FnOnce() -> Problem,
) -> Response {
    let mut response = match answered {
        Ok(Answered::Now(reply)) => document(&reply),
        Ok(Answered::Before(reply)) => {
            let mut response = document(&reply);
            let name = HeaderName::from_static(REPLAYED_HEADER);
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static("true"));
            response
        }
        Ok(Answered::KeyReused) => Problem::new(Code::IdempotencyKeyReused)
            .detail("The key was used for a different request.")
            .into_response(),
        Ok(Answered::NotFound) => not_found().into_response(),
        Err(error) => Problem::from(error).into_response(),
    };
    if let Ok(value) = HeaderValue::from_str(key.as_str()) {
        let name = HeaderName::from_static(HEADER);
        response.headers_mut().insert(name, value);
    }
    response
}

fn document(reply: &Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if status.is_success() {
        "application/json"
    } else {
        "application/problem+json"
    };
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(kind))];
    (status, kind, reply.body.clone()).into_response()
}

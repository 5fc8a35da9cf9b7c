//! The `Idempotency-Key` header.
//!
//! A route whose documentation names the header is *keyed*: every reply to a POST there carries the
//! key it was asked under, refusals included. A client that sends none is given one.

use std::collections::HashSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use types::{Code, IdempotencyKey};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{OpenApi, RefOr};

use crate::Problem;

/// The name of the header, in requests and replies.
pub const HEADER: &str = "idempotency-key";

/// Set to `true` on a reply that was given before.
pub const REPLAYED_HEADER: &str = "idempotent-replayed";

/// Extractor: the client's key, or one that was made for it.
///
/// Refuses with 400 `invalid_idempotency_key` a key that is not 1 to 200 visible ASCII characters,
/// and more than one key.
#[derive(Debug, Clone)]
pub struct KeyHeader(pub IdempotencyKey);

impl<S: Send + Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.headers).map(|key| Self(key.unwrap_or_else(make)))
    }
}

fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let invalid = |detail: String| Problem::new(Code::InvalidIdempotencyKey).detail(detail);
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("There is more than one Idempotency-Key.".into()));
    }
    let text = value
        .to_str()
        .map_err(|_| invalid(types::TextError::NotVisibleAscii.to_string()))?;
    let key = text
        .parse::<IdempotencyKey>()
        .map_err(|error| invalid(format!("The key {error}.")))?;
    Ok(Some(key))
}

#[expect(
    clippy::expect_used,
    reason = "a UUID is visible ASCII of 36 characters"
)]
fn make() -> IdempotencyKey {
    IdempotencyKey::try_from(uuid::Uuid::now_v7().to_string()).expect("a legal key")
}

/// The paths whose POST is keyed.
pub(crate) fn keyed_paths(openapi: &OpenApi) -> HashSet<String> {
    let keyed = openapi.paths.paths.iter().filter(|(_, item)| {
        let post = item.post.as_ref();
        let parameters = post.and_then(|operation| operation.parameters.as_ref());
        parameters
            .into_iter()
            .flatten()
            .any(|parameter| match parameter {
                RefOr::T(parameter) => {
                    parameter.parameter_in == ParameterIn::Header
                        && parameter.name.eq_ignore_ascii_case(HEADER)
                }
                RefOr::Ref(_) => false,
            })
    });
    keyed.map(|(path, _)| path.clone()).collect()
}

/// The key that the reply has to carry. Where the client sent none, one is put into the request.
/// `None` when what it sent is no key.
pub(crate) fn settle(headers: &mut HeaderMap) -> Option<HeaderValue> {
    if let Some(key) = read(headers).ok()? {
        return HeaderValue::from_str(key.as_str()).ok();
    }
    let value = HeaderValue::from_str(make().as_str()).ok()?;
    headers.insert(HEADER, value.clone());
    Some(value)
}

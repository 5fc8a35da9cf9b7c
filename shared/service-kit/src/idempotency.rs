//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use types::{Code, IdempotencyKey};

use crate::Problem;

/// The name of the header, in requests and replies.
pub const HEADER: &str = "idempotency-key";

/// Set to `true` on a reply that was given before.
pub const REPLAYED_HEADER: &str = "idempotent-replayed";

/// Extractor: the client's key, or none when it sent none.
///
/// Refuses with 400 `invalid_idempotency_key` a key that is not 1 to 200 visible ASCII characters,
/// and more than one key.
#[derive(Debug, Clone)]
pub struct KeyHeader(pub Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let invalid = |detail: String| Problem::new(Code::InvalidIdempotencyKey).detail(detail);
        let mut values = parts.headers.get_all(HEADER).iter();
        let Some(value) = values.next() else {
            return Ok(Self(None));
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
        Ok(Self(Some(key)))
    }
}

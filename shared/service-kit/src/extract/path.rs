//! Path parameters.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use types::Code;

use crate::Problem;

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidId).detail(detail)
}

/// All parameters of the path, in order. Anything unreadable is 400 `invalid_id`.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|rejection| invalid(rejection.body_text()))
    }
}

/// The one id of a path such as `/accounts/{id}`. Anything unreadable is 400 `invalid_id`.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<S, T> FromRequestParts<S> for Id<T>
where
    S: Send + Sync,
    T: FromStr,
    T::Err: std::fmt::Display,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|rejection| invalid(rejection.body_text()))?;
        let text = parameters
            .iter()
            .next()
            .map(|(_, text)| text)
            .unwrap_or_default();
        text.parse()
            .map(Self)
            .map_err(|error: T::Err| invalid(error.to_string()))
    }
}

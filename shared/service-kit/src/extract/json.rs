//! Request bodies.

use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use types::{Code, IdError};

use crate::Problem;

/// The longest body a route reads, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyLimit(pub(crate) usize);

impl BodyLimit {
    /// For one thing at a time.
    const ONE: Self = Self(1024 * 1024);
    /// For a batch: 1,000 transfers, each with a description of 200 characters, are at most 2.7 MiB
    /// where every character is written as a pair of escapes.
    const BATCH: Self = Self(4 * 1024 * 1024);
    /// Between services, where lists may hold whole batches. Only a service that is known gets as
    /// far as being read.
    const LIST: Self = Self(16 * 1024 * 1024);

    /// The limit of the route with this path.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/internal/") {
            Self::LIST
        } else if path.ends_with("/batch") {
            Self::BATCH
        } else {
            Self::ONE
        }
    }
}

/// A body that is not here by then is not coming: a slow sender must not hold a connection.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// A JSON object as request body, or anything serializable as reply.
///
/// As an extractor it refuses: another content type (415), more than 1 MiB (413; 4 MiB for batches,
/// 16 MiB between services), a body that
/// stalls for 10 s (408), bytes that are not JSON (400 `malformed_json`), an id in another spelling
/// than the hyphenated one (400 `invalid_id`), and anything `T` does not accept (422
/// `invalid_body`). A body that is an array is refused too: serde would read one as a struct.
/// Unknown fields are refused when `T` says `#[serde(deny_unknown_fields)]`; it always should.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Code::UnsupportedMediaType)
                .detail("Send the body as application/json."));
        }
        let bytes = read(request).await?;
        parse(&bytes).map(Self)
    }
}

/// A body that may be missing altogether: none, and no content type that announces one.
impl<S, T> OptionalFromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.body().is_end_stream() && !request.headers().contains_key(CONTENT_TYPE) {
            return Ok(None);
        }
        let body = <Self as FromRequest<S>>::from_request(request, state);
        body.await.map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let plain = parts.all(|parameter| parameter.eq_ignore_ascii_case("charset=utf-8"));
    json && plain && !headers.contains_key(CONTENT_ENCODING)
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let limit = request.extensions().get().copied();
    let limit = limit.unwrap_or(BodyLimit::ONE);
    let body = Limited::new(request.into_body(), limit.0);
    match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Err(_) => {
            Err(Problem::new(Code::RequestTimeout).detail("The body did not arrive in time."))
        }
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(_)) => Err(Problem::new(Code::MalformedJson).detail("The body broke off.")),
    }
}

/// The refusal of a body that is too long.
pub(crate) fn too_large(limit: BodyLimit) -> Problem {
    Problem::new(Code::PayloadTooLarge)
        .detail(format!("The body is longer than {} bytes.", limit.0))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let parsed = serde_json::from_slice::<T>(bytes);
    let error = match parsed {
        Ok(value) if bytes.trim_ascii_start().starts_with(b"{") => return Ok(value),
        Ok(_) => {
            return Err(Problem::new(Code::InvalidBody).detail("The body must be a JSON object."));
        }
        Err(error) => error,
    };
    let words = error.to_string();
    let code = match error.classify() {
        Category::Data if words.starts_with(&IdError.to_string()) => Code::InvalidId,
        Category::Data => Code::InvalidBody,
        Category::Io | Category::Syntax | Category::Eof => Code::MalformedJson,
    };
    Err(Problem::new(code).detail(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::AccountId;
    use types::Text;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Body {
        name: Text<10>,
        account_id: Option<AccountId>,
    }

    #[test]
    fn what_a_route_does_not_expect_is_refused_with_the_fitting_code() {
        let deep = format!("{{\"name\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let table: [(&[u8], Code); 13] = [
            (b"", Code::MalformedJson),
            (b"{\"name\":\"a\"", Code::MalformedJson),
            (b"{\"name\":NaN}", Code::MalformedJson),
            (b"{\"name\":\"\xff\"}", Code::MalformedJson),
            (b"{\"name\":\"a\"} x", Code::MalformedJson),
            (b"[\"a\", null]", Code::InvalidBody),
            (b"{}", Code::InvalidBody),
            (b"{\"name\":\"a\",\"name\":\"b\"}", Code::InvalidBody),
            (b"{\"name\":\"a\",\"role\":\"admin\"}", Code::InvalidBody),
            (b"{\"name\":\"a\\u0000\"}", Code::InvalidBody),
            (b"{\"name\":7}", Code::InvalidBody),
            (
                b"{\"name\":\"a\",\"account_id\":\"00000000-0000-0000-0000-000000000000\"}",
                Code::InvalidId,
            ),
            (deep.as_bytes(), Code::InvalidBody),
        ];
        for (body, code) in table {
            let refused = parse::<Body>(body).map_err(|problem| problem.code());
            assert_eq!(
                refused.err(),
                Some(code),
                "{}",
                String::from_utf8_lossy(&body[..body.len().min(60)])
            );
        }
        assert!(parse::<Body>(b" {\"name\":\"a\"}").is_ok());
    }

    #[test]
    fn only_plain_json_is_json() {
        let kind = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, text.parse().expect("a header value"));
            is_json(&headers)
        };
        assert!(kind("application/json") && kind("Application/JSON; charset=UTF-8"));
        for bad in [
            "text/plain",
            "application/jsonp",
            "application/json; charset=utf-16",
        ] {
            assert!(!kind(bad), "{bad}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}

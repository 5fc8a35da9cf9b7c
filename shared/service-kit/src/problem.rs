//! Errors as clients see them: problem documents (RFC 9457) with a stable code.

use std::fmt::Display;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use types::views::{ProblemView, Status};
use types::{Code, TransactionId};

use crate::{context, database};

/// What a handler answers.
pub type Result<T> = std::result::Result<T, Problem>;

/// A refusal or a failure on its way to the client.
///
/// What it says is for the client; what an operator needs is logged where the problem is made.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    status: u16,
    detail: String,
    transaction: Option<(TransactionId, Status)>,
    extensions: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    view: ProblemView,
    #[serde(flatten)]
    extensions: &'a Map<String, Value>,
}

impl Problem {
    /// A problem with the code's own status and, until [`Problem::detail`] says more, its title.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            status: code.status(),
            detail: code.title().to_owned(),
            transaction: None,
            extensions: Map::new(),
            headers: Vec::new(),
        }))
    }

    /// Says what is wrong with this request, in words.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// Answers with another status than the code's own.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = status;
        self
    }

    /// Names the transfer that was begun and where it stands; adds what the client may do next.
    #[must_use]
    pub fn transaction(mut self, id: TransactionId, status: Status) -> Self {
        self.0.transaction = Some((id, status));
        self
    }

    /// Tells the client to wait this many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn extension(mut self, name: &str, value: Value) -> Self {
        self.0.extensions.insert(name.to_owned(), value);
        self
    }

    /// Adds a header to the reply.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.retain(|(existing, _)| *existing != name);
        self.0.headers.push((name, value));
        self
    }

    /// A fault of ours: logs `error` for the operator, tells the client nothing of the inside.
    #[must_use]
    pub fn internal(error: impl Display) -> Self {
        tracing::error!(event = "INTERNAL_ERROR", error = %error);
        Self::new(Code::InternalError).detail("Something went wrong on our side.")
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The HTTP status.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.0.status
    }

    /// The document, as clients read it.
    #[must_use]
    pub fn view(&self) -> ProblemView {
        let inner = &*self.0;
        ProblemView {
            kind: format!("urn:bank:problem:{}", inner.code),
            title: inner.code.title().to_owned(),
            status: inner.status,
            detail: inner.detail.clone(),
            code: inner.code,
            request_id: context::current()
                .map(|context| context.request_id().to_owned())
                .unwrap_or_default(),
            transaction_id: inner.transaction.map(|(id, _)| id),
            transaction_status: inner.transaction.map(|(_, status)| status),
            retry: inner.transaction.map(|_| inner.code.retry()),
        }
    }

    /// The document with its extension members, as JSON text.
    #[must_use]
    pub fn document(&self) -> String {
        let mut view = self.view();
        let mut extensions = self.0.extensions.clone();
        // A repeated answer goes out under the request id of the first; no member stands twice.
        if let Some(Value::String(original)) = extensions.remove("request_id") {
            view.request_id = original;
        }
        let document = Document {
            view,
            extensions: &extensions,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<sqlx::Error> for Problem {
    /// A database that cannot be reached is 503 `unavailable`; everything else is a fault of ours.
    fn from(error: sqlx::Error) -> Self {
        if database::is_unreachable(&error) {
            tracing::warn!(event = "DATABASE_UNAVAILABLE", error = %error);
            Self::new(Code::Unavailable).detail("The database cannot be reached.")
        } else {
            Self::internal(format_args!("database: {error}"))
        }
    }
}

impl From<database::JoinFailed> for Problem {
    fn from(error: database::JoinFailed) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.document()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"bank\""),
                );
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        for (name, value) in self.0.headers {
            headers.insert(name, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_transfer_says_what_the_client_may_do() {
        let id = TransactionId::generate();
        let view = Problem::new(Code::InsufficientFunds)
            .transaction(id, Status::Aborted)
            .view();
        assert_eq!(view.transaction_id, Some(id));
        assert_eq!(view.retry, Some(types::Retry::NewKey));
        assert_eq!(view.kind, "urn:bank:problem:insufficient_funds");
    }

    #[test]
    fn the_inside_of_a_fault_stays_inside() {
        let document = Problem::internal("relation \"accounts\" does not exist").document();
        assert!(!document.contains("relation"), "{document}");
        assert!(document.starts_with("{\"type\":"), "{document}");
    }

    #[test]
    fn a_repeated_answer_carries_the_first_request_id_and_only_that() {
        let document = Problem::new(Code::AbortedByRecovery)
            .extension("request_id", "first".into())
            .document();
        assert_eq!(document.matches("request_id").count(), 1, "{document}");
        assert!(document.contains("\"request_id\":\"first\""), "{document}");
    }

    #[test]
    fn headers_that_a_status_calls_for_are_there() {
        let reply = Problem::new(Code::Unauthenticated).into_response();
        assert!(reply.headers().contains_key(WWW_AUTHENTICATE));
        let reply = Problem::new(Code::RateLimited)
            .retry_after(7)
            .into_response();
        assert_eq!(reply.headers()[RETRY_AFTER], "7");
    }
}

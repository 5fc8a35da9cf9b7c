//! What belongs to the request being served: its id and its trace.
//!
//! Kept in a task-local so that problems, log lines and outgoing calls find it without every
//! function passing it on. A plain `tokio::spawn` loses it; [`spawn`] does not.

use std::future::Future;
use std::sync::Arc;

use axum::http::HeaderMap;
use tokio::task::JoinHandle;
use uuid::Uuid;

tokio::task_local! {
    static CURRENT: Context;
}

/// The request being served.
#[derive(Debug, Clone)]
pub struct Context(Arc<Ids>);

#[derive(Debug)]
struct Ids {
    request_id: String,
    trace_id: String,
}

impl Context {
    /// A context of its own, for work that no request caused.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Arc::new(Ids {
            request_id: Uuid::now_v7().to_string(),
            trace_id: Uuid::new_v4().simple().to_string(),
        }))
    }

    /// The context of a request: its `X-Request-Id` and `traceparent` where they are well-formed,
    /// new ones otherwise.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = text("x-request-id")
            .filter(|id| is_request_id(id))
            .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
        let trace_id = text("traceparent")
            .and_then(trace_id)
            .map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
        Self(Arc::new(Ids {
            request_id,
            trace_id,
        }))
    }

    /// The id of the request, for support.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// The trace it belongs to: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.0.trace_id
    }

    /// A `traceparent` for an outgoing call, with a span id of its own.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let span = Uuid::new_v4().simple().to_string();
        format!("00-{}-{}-01", self.0.trace_id, &span[..16])
    }
}

/// The context of the current task, if it has one.
#[must_use]
pub fn current() -> Option<Context> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `future` inside `context`.
pub async fn scope<F: Future>(context: Context, future: F) -> F::Output {
    CURRENT.scope(context, future).await
}

/// `tokio::spawn` that keeps the context of the caller.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    match current() {
        Some(context) => tokio::spawn(CURRENT.scope(context, future)),
        None => tokio::spawn(future),
    }
}

/// Short and harmless in a log line, a header and a shell.
fn is_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

/// The trace id of a W3C `traceparent` (Trace Context, version 00 or later).
fn trace_id(header: &str) -> Option<&str> {
    let hex = |text: &str, digits: usize| {
        text.len() == digits
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let mut parts = header.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let known = hex(version, 2) && version != "ff";
    let named = |id: &str| id.bytes().any(|b| b != b'0');
    (known && hex(trace, 32) && named(trace) && hex(span, 16) && named(span)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_traceparent_is_followed() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(
            trace_id(&format!("00-{trace}-00f067aa0ba902b7-01")),
            Some(trace)
        );
        for bad in [
            "",
            "00-4bf9-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_replaced() {
        assert!(is_request_id("order-17"));
        for bad in ["", "a b", "a\"b", &"x".repeat(129)] {
            assert!(!is_request_id(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_spawned_task_keeps_the_context() {
        let context = Context::fresh();
        let id = context.request_id().to_owned();
        let seen = scope(context, async {
            spawn(async { current().map(|c| c.request_id().to_owned()) }).await
        })
        .await;
        assert_eq!(seen.ok().flatten(), Some(id));
    }
}

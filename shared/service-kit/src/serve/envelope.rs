//! What happens around every request: its id and trace, limits, time-out, panics, log line and
//! measurements.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::{HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use types::Code;

use super::{Limits, Peer, Shared};
use crate::client::SERVICE_NAME_HEADER;
use crate::context::{self, Context};
use crate::extract::{BodyLimit, too_large};
use crate::{Problem, idempotency, metrics};

/// No handler takes longer than this to begin its reply: longer than every time-out underneath,
/// shorter than most clients' patience.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A body that is refused for its length is read up to here before the refusal: most clients only
/// look for a reply once they have sent everything.
const MOST_DISCARDED: usize = 32 * 1024 * 1024;

/// And for no longer than this.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// These are asked by machines that watch over us and must not be kept out by anybody else's haste.
const UNLIMITED: [&str; 3] = ["/health", "/ready", "/metrics"];

pub(super) fn wrap(router: Router, shared: Arc<Shared>) -> Router {
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(shared, envelope))
}

async fn not_found() -> Problem {
    Problem::new(Code::NotFound).detail("There is no such route.")
}

async fn method_not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed).detail("The route does not know this method.")
}

async fn envelope(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = Context::from_headers(request.headers());
    let method = method_name(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("unmatched", MatchedPath::as_str);
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let client = shared.proxies.client(peer.ip(), request.headers());
        let client = Peer(SocketAddr::new(client, peer.port()));
        request.extensions_mut().insert(client);
    }
    request.extensions_mut().insert(shared.verifier.clone());
    request.extensions_mut().insert(shared.limits.clone());

    let key = if method == "POST" && shared.keyed.contains(path) {
        idempotency::settle(request.headers_mut())
    } else {
        None
    };
    request.extensions_mut().insert(BodyLimit::of(path));

    let answer = context::scope(context.clone(), async {
        let response = match admit(&shared.limits, request, path).await {
            Ok(request) => handle(request, next).await,
            Err(problem) => problem.into_response(),
        };
        let elapsed = started.elapsed();
        metrics::request(method, path, response.status().as_u16(), elapsed);
        log(method, path, &response, elapsed);
        response
    });
    let mut response = answer.await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(context.request_id()) {
        headers.insert("x-request-id", id);
    }
    if let Ok(name) = HeaderValue::from_str(&shared.name) {
        headers.insert(SERVICE_NAME_HEADER, name);
    }
    if let Some(key) = key {
        headers.insert(idempotency::HEADER, key);
    }
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Refuses, before anything is begun, what is too much. Requests with a token are counted for
/// their caller once the token was checked.
async fn admit(limits: &Limits, request: Request, path: &str) -> Result<Request, Problem> {
    if let Some(Peer(address)) = request.extensions().get()
        && !request.headers().contains_key(AUTHORIZATION)
        && !UNLIMITED.contains(&path)
    {
        limits.requests.check(address.ip())?;
    }
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let limit = BodyLimit::of(path);
    if length.is_some_and(|length| length > limit.0) {
        discard(request.into_body()).await;
        return Err(too_large(limit));
    }
    Ok(request)
}

async fn discard(mut body: Body) {
    let discarding = async {
        let mut left = MOST_DISCARDED;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, axum::body::Bytes::len);
            left = left.saturating_sub(length);
            if left == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(DISCARD_TIMEOUT, discarding).await.ok();
}

/// Runs the handler in a task of its own. When a client hangs up, its request's future is dropped;
/// a handler dropped between two statements could leave a connection with an open database
/// transaction in the pool, and the next user's writes would vanish with it.
async fn handle(request: Request, next: Next) -> Response {
    let handler = context::spawn(next.run(request));
    match tokio::time::timeout(REQUEST_TIMEOUT, handler).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal("a handler panicked").into_response(),
        Err(_) => Problem::new(Code::Unavailable)
            .detail("It took too long; ask again.")
            .into_response(),
    }
}

/// One line per request: what failed is always logged, the rest when asked for. Only the route's
/// pattern is named; paths and queries may hold what somebody typed.
fn log(method: &str, path: &str, response: &Response, elapsed: Duration) {
    let status = response.status().as_u16();
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    match status {
        500..=599 => tracing::warn!(event = "REQUEST_FAILED", method, path, status, millis),
        400..=499 => tracing::info!(event = "REQUEST_REFUSED", method, path, status, millis),
        _ => tracing::debug!(event = "REQUEST_ANSWERED", method, path, status, millis),
    }
}

/// The method for logs and metrics, from a bounded set.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

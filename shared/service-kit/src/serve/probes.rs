//! The routes every service has.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use types::views::{Health, Readiness, ReadinessItem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::auth::JwksView;
use crate::extract::Json;
use crate::metrics;

/// A dependency that takes longer counts as missing.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn router(shared: Arc<Shared>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(prometheus))
        .routes(routes!(jwks))
        .with_state(shared)
}

/// The process is alive.
#[utoipa::path(get, path = "/health", tag = "service", responses((status = 200, body = Health)))]
async fn health(State(shared): State<Arc<Shared>>) -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        service: shared.name.clone(),
        version: shared.version.to_owned(),
        uptime_seconds: shared.started.elapsed().as_secs(),
    })
}

/// What the service needs is there.
#[utoipa::path(get, path = "/ready", tag = "service",
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn ready(State(shared): State<Arc<Shared>>) -> (StatusCode, Json<Readiness>) {
    let database = async {
        let answer = sqlx::query("SELECT 1").execute(&shared.pool).await;
        answer.map(drop).map_err(|_| "does not answer".to_owned())
    };
    let keys = async {
        let known = shared.verifier.has_user_keys();
        known
            .then_some(())
            .ok_or_else(|| "not fetched yet".to_owned())
    };
    let others = shared
        .dependencies
        .iter()
        .map(|dependency| item(&dependency.name, (dependency.check)()));
    let (database, keys, others) = tokio::join!(
        item("database", database),
        item("token_keys", keys),
        futures_util::future::join_all(others),
    );
    let dependencies: Vec<_> = [database, keys].into_iter().chain(others).collect();
    let ready = dependencies.iter().all(|item| item.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = Readiness {
        ready,
        dependencies,
    };
    (status, Json(body))
}

async fn item(name: &str, check: impl Future<Output = Result<(), String>>) -> ReadinessItem {
    let result = tokio::time::timeout(CHECK_TIMEOUT, check)
        .await
        .unwrap_or_else(|_| Err("does not answer in time".to_owned()));
    ReadinessItem {
        name: name.to_owned(),
        ready: result.is_ok(),
        detail: result.err(),
    }
}

/// Measurements in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "service",
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn prometheus() -> ([(HeaderName, &'static str); 1], String) {
    let kind = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([kind], metrics::render())
}

/// The public keys that this service's tokens are signed with.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "service",
    responses((status = 200, body = JwksView)))]
async fn jwks(
    State(shared): State<Arc<Shared>>,
) -> ([(HeaderName, &'static str); 1], Json<JwksView>) {
    ([(CACHE_CONTROL, "no-cache")], Json(shared.signer.jwks()))
}

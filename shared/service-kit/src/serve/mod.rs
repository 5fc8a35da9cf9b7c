//! Serving: the routes every service has, the envelope around each request, and shutting down
//! without losing what is being worked on.

mod document;
mod envelope;
mod listener;
mod probes;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use futures_util::future::BoxFuture;
use sqlx::PgPool;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::auth::{Signer, Verifier};
use crate::config::{BankConfig, TrustedProxies};
use crate::idempotency;
use crate::metrics;
use crate::rate_limit::RateLimit;

pub use listener::{BindError, bind, serve, shutdown_signal};

/// The address at the other end of the connection; behind a trusted proxy, the one it names in
/// `X-Forwarded-For`. Nobody else's is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Peer {
    type Rejection = crate::Problem;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, crate::Problem> {
        let peer = parts.extensions.get::<Self>().copied();
        peer.ok_or_else(|| crate::Problem::internal("the peer is not in the request"))
    }
}

/// What is limited for each caller.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) requests: Arc<RateLimit>,
}

/// A dependency that `GET /ready` asks about besides the database and the keys.
pub struct Dependency {
    /// What it is, such as `bank-2`.
    pub name: String,
    /// Whether it answers; the error says in words without secrets why not.
    pub check: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

/// A service that is ready to be run.
pub struct Service {
    /// The name it is known by: the issuer of its tokens, and `X-Service-Name` of its replies.
    pub name: String,
    /// Its version.
    pub version: &'static str,
    /// What all services have in common.
    pub bank: BankConfig,
    /// Its own routes, with their state.
    pub router: OpenApiRouter,
    /// Its database.
    pub pool: PgPool,
    /// Its own keys.
    pub signer: Signer,
    /// Who it believes.
    pub verifier: Verifier,
    /// What else it needs in order to work.
    pub dependencies: Vec<Dependency>,
}

/// What the routes of every service need.
struct Shared {
    name: String,
    version: &'static str,
    started: Instant,
    pool: PgPool,
    signer: Signer,
    verifier: Verifier,
    dependencies: Vec<Dependency>,
    limits: Limits,
    proxies: TrustedProxies,
    /// The paths whose replies carry an idempotency key.
    keyed: HashSet<String>,
}

/// How long to wait for connections to come back to the pool at the very end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs `service` on `listener` until `shutdown` ends, then lets what is in flight finish, for at
/// most 10 s.
pub async fn run(
    service: Service,
    listener: tokio::net::TcpListener,
    shutdown: impl Future<Output = ()>,
) {
    run_then(service, listener, shutdown, std::future::ready(())).await;
}

/// As [`run`]; after the last request and before the database is let go, does `closing`.
pub async fn run_then(
    service: Service,
    listener: tokio::net::TcpListener,
    shutdown: impl Future<Output = ()>,
    closing: impl Future<Output = ()>,
) {
    let upkeep = tokio::spawn(metrics::upkeep());
    let pool = service.pool.clone();
    let app = app(service);
    match listener.local_addr() {
        Ok(address) => tracing::info!(event = "SERVICE_STARTED", address = %address),
        Err(error) => tracing::error!(event = "SERVICE_STARTED", error = %error),
    }
    serve(app, listener, shutdown).await;
    closing.await;
    upkeep.abort();
    // Work that outlives its request may still hold a connection; it is written to survive that.
    tokio::time::timeout(CLOSE_TIMEOUT, pool.close()).await.ok();
    tracing::info!(event = "SERVICE_STOPPED");
}

/// All routes of a service with the envelope around them.
pub fn app(service: Service) -> Router {
    metrics::install();
    let Service {
        name,
        version,
        bank,
        router,
        pool,
        signer,
        verifier,
        dependencies,
    } = service;
    let keyed = idempotency::keyed_paths(router.get_openapi());
    let shared = Arc::new(Shared {
        keyed,
        started: Instant::now(),
        limits: Limits {
            requests: Arc::new(RateLimit::new(bank.requests_per_second)),
        },
        proxies: bank.trusted_proxies.clone(),
        name,
        version,
        pool,
        signer,
        verifier,
        dependencies,
    });
    let router = router.merge(probes::router(Arc::clone(&shared)));
    #[cfg(feature = "failpoints")]
    let router = if bank.is_development() {
        router.merge(crate::failpoints::routes::router())
    } else {
        router
    };
    let (router, mut openapi) = router.split_for_parts();
    document::complete(&mut openapi, &shared.name, shared.version);
    let router = router.merge(SwaggerUi::new("/docs").url("/openapi.json", openapi));
    envelope::wrap(router, shared)
}

//! Accepting connections.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::Peer;

/// Whoever takes longer than this to send the head of a request, or sends none, is cut off.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long requests in flight may take to finish after the signal to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest head of a request. Beyond it the connection is answered 431 without a document.
const LONGEST_HEAD: usize = 128 * 1024;

/// When no file descriptor is left, wait for one rather than spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error("{0} is in use: stop what listens there, or choose other ports with BANK_PORT_OFFSET")]
    InUse(SocketAddr),
    /// Something else.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, std::io::Error),
}

/// Listens on `host:port`; port 0 takes a free one.
///
/// # Errors
/// When the port is taken or may not be used.
pub async fn bind(host: IpAddr, port: u16) -> Result<TcpListener, BindError> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => BindError::InUse(address),
            _ => BindError::Other(address, error),
        })
}

/// Ends when the process is asked to stop: SIGTERM, or Ctrl-C.
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        result = tokio::signal::ctrl_c() => {
            if result.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Serves `app` until `shutdown` ends; then accepts nothing more and lets requests in flight
/// finish, for at most 10 s.
pub async fn serve(app: Router, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    raise_descriptor_limit();
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => spawn_connection(&app, stream, peer, &graceful),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(event = "SHUTDOWN_CUT_SHORT");
    }
}

fn spawn_connection(
    app: &Router,
    stream: TcpStream,
    peer: SocketAddr,
    graceful: &GracefulShutdown,
) {
    stream.set_nodelay(true).ok();
    let app = app.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let app = app.clone();
        async move { Ok::<_, Infallible>(app.oneshot(request).await.unwrap_or_else(|e| match e {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    // An error here is a client that broke off or was cut off; there is nobody left to tell.
    tokio::spawn(graceful.watch(connection));
}

/// Every connection takes a descriptor, and the usual soft limit is 1,024: strangers who only
/// connect and wait would keep everybody else out.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).ok();
}

//! Calls to other services.

use std::sync::Once;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use types::Code;
use types::views::ProblemView;

use crate::auth::Signer;
use crate::context;

/// Carries the name of the service that replied.
pub const SERVICE_NAME_HEADER: &str = "x-service-name";

/// A reply longer than this is not one of ours.
const LONGEST_REPLY: usize = 16 * 1024 * 1024;

/// A peer that does not even accept a connection within this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Public keys and revocations are small and near.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);

/// Shorter than the 10 s after which our servers close an idle connection, so that a request is
/// not sent into a connection that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(7);

/// Makes ring the source of cryptography for TLS. Done once, before the first client is made.
pub fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
    });
}

/// A client that follows no redirect and no proxy: a reply counts only when it comes from the
/// address that was configured. Whom `https` trusts is up to the system; on one without
/// certificates only `http` works.
///
/// # Panics
/// Never: TLS has its provider, and needs nothing else when it trusts nobody.
#[must_use]
pub fn http_client(timeout: Duration) -> reqwest::Client {
    install_crypto_provider();
    builder(timeout)
        .build()
        .or_else(|_| builder(timeout).tls_certs_only([]).build())
        .expect("a client that trusts nobody needs nothing of the system")
}

/// As [`http_client`], for `http` alone: it does not read the system's certificates, which takes
/// longer than all the rest.
///
/// # Panics
/// As [`http_client`].
#[must_use]
pub fn plain_http_client(timeout: Duration) -> reqwest::Client {
    install_crypto_provider();
    builder(timeout)
        .tls_certs_only([])
        .build()
        .expect("a client that trusts nobody needs nothing of the system")
}

/// The client that fits a URL.
fn client_for(url: &str, timeout: Duration) -> reqwest::Client {
    if url.starts_with("https://") {
        http_client(timeout)
    } else {
        plain_http_client(timeout)
    }
}

fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
}

/// Why a call did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The service we meant read the request and refused it: nothing was done.
    #[error("refused: {code}: {detail}")]
    Refused {
        /// The HTTP status, 400 to 499.
        status: u16,
        /// Its stable code.
        code: Code,
        /// In words.
        detail: String,
    },
    /// Anything else. It may or may not have been done; only asking again can tell.
    #[error("unknown: {0}")]
    Unknown(String),
}

/// Calls one service and believes nothing that is not a well-formed reply of that very service.
#[derive(Clone)]
pub struct ServiceClient {
    name: String,
    base_url: String,
    audience: String,
    signer: Signer,
    client: reqwest::Client,
}

impl ServiceClient {
    /// A client of the service that calls itself `name` in its replies, at `base_url`. Tokens are
    /// signed for `audience`; a call that takes longer than `timeout` in all is given up.
    #[must_use]
    pub fn new(
        name: &str,
        base_url: &str,
        audience: &str,
        signer: Signer,
        timeout: Duration,
    ) -> Self {
        Self {
            name: name.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            audience: audience.to_owned(),
            signer,
            client: client_for(base_url, timeout),
        }
    }

    /// The name the service must reply with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Sends `body` and reads the reply.
    ///
    /// # Errors
    /// [`CallError::Refused`] for a 4xx problem document of the service itself;
    /// [`CallError::Unknown`] for everything else that is not a 2xx reply of the right shape.
    pub async fn post<B, T>(&self, path: &str, body: &B) -> Result<T, CallError>
    where
        B: Serialize + ?Sized,
        T: DeserializeOwned,
    {
        self.call(self.request(Method::POST, path)?.json(body))
            .await
    }

    /// Asks and reads the reply.
    ///
    /// # Errors
    /// As [`ServiceClient::post`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        self.call(self.request(Method::GET, path)?).await
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, CallError> {
        let token = self
            .signer
            .sign_service_token(&self.audience)
            .map_err(|error| CallError::Unknown(error.to_string()))?;
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(token);
        if let Some(context) = context::current() {
            request = request
                .header("x-request-id", context.request_id())
                .header("traceparent", context.traceparent());
        }
        Ok(request)
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CallError> {
        let response = request
            .send()
            .await
            .map_err(|error| CallError::Unknown(words(error)))?;
        let named = |headers: &HeaderMap| {
            headers
                .get(SERVICE_NAME_HEADER)
                .is_some_and(|name| name.as_bytes() == self.name.as_bytes())
        };
        if !named(response.headers()) {
            return Err(CallError::Unknown(format!(
                "the reply is not one of {}",
                self.name
            )));
        }
        let status = response.status().as_u16();
        let kind = media_type(response.headers());
        let body = read(response).await.map_err(CallError::Unknown)?;
        match (status, kind.as_str()) {
            (200..=299, "application/json") => serde_json::from_slice(&body)
                .map_err(|error| CallError::Unknown(format!("the reply cannot be read: {error}"))),
            // 408 and 429 are said before or beside the work, so they tell nothing of it.
            (400..=407 | 409..=428 | 430..=499, "application/problem+json") => {
                Err(refusal(status, &body))
            }
            _ => Err(CallError::Unknown(format!("status {status}, {kind:?}"))),
        }
    }
}

fn refusal(status: u16, body: &[u8]) -> CallError {
    match serde_json::from_slice::<ProblemView>(body) {
        Ok(problem) => CallError::Refused {
            status,
            code: problem.code,
            detail: problem.detail,
        },
        Err(error) => CallError::Unknown(format!("status {status}, unreadable: {error}")),
    }
}

/// The reason in words, down to the last cause; without the URL, which the operator knows.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = value.unwrap_or_default().split(';').next();
    kind.unwrap_or_default().trim().to_ascii_lowercase()
}

/// The whole body, as long as it is not absurdly long.
async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_REPLY => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => return Err("the reply is too long".to_owned()),
            Ok(None) => return Ok(body),
            Err(error) => return Err(words(error)),
        }
    }
}

/// Gets public documents: keys and revocations.
#[derive(Clone)]
pub(crate) struct Fetcher(reqwest::Client);

impl Fetcher {
    /// A fetcher for documents at these URLs and below.
    pub(crate) fn new<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let https = urls.into_iter().find(|url| url.starts_with("https://"));
        Self(client_for(https.unwrap_or_default(), FETCH_TIMEOUT))
    }

    /// The document at `url`; the error says in words why it cannot be had.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let response = self.0.get(url).send().await.map_err(words)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("status {}", response.status()));
        }
        let body = read(response).await?;
        serde_json::from_slice(&body).map_err(|error| error.to_string())
    }
}

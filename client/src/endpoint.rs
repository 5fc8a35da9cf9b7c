//! One service, and how a call to it becomes a result or an [`Error`].

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Method, Url, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use types::views::{Health, ProblemView, Readiness};
use types::{IdempotencyKey, Text};

use crate::{Credentials, Error};

/// Nobody listening is noticed at once; this is for hosts that swallow packets.
const CONNECT: Duration = Duration::from_secs(3);

/// Above the longest a transfer may take: prepare deadline, decision and delivery.
const WHOLE_CALL: Duration = Duration::from_secs(30);

/// A problem document is small; anything longer is somebody else's error page.
const EXCERPT: usize = 120;

/// A service at an address, spoken to as somebody.
#[derive(Debug, Clone)]
pub struct Endpoint {
    http: reqwest::Client,
    service: String,
    url: String,
    credentials: Credentials,
}

/// A successful reply with what its headers said.
#[derive(Debug, Clone)]
pub struct Sent<T> {
    /// The body.
    pub body: T,
    /// The HTTP status.
    pub status: u16,
    /// The `Idempotency-Key` of the reply: the caller's, or the one the service made.
    pub idempotency_key: Option<String>,
    /// The reply is the stored one of an earlier request with the same key.
    pub replayed: bool,
    /// The version of the thing, for `If-Match`.
    pub etag: Option<String>,
}

/// What is to be sent.
pub(crate) struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    headers: Vec<(HeaderName, String)>,
    anonymous: bool,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            headers: Vec::new(),
            anonymous: false,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post<B: Serialize>(path: impl Into<String>, body: &B) -> Self {
        Self::new(Method::POST, path).json(body)
    }

    pub(crate) fn json<B: Serialize>(mut self, body: &B) -> Self {
        // Our own views always serialize: no maps with odd keys, no failing implementations.
        self.body = Some(serde_json::to_vec(body).unwrap_or_default());
        self.header(CONTENT_TYPE, "application/json")
    }

    pub(crate) fn query(mut self, query: Vec<(&'static str, String)>) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn key(self, key: Option<&IdempotencyKey>) -> Self {
        match key {
            Some(key) => self.header(HeaderName::from_static("idempotency-key"), key.as_str()),
            None => self,
        }
    }

    /// Sends no token, and so also works when the caller's session has ended.
    pub(crate) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Endpoint {
    /// A service called `service` in messages to people, at `url`.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when this machine's TLS set-up does not allow any connection.
    pub fn new(service: &str, url: &str, credentials: Credentials) -> Result<Self, Error> {
        let http = connections(url.starts_with("https:")).map_err(|error| Error::Unreachable {
            service: service.to_owned(),
            url: url.to_owned(),
            reason: error.to_string(),
            maybe_delivered: false,
        })?;
        Ok(Self::sharing(http, service, url, credentials))
    }

    pub(crate) fn sharing(
        http: reqwest::Client,
        service: &str,
        url: &str,
        credentials: Credentials,
    ) -> Self {
        Self {
            http,
            service: service.to_owned(),
            url: url.trim_end_matches('/').to_owned(),
            credentials,
        }
    }

    pub(crate) fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// What the service is called in messages to people.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `GET /health`: the process answers.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when it does not.
    pub async fn health(&self) -> Result<Health, Error> {
        self.call(Call::get("/health").anonymous()).await
    }

    /// `GET /ready`: whether it can do its work, dependency by dependency. The 503 of a service
    /// that is not ready is an answer here, not an error.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nobody answers.
    pub async fn ready(&self) -> Result<Readiness, Error> {
        let answer = self
            .exchange(&Call::get("/ready").anonymous(), None)
            .await?;
        if let Ok(readiness) = serde_json::from_slice(&answer.body) {
            return Ok(readiness);
        }
        self.judge(answer).map(|sent| sent.body)
    }

    /// `GET /.well-known/jwks.json`: the public keys its tokens are signed with.
    ///
    /// # Errors
    /// As for any call.
    pub async fn keys(&self) -> Result<serde_json::Value, Error> {
        self.call(Call::get("/.well-known/jwks.json").anonymous())
            .await
    }

    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        self.send(call).await.map(|sent| sent.body)
    }

    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<Sent<T>, Error> {
        let answer = self.authorized(&call).await?;
        self.judge(answer)
    }

    /// For routes whose success has no body worth reading.
    pub(crate) async fn send_ignoring_body(&self, call: Call) -> Result<(), Error> {
        let answer = self.authorized(&call).await?;
        self.refusal(&answer).map_or(Ok(()), Err)
    }

    /// The body as text, for replies that are not JSON.
    pub(crate) async fn text(&self, call: Call) -> Result<String, Error> {
        let answer = self.authorized(&call).await?;
        match self.refusal(&answer) {
            Some(error) => Err(error),
            None => String::from_utf8(answer.body).map_err(|_| self.unexpected("not text")),
        }
    }

    /// Sends once, and once more with a new token when the first was refused: a 401 has begun
    /// nothing, so repeating is safe for every method.
    async fn authorized(&self, call: &Call) -> Result<Answer, Error> {
        let token = if call.anonymous {
            None
        } else {
            self.credentials.token().await?
        };
        let answer = self.exchange(call, token.as_deref()).await?;
        let Some(refused) = token.filter(|_| answer.status == 401) else {
            return Ok(answer);
        };
        match self.credentials.instead_of(&refused).await? {
            Some(token) => self.exchange(call, Some(&token)).await,
            None => Ok(answer),
        }
    }

    async fn exchange(&self, call: &Call, token: Option<&str>) -> Result<Answer, Error> {
        let mut url = Url::parse(&format!("{}{}", self.url, call.path))
            .map_err(|error| self.unexpected(&error.to_string()))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self.http.request(call.method.clone(), url);
        if !call.headers.iter().any(|(name, _)| *name == ACCEPT) {
            request = request.header(ACCEPT, "application/json");
        }
        for (name, value) in &call.headers {
            request = request.header(name.clone(), value);
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let reply = request.send().await.map_err(|e| self.unreachable(&e))?;
        let status = reply.status().as_u16();
        let headers = reply.headers().clone();
        let body = reply.bytes().await.map_err(|e| self.unreachable(&e))?;
        Ok(Answer {
            status,
            headers,
            body: body.to_vec(),
        })
    }

    fn judge<T: DeserializeOwned>(&self, answer: Answer) -> Result<Sent<T>, Error> {
        if let Some(error) = self.refusal(&answer) {
            return Err(error);
        }
        let body = serde_json::from_slice(&answer.body)
            .map_err(|error| self.unexpected(&format!("a reply that makes no sense ({error})")))?;
        let header = |name: &str| {
            let value = answer.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        Ok(Sent {
            body,
            status: answer.status,
            idempotency_key: header("idempotency-key"),
            replayed: header("idempotent-replayed").as_deref() == Some("true"),
            etag: header("etag"),
        })
    }

    /// The error in an answer that is not a success.
    fn refusal(&self, answer: &Answer) -> Option<Error> {
        if (200..300).contains(&answer.status) {
            return None;
        }
        // By way of a value: a refusal must not become an unknown outcome over a member that stands
        // twice.
        let problem = serde_json::from_slice::<serde_json::Value>(&answer.body);
        Some(
            match problem.and_then(serde_json::from_value::<ProblemView>) {
                Ok(mut problem) => {
                    if let Some(wait) = answer
                        .headers
                        .get(RETRY_AFTER)
                        .and_then(|v| v.to_str().ok())
                    {
                        problem.detail = format!("{} (try again in {wait} s)", problem.detail);
                    }
                    Error::Refused(Box::new(problem))
                }
                Err(_) => {
                    let text = String::from_utf8_lossy(&answer.body);
                    let excerpt: String = text.chars().take(EXCERPT).collect();
                    let excerpt = Text::<EXCERPT>::try_from(excerpt)
                        .map(|text| format!(": {text}"))
                        .unwrap_or_default();
                    self.unexpected(&format!("status {}{excerpt}", answer.status))
                }
            },
        )
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let reason = if error.is_timeout() {
            "no answer in time".to_owned()
        } else if error.is_connect() {
            innermost(error)
        } else {
            format!("the connection was lost ({})", innermost(error))
        };
        Error::Unreachable {
            service: self.service.clone(),
            url: self.url.clone(),
            reason,
            maybe_delivered: !error.is_connect(),
        }
    }

    fn unexpected(&self, reason: &str) -> Error {
        Error::Unexpected {
            service: self.service.clone(),
            url: self.url.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// Connections that follow no redirect and no proxy, so that a token goes where it was meant to.
///
/// The system's certificates are read only for `secure` addresses: that takes longer than a call,
/// and fails on a bare system, where plain addresses must work all the same.
pub(crate) fn connections(secure: bool) -> Result<reqwest::Client, reqwest::Error> {
    static TLS: Once = Once::new();
    TLS.call_once(|| {
        // Fails only when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(WHOLE_CALL)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("banking-cli/", env!("CARGO_PKG_VERSION")));
    if secure {
        builder.build()
    } else {
        builder.tls_certs_only([]).build()
    }
}

/// The cause at the bottom: "connection refused" rather than "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

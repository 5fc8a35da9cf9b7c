//! Somebody who uses the bank through HTTP.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// Where the services of one bank listen.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    pub(crate) customer: String,
    pub(crate) accounts: String,
    pub(crate) transactions: String,
}

/// A person with a token, or without one.
#[derive(Debug, Clone)]
pub struct Actor {
    client: reqwest::Client,
    urls: Urls,
    token: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// `Idempotent-Replayed` was set.
    pub replayed: bool,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, `null` when it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The stable code of a problem; empty otherwise.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// A header's text; empty without it.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// The transaction it speaks of; empty when it speaks of none.
    #[must_use]
    pub fn transaction_id(&self) -> &str {
        self.body["transaction_id"].as_str().unwrap_or_default()
    }

    /// The body, when the status is the one expected.
    ///
    /// # Panics
    /// When it is another one.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}

/// A request that got no answer: refused connections and time-outs. What happened is unknown.
pub type NoAnswer = reqwest::Error;

/// Sends a request and reads what comes back.
///
/// # Errors
/// [`NoAnswer`].
pub async fn answer(request: RequestBuilder) -> Result<Answer, NoAnswer> {
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await?;
    Ok(Answer {
        status,
        replayed: headers.contains_key("idempotent-replayed"),
        headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    })
}

impl Actor {
    pub(crate) fn anonymous(urls: Urls) -> Self {
        static PROVIDER: std::sync::Once = std::sync::Once::new();
        PROVIDER.call_once(|| {
            drop(rustls::crypto::ring::default_provider().install_default());
        });
        let client = reqwest::Client::builder()
            .no_proxy()
            // Shorter than the services keep an idle connection.
            .pool_idle_timeout(Duration::from_secs(7))
            .timeout(Duration::from_secs(40))
            .build()
            .expect("a client");
        Self {
            client,
            urls,
            token: None,
        }
    }

    pub(crate) async fn log_in(&self, username: &str) -> Self {
        let login = json!({"username": username, "password": "banking-dev"});
        let url = format!("{}/auth/login", self.urls.customer);
        let answer = self.send(Method::POST, &url, None, Some(&login)).await;
        let body = answer.expect("a login is answered").expect(200);
        let token = body["access_token"].as_str().expect("a token");
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The person's access token; nobody in particular has none.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The same person, talking to another coordinator or bank.
    #[must_use]
    pub fn at(&self, accounts: Option<&str>, transactions: Option<&str>) -> Self {
        let mut other = self.clone();
        if let Some(url) = accounts {
            url.clone_into(&mut other.urls.accounts);
        }
        if let Some(url) = transactions {
            url.clone_into(&mut other.urls.transactions);
        }
        other
    }

    /// Sends one request to any URL.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, NoAnswer> {
        let mut request = self.request(method, url);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(request).await
    }

    /// A request with the person's token, to be completed and sent with [`answer`].
    pub fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The same client with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// `POST /transfers` with two legs.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn transfer(
        &self,
        source: &str,
        destination: &str,
        amount: &str,
        key: &str,
    ) -> Result<Answer, NoAnswer> {
        let body = json!({
            "source_account_id": source, "destination_account_id": destination, "amount": amount,
        });
        self.transfer_of(&body, key).await
    }

    /// `POST /transfers` with any body.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn transfer_of(&self, body: &Value, key: &str) -> Result<Answer, NoAnswer> {
        let url = format!("{}/transfers", self.urls.transactions);
        self.send(Method::POST, &url, Some(key), Some(body)).await
    }

    /// `POST /transfers/batch`.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn batch(
        &self,
        transfers: &[Value],
        linked: bool,
        key: &str,
    ) -> Result<Answer, NoAnswer> {
        let url = format!("{}/transfers/batch", self.urls.transactions);
        let body = json!({"transfers": transfers, "linked": linked});
        self.send(Method::POST, &url, Some(key), Some(&body)).await
    }

    /// A GET at transactions-service.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get_transactions(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.urls.transactions);
        let answer = self.send(Method::GET, &url, None, None).await;
        answer.unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    /// A POST at transactions-service.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn post_transactions(&self, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.urls.transactions);
        let answer = self.send(Method::POST, &url, None, Some(body)).await;
        answer.unwrap_or_else(|error| panic!("POST {url}: {error}"))
    }

    /// A GET at accounts-service.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get_accounts(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.urls.accounts);
        let answer = self.send(Method::GET, &url, None, None).await;
        answer.unwrap_or_else(|error| panic!("GET {url}: {error}"))
    }

    /// Any request at accounts-service.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn accounts(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Result<Answer, NoAnswer> {
        let url = format!("{}{path}", self.urls.accounts);
        self.send(method, &url, key, Some(body)).await
    }

    /// A new account with this much money; the actor must be a teller.
    ///
    /// # Panics
    /// When it is not opened.
    pub async fn open_account(&self, balance: &str, more: Value) -> String {
        let mut body = json!({
            "customer_id": "550e8400-e29b-41d4-a716-446655440001", "currency": "USD",
            "opening_balance": balance,
        });
        if balance == "0" {
            body["opening_balance"] = Value::Null;
        }
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        let answer = self.accounts(Method::POST, "/accounts", None, &body).await;
        let account = answer.expect("opening an account is answered").expect(201);
        account["account_id"].as_str().expect("an id").to_owned()
    }

    /// What stands on an account: (balance, available, pending debits).
    pub async fn balance(&self, account: &str) -> String {
        let account = self
            .get_accounts(&format!("/accounts/{account}"))
            .await
            .expect(200);
        account["balance"].as_str().unwrap_or_default().to_owned()
    }
}

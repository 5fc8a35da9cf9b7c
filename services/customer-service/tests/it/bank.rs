//! A running customer-service with the seed data, and the people who use it.

use std::time::Duration;

use customer_service::config::CustomerConfig;
use customer_service::{MIGRATIONS, build, seed};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use service_kit::config::{BankConfig, Loaded};
use service_kit::testing::{TestDatabase, TestServer};
use service_kit::{client, database};
use sqlx::PgPool;

pub const ALICE: &str = "550e8400-e29b-41d4-a716-446655440001";
pub const BOB: &str = "550e8400-e29b-41d4-a716-446655440002";

pub struct Bank {
    pub pool: PgPool,
    pub database: TestDatabase,
    pub server: TestServer,
    client: Client,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// The status and the stable code.
    pub fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

/// Somebody who sends requests: with a token, or `anonymous`.
#[derive(Clone)]
pub struct Actor {
    client: Client,
    url: String,
    token: Option<String>,
}

pub async fn send(request: RequestBuilder) -> Reply {
    let response = request.send().await.expect("a reply");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.expect("a body");
    Reply {
        status,
        headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

impl Actor {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value, if_match: Option<&str>) -> Reply {
        let mut request = self.request(Method::PATCH, path).json(body);
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        send(request).await
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }
}

impl Bank {
    pub async fn start() -> Self {
        Self::with(CustomerConfig::default()).await
    }

    pub async fn with(config: CustomerConfig) -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        database::migrate(&pool, &MIGRATIONS)
            .await
            .expect("migrations");
        seed::insert(&pool).await.expect("seed data");
        let server = serve(config, pool.clone()).await;
        Self {
            pool,
            database,
            server,
            client: client::plain_http_client(Duration::from_secs(30)),
        }
    }

    /// Another replica on the same database.
    pub async fn replica(&self) -> Self {
        let pool = self.database.pool().await;
        let server = serve(CustomerConfig::default(), pool.clone()).await;
        Self {
            pool,
            database: TestDatabase::create().await,
            server,
            client: self.client.clone(),
        }
    }

    pub fn anonymous(&self) -> Actor {
        Actor {
            client: self.client.clone(),
            url: self.server.url().to_owned(),
            token: None,
        }
    }

    pub async fn login(&self, username: &str, password: &str) -> Reply {
        let body = json!({"username": username, "password": password});
        self.anonymous().post("/auth/login", &body).await
    }

    /// A seeded user, logged in.
    pub async fn user(&self, username: &str) -> Actor {
        let reply = self.login(username, seed::PASSWORD).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        self.anonymous().with_token(&reply.text("access_token"))
    }

    pub async fn alice(&self) -> Actor {
        self.user("alice-customer").await
    }

    pub async fn teller(&self) -> Actor {
        self.user("tom-teller").await
    }

    pub async fn admin(&self) -> Actor {
        self.user("ada-admin").await
    }
}

async fn serve(config: CustomerConfig, pool: PgPool) -> TestServer {
    let loaded = Loaded {
        bank: BankConfig::default(),
        service: config,
    };
    TestServer::start(build(loaded, pool).await.expect("a service")).await
}

/// A customer that can be taken on.
pub fn somebody(name: &str) -> Value {
    json!({"name": name, "address": "1 Long Road",
        "contact_info": {"email": "x@example.com", "phone": null}})
}

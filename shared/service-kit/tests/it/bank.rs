//! Two small services: `customer-service`, which signs tokens of users, and `bank-1`, which believes
//! them and those of `transactions-service`.

use std::collections::HashMap;

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::{Value, json};
use service_kit::auth::{
    Admin, Issuer, IssuerKind, KeySource, RevocationsView, ServiceCaller, Signer, TABLES_SQL,
    Teller, User, Verifier,
};
use service_kit::config::BankConfig;
use service_kit::extract::Json;
use service_kit::idempotency::KeyHeader;
use service_kit::serve::Service;
use service_kit::testing::{TestDatabase, TestServer};
use service_kit::{Result, context};
use sqlx::PgPool;
use types::views::Role;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

#[derive(serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Echo {
    text: String,
}

#[utoipa::path(get, path = "/user", responses((status = 200)))]
async fn user(user: User) -> Json<Value> {
    Json(json!({"login": user.login, "role": user.role}))
}

#[utoipa::path(get, path = "/teller", responses((status = 200)))]
async fn teller(_: Teller) -> &'static str {
    "welcome"
}

#[utoipa::path(get, path = "/admin", responses((status = 200)))]
async fn admin(_: Admin) -> &'static str {
    "welcome"
}

#[utoipa::path(get, path = "/internal/whoami", responses((status = 200)))]
async fn internal(caller: ServiceCaller) -> Json<Value> {
    Json(json!({"name": caller.name}))
}

#[utoipa::path(post, path = "/echo", request_body = Echo, responses((status = 200)))]
async fn echo(Json(echo): Json<Echo>) -> Json<Echo> {
    Json(echo)
}

#[utoipa::path(post, path = "/keyed", request_body = Echo, responses((status = 200)),
    params(("Idempotency-Key" = Option<String>, Header)))]
async fn keyed(_: User, KeyHeader(key): KeyHeader, Json(echo): Json<Echo>) -> Json<Value> {
    Json(json!({"key": key.as_str(), "text": echo.text}))
}

#[utoipa::path(post, path = "/echo/batch", request_body = Echo, responses((status = 200)))]
async fn echo_batch(Json(echo): Json<Echo>) -> Json<usize> {
    Json(echo.text.len())
}

#[utoipa::path(get, path = "/panic", responses((status = 500)))]
async fn panic() -> &'static str {
    panic!("the secret inside")
}

#[utoipa::path(get, path = "/context", responses((status = 200)))]
async fn request_context() -> Json<Value> {
    let context = context::current().expect("a context");
    Json(json!({"request_id": context.request_id(), "trace_id": context.trace_id()}))
}

#[utoipa::path(get, path = "/pause", responses((status = 200)))]
async fn pause() -> Result<&'static str> {
    service_kit::failpoints::hit("test_handler").await?;
    Ok("done")
}

/// What `/linger` has come to: entered, told to go on, at its end; or dropped on the way.
pub static LINGER: [tokio::sync::Semaphore; 4] =
    [const { tokio::sync::Semaphore::const_new(0) }; 4];

struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        LINGER[3].add_permits(1);
    }
}

#[utoipa::path(get, path = "/linger", responses((status = 200)))]
async fn linger() -> &'static str {
    let leaving = Leaving;
    LINGER[0].add_permits(1);
    LINGER[1].acquire().await.expect("open").forget();
    std::mem::forget(leaving);
    LINGER[2].add_permits(1);
    "done"
}

#[utoipa::path(get, path = "/auth/revocations", responses((status = 200)))]
async fn revocations(State(pool): State<PgPool>) -> Json<RevocationsView> {
    let rows: Vec<(Uuid, chrono::DateTime<Utc>)> = sqlx::query_as("SELECT * FROM test_revoked")
        .fetch_all(&pool)
        .await
        .expect("the table");
    let items = rows
        .into_iter()
        .map(|(jti, at)| service_kit::auth::RevocationView {
            jti,
            expires_at: at.into(),
        });
    Json(RevocationsView {
        items: items.collect(),
    })
}

/// A service with its database.
pub struct Member {
    _database: TestDatabase,
    pub pool: PgPool,
    pub signer: Signer,
    pub name: &'static str,
}

impl Member {
    pub async fn new(name: &'static str) -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool().await;
        sqlx::raw_sql(TABLES_SQL)
            .execute(&pool)
            .await
            .expect("the tables of the kit");
        sqlx::raw_sql("CREATE TABLE test_revoked (jti uuid, expires_at timestamptz)")
            .execute(&pool)
            .await
            .expect("a table");
        let signer = Signer::new(pool.clone(), name).await.expect("a signer");
        Self {
            _database: database,
            pool,
            signer,
            name,
        }
    }

    /// Ourselves as issuer of user tokens.
    pub fn own_users(&self) -> Issuer {
        Issuer {
            name: self.name.to_owned(),
            kind: IssuerKind::Users,
            keys: KeySource::Own(self.signer.clone()),
        }
    }

    pub async fn service(&self, issuers: Vec<Issuer>, bank: BankConfig) -> Service {
        let audiences = vec![self.name.to_owned()];
        let verifier = Verifier::new(self.pool.clone(), audiences, issuers)
            .await
            .expect("a verifier");
        Service {
            name: self.name.to_owned(),
            version: "1.2.3",
            bank,
            router: OpenApiRouter::new()
                .routes(routes!(user))
                .routes(routes!(teller))
                .routes(routes!(admin))
                .routes(routes!(internal))
                .routes(routes!(echo))
                .routes(routes!(echo_batch))
                .routes(routes!(keyed))
                .routes(routes!(panic))
                .routes(routes!(request_context))
                .routes(routes!(pause))
                .routes(routes!(linger))
                .routes(routes!(revocations))
                .with_state(self.pool.clone()),
            pool: self.pool.clone(),
            signer: self.signer.clone(),
            verifier,
            dependencies: Vec::new(),
        }
    }

    pub async fn start(&self, issuers: Vec<Issuer>) -> TestServer {
        TestServer::start(self.service(issuers, BankConfig::default()).await).await
    }

    /// The active key: its name and its 32 bytes.
    pub async fn key(&self) -> (String, Vec<u8>) {
        sqlx::query_as("SELECT kid, private_key FROM signing_keys WHERE retired_at IS NULL")
            .fetch_one(&self.pool)
            .await
            .expect("the active key")
    }

    pub async fn revoke(&self, jti: Uuid) {
        sqlx::query("INSERT INTO test_revoked VALUES ($1, now() + interval '1 hour')")
            .bind(jti)
            .execute(&self.pool)
            .await
            .expect("a row");
    }
}

/// One service that is its own issuer; enough for what is not about issuers.
pub async fn alone(bank: BankConfig) -> (Member, TestServer) {
    let member = Member::new("customer-service").await;
    let service = member.service(vec![member.own_users()], bank).await;
    (member, TestServer::start(service).await)
}

pub fn role_claims(role: Role) -> Value {
    let now = Utc::now().timestamp();
    let customer = (role == Role::Customer).then(Uuid::now_v7);
    json!({"iss": "customer-service", "aud": "bank", "sub": Uuid::now_v7(), "customer_id": customer,
        "role": role, "iat": now, "exp": now + 900, "jti": Uuid::new_v4()})
}

/// A token made of exactly these parts, signed with an Ed25519 key.
pub fn token(header: &str, claims: &str, key: &[u8]) -> String {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(key.try_into().expect("32 bytes"));
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

pub async fn send(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.expect("a reply");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.expect("a body");
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Reply {
        status,
        headers,
        body,
    }
}

pub fn http() -> reqwest::Client {
    service_kit::client::plain_http_client(std::time::Duration::from_secs(20))
}

pub async fn get(url: String, token: &str) -> Reply {
    send(http().get(url).bearer_auth(token)).await
}

/// What `GET /metrics` counts for requests, by their labels.
pub async fn metrics(server: &TestServer) -> HashMap<String, String> {
    let text = http().get(format!("{}/metrics", server.url()));
    let text = text.send().await.expect("a reply").text().await;
    text.expect("text")
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

//! Calls to other services: what is believed and what is not.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde_json::{Value, json};
use service_kit::auth::Issuer;
use service_kit::client::{CallError, ServiceClient};
use service_kit::testing::TestServer;
use types::Code;

use crate::bank::Member;

struct Line {
    coordinator: Member,
    _bank: Member,
    _coordinator_server: TestServer,
    bank_server: TestServer,
}

async fn line() -> Line {
    let coordinator = Member::new("transactions-service").await;
    let bank = Member::new("bank-1").await;
    let coordinator_server = coordinator.start(vec![]).await;
    let url = coordinator_server.url().to_owned();
    let bank_server = bank
        .start(vec![Issuer::service("transactions-service", vec![url])])
        .await;
    Line {
        coordinator,
        _bank: bank,
        _coordinator_server: coordinator_server,
        bank_server,
    }
}

fn client(line: &Line, name: &str, url: &str) -> ServiceClient {
    let signer = line.coordinator.signer.clone();
    ServiceClient::new(name, url, "bank-1", signer, Duration::from_secs(2))
}

#[tokio::test]
async fn a_reply_of_the_service_we_mean_is_believed() {
    let line = line().await;
    let bank = client(&line, "bank-1", line.bank_server.url());
    let whoami: Value = bank.get("/internal/whoami").await.expect("a reply");
    assert_eq!(whoami, json!({"name": "transactions-service"}));
    let echo: Value = bank
        .post("/echo", &json!({"text": "hello"}))
        .await
        .expect("a reply");
    assert_eq!(echo, json!({"text": "hello"}));
}

#[tokio::test]
async fn a_refusal_carries_its_code_and_a_fault_of_the_service_is_unknown() {
    let line = line().await;
    let bank = client(&line, "bank-1", line.bank_server.url());
    let refused = bank.post::<_, Value>("/echo", &json!({"text": 1})).await;
    assert!(
        matches!(
            refused,
            Err(CallError::Refused {
                status: 422,
                code: Code::InvalidBody,
                ..
            })
        ),
        "{refused:?}"
    );
    let panicked = bank.get::<Value>("/panic").await;
    assert!(
        matches!(panicked, Err(CallError::Unknown(_))),
        "{panicked:?}"
    );
    let other_shape = bank.get::<Vec<u8>>("/internal/whoami").await;
    assert!(
        matches!(other_shape, Err(CallError::Unknown(_))),
        "{other_shape:?}"
    );
}

#[tokio::test]
async fn another_service_at_the_address_is_never_believed() {
    let line = line().await;
    let swapped = client(&line, "bank-2", line.bank_server.url());
    let reply = swapped
        .post::<_, Value>("/echo", &json!({"text": "hello"}))
        .await;
    assert!(matches!(reply, Err(CallError::Unknown(_))), "{reply:?}");
    let refusal = swapped.post::<_, Value>("/echo", &json!({"text": 1})).await;
    assert!(matches!(refusal, Err(CallError::Unknown(_))), "{refusal:?}");
}

#[tokio::test]
async fn pages_redirects_and_broken_replies_are_unknown() {
    let line = line().await;
    let named = |body: axum::response::Response| ([("x-service-name", "bank-1")], body);
    let target = format!("{}/internal/whoami", line.bank_server.url());
    let app = Router::new()
        .route(
            "/html",
            get(|| async { axum::response::Html("<h1>up</h1>") }),
        )
        .route(
            "/redirect",
            get(move || async move { Redirect::temporary(&target) }),
        )
        .route(
            "/named-html",
            get(move || async move { named(axum::response::Html("{}").into_response()) }),
        )
        .route(
            "/named-text",
            get(move || async move { named((StatusCode::BAD_REQUEST, "no").into_response()) }),
        )
        .route(
            "/unavailable",
            get(move || async move {
                named((StatusCode::SERVICE_UNAVAILABLE, axum::Json(json!({}))).into_response())
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(service_kit::serve::serve(
        app,
        listener,
        std::future::pending(),
    ));
    let impostor = client(&line, "bank-1", &url);
    for path in [
        "/html",
        "/redirect",
        "/named-html",
        "/named-text",
        "/unavailable",
        "/none",
    ] {
        let reply = impostor.get::<Value>(path).await;
        assert!(
            matches!(reply, Err(CallError::Unknown(_))),
            "{path}: {reply:?}"
        );
    }
    server.abort();
    let nobody = client(&line, "bank-1", "http://127.0.0.1:9");
    assert!(matches!(
        nobody.get::<Value>("/").await,
        Err(CallError::Unknown(_))
    ));
}

//! Who may call which route. Every route of the service stands here.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bank::{ALICE, BOB, Bank, send, somebody};

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let bank = Bank::start().await;
    let actors = [
        bank.anonymous(),
        bank.alice().await,
        bank.teller().await,
        bank.admin().await,
    ];
    let refresh = json!({"refresh_token": "none"});
    let login = json!({"username": "alice-customer", "password": "banking-dev"});
    let nothing = Value::Null;
    let alice = format!("/customers/{ALICE}");
    let bob = format!("/customers/{BOB}");
    let bobs_logins = format!("{bob}/logins");
    let new_login = |role: &str| {
        json!({"username": format!("{role}-{}", uuid::Uuid::new_v4().simple()),
            "password": "a-good-password", "role": role})
    };
    let customer_login = || new_login("customer");
    let empty = json!({});
    let route = |method: Method, path: &str, body: Value, expected: [u16; 4]| {
        (method, path.to_owned(), body, expected)
    };
    let table = [
        route(Method::GET, "/health", nothing.clone(), [200; 4]),
        route(Method::GET, "/ready", nothing.clone(), [200; 4]),
        route(Method::GET, "/metrics", nothing.clone(), [200; 4]),
        route(Method::GET, "/openapi.json", nothing.clone(), [200; 4]),
        route(Method::GET, "/docs/", nothing.clone(), [200; 4]),
        route(
            Method::GET,
            "/.well-known/jwks.json",
            nothing.clone(),
            [200; 4],
        ),
        route(Method::GET, "/auth/revocations", nothing.clone(), [200; 4]),
        route(Method::POST, "/auth/login", login, [200; 4]),
        route(Method::POST, "/auth/refresh", refresh.clone(), [401; 4]),
        route(Method::POST, "/auth/logout", refresh, [204; 4]),
        route(
            Method::POST,
            "/auth/keys/rotate",
            nothing.clone(),
            [401, 403, 403, 200],
        ),
        route(
            Method::POST,
            "/customers",
            somebody("New"),
            [401, 403, 201, 201],
        ),
        route(
            Method::GET,
            "/customers",
            nothing.clone(),
            [401, 403, 200, 200],
        ),
        route(Method::GET, &alice, nothing.clone(), [401, 200, 200, 200]),
        route(Method::GET, &bob, nothing.clone(), [401, 404, 200, 200]),
        route(Method::PATCH, &alice, empty.clone(), [401, 200, 200, 200]),
        route(Method::PATCH, &bob, empty, [401, 404, 200, 200]),
        route(
            Method::POST,
            &bobs_logins,
            new_login("teller"),
            [401, 403, 403, 201],
        ),
        route(
            Method::POST,
            &bobs_logins,
            new_login("admin"),
            [401, 403, 403, 201],
        ),
        route(
            Method::GET,
            "/demo/failpoints/x",
            nothing,
            [401, 403, 403, 200],
        ),
    ];
    for (method, path, body, expected) in table {
        for (actor, expected) in actors.iter().zip(expected) {
            let mut request = actor.request(method.clone(), &path);
            if !body.is_null() {
                request = request.json(&body);
            }
            let reply = send(request).await;
            assert_eq!(reply.status, expected, "{method} {path}: {}", reply.body);
        }
    }
    for (actor, expected) in actors.iter().zip([401, 403, 201, 201]) {
        let reply = actor.post(&bobs_logins, &customer_login()).await;
        assert_eq!(reply.status, expected, "{}", reply.body);
    }
}

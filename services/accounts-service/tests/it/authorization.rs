//! Who may call what: every route, every kind of caller.

use reqwest::Method;
use serde_json::{Value, json};
use types::{AccountId, LoginId, ReconciliationId, ResolutionId, TransactionId};

use crate::bank::{ALICE, ALICE_1, Actor, BOB, Bank, Reply, bank_1, comparison, send};

/// What each kind of caller gets: nobody, a customer, a teller, an admin, the coordinator, a peer.
struct Row {
    method: Method,
    path: String,
    body: Value,
    statuses: [u16; 6],
}

fn row(method: Method, path: impl Into<String>, body: Value, statuses: [u16; 6]) -> Row {
    Row {
        method,
        path: path.into(),
        body,
        statuses,
    }
}

fn table() -> Vec<Row> {
    let (get, post, patch) = (Method::GET, Method::POST, Method::PATCH);
    let list = json!({"participant": "bank-1", "items": []});
    let cash = json!({"amount": "1"});
    let account = json!({"customer_id": BOB, "currency": "USD"});
    let force = json!({"participant": "bank-1", "transaction_id": TransactionId::generate(),
        "outcome": "abort", "expected_state": "PREPARED",
        "resolution_id": ResolutionId::generate(), "proposed_by": LoginId::generate(),
        "confirmed_by": LoginId::generate(), "reason": "test"});
    let branch = format!("/branches/{}", TransactionId::generate());
    let only_coordinator = [401, 403, 403, 403, 200, 403];
    vec![
        row(
            post.clone(),
            "/accounts",
            account,
            [401, 403, 201, 201, 403, 403],
        ),
        row(
            get.clone(),
            format!("/accounts/{ALICE_1}"),
            json!(null),
            [401, 200, 200, 200, 403, 403],
        ),
        row(
            get.clone(),
            format!("/accounts/customer/{ALICE}"),
            json!(null),
            [401, 200, 200, 200, 403, 403],
        ),
        row(
            get.clone(),
            format!("/accounts/customer/{BOB}"),
            json!(null),
            [401, 403, 200, 200, 403, 403],
        ),
        row(
            get.clone(),
            format!("/accounts/{ALICE_1}/entries"),
            json!(null),
            [401, 200, 200, 200, 403, 403],
        ),
        row(
            patch,
            format!("/accounts/{ALICE_1}"),
            json!({}),
            [401, 403, 200, 200, 403, 403],
        ),
        row(
            post.clone(),
            format!("/accounts/{ALICE_1}/deposits"),
            cash.clone(),
            [401, 403, 201, 201, 403, 403],
        ),
        row(
            post.clone(),
            format!("/accounts/{ALICE_1}/withdrawals"),
            cash,
            [401, 403, 201, 201, 403, 403],
        ),
        row(
            get.clone(),
            "/ledger/check",
            json!(null),
            [401, 403, 403, 200, 403, 403],
        ),
        row(
            get.clone(),
            "/branches/in-doubt",
            json!(null),
            [401, 403, 403, 200, 403, 403],
        ),
        row(
            get,
            format!("{branch}/audit"),
            json!(null),
            [401, 403, 403, 200, 403, 403],
        ),
        row(
            post.clone(),
            format!("{branch}/resolutions"),
            json!({"outcome": "abort", "reason": "x"}),
            [401, 403, 403, 409, 403, 403],
        ),
        row(
            post.clone(),
            format!("{branch}/resolutions/{ALICE_1}/confirmations"),
            json!({}),
            [401, 403, 403, 404, 403, 403],
        ),
        row(
            post.clone(),
            format!("{branch}/hazards/acknowledgements"),
            json!({"hazard": "heuristic_mixed", "reason": "x"}),
            [401, 403, 403, 404, 403, 403],
        ),
        row(
            post.clone(),
            "/internal/branches/evidence",
            json!({"participant": "bank-1", "items": [], "in_doubt_for_ms": 0,
                "acknowledged": true}),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/hazards/acknowledgements",
            json!({"participant": "bank-1", "transaction_id": ALICE_1, "hazard": "x",
                "reason": "x", "actor": ALICE_1}),
            [401, 403, 403, 403, 404, 403],
        ),
        row(
            post.clone(),
            "/internal/prepare",
            list.clone(),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/commit",
            list.clone(),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/abort",
            list.clone(),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/branches",
            list.clone(),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/numbers",
            json!(comparison(&bank_1(), &[], &[])),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/numbers/reconciliations",
            json!({
                "reconciliation_id": ReconciliationId::generate(),
                "comparison": comparison(&bank_1(), &[], &[]),
                "proposed_by": LoginId::generate(), "confirmed_by": LoginId::generate(),
                "reason": "a test",
            }),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/accounts",
            list.clone(),
            only_coordinator,
        ),
        row(
            post.clone(),
            "/internal/branches/terminate",
            list,
            [401, 403, 403, 403, 403, 200],
        ),
        row(
            post.clone(),
            "/internal/branches/force",
            force,
            [401, 403, 403, 403, 409, 403],
        ),
        row(
            post,
            "/demo/unsafe-withdrawals",
            json!({}),
            [401, 201, 201, 201, 403, 403],
        ),
    ]
}

async fn ask(actor: &Actor, row: &Row) -> Reply {
    let request = actor.request(row.method.clone(), &row.path);
    send(if row.body.is_null() {
        request
    } else {
        request.json(&row.body)
    })
    .await
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let bank = Bank::start().await;
    let actors = [
        bank.anonymous(),
        bank.alice(),
        bank.teller(),
        bank.admin(),
        bank.coordinator(),
        bank.peer(),
    ];
    for row in table() {
        for (actor, status) in actors.iter().zip(row.statuses) {
            let reply = ask(actor, &row).await;
            assert_eq!(
                reply.status, status,
                "{} {}: {}",
                row.method, row.path, reply.body
            );
            if status == 401 {
                assert!(reply.header("www-authenticate").starts_with("Bearer"));
            }
        }
    }
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn no_route_is_missing_in_the_table() {
    let bank = Bank::start().await;
    let openapi = bank.anonymous().get("/openapi.json").await.body;
    let mut documented = Vec::new();
    for (path, methods) in openapi["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            documented.push((method.to_uppercase(), path.clone()));
        }
    }
    let tested = table();
    let fits = |pattern: &str, path: &str| {
        let (pattern, path) = (pattern.split('/'), path.split('/'));
        pattern.clone().count() == path.clone().count()
            && pattern
                .zip(path)
                .all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
    };
    // Routes that every service has are tested where they are made.
    let common = [
        "/health",
        "/ready",
        "/metrics",
        "/.well-known/",
        "/demo/failpoints",
    ];
    documented.retain(|(_, path)| !common.iter().any(|known| path.starts_with(known)));
    assert!(documented.len() >= 15, "{documented:?}");
    for (method, path) in documented {
        let known = tested
            .iter()
            .any(|row| row.method.as_str() == method && fits(&path, &row.path));
        assert!(known, "{method} {path} is in no authorization test");
    }
}

#[tokio::test]
async fn ids_that_are_not_uuids_are_refused_everywhere() {
    let bank = Bank::start().await;
    let nil = "00000000-0000-0000-0000-000000000000".to_owned();
    let braced = format!("{{{}}}", AccountId::generate());
    for id in [nil, braced, "1".to_owned()] {
        for path in [
            format!("/accounts/{id}"),
            format!("/accounts/{id}/entries"),
            format!("/accounts/customer/{id}"),
        ] {
            let reply = bank.teller().get(&path).await;
            assert_eq!(reply.refusal(), (400, "invalid_id"), "{path}");
        }
    }
}

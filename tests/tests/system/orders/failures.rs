//! Every failure that a request can ask for, but crashes.

use serde_json::{Value, json};
use tests::{ORDERS, TestBank, eventually};
use tokio::task::JoinSet;

use super::{COIN, adds_up, get, open, product, wish};

/// The step that is asked for until somebody knows: a failure of it is overcome, unless it refuses.
fn expected(step: &str, when: &str, kind: &str) -> &'static str {
    match (step, when, kind) {
        ("confirm", "before", "error") => "COMPENSATED",
        ("confirm", _, _) => "COMMITTED",
        _ => "COMPENSATED",
    }
}

async fn ended(bank: &TestBank, id: &str) -> Value {
    let alice = bank.alice().await;
    eventually("the order has ended", || async {
        let order = get(bank, &alice, &format!("/orders/{id}"))
            .await
            .expect(200);
        let status = order["status"].as_str().unwrap();
        ["COMMITTED", "COMPENSATED"]
            .contains(&status)
            .then_some(order)
    })
    .await
}

async fn every(kind: &'static str) {
    let bank = open().await;
    let alice = bank.alice().await;
    let url = format!("{}/orders", bank.url(ORDERS));
    let mut placing = JoinSet::new();
    for step in ["create_order", "reserve_stock", "pay", "confirm"] {
        for when in ["before", "during", "after"] {
            let (alice, url) = (alice.clone(), url.clone());
            placing.spawn(async move {
                let mut wanted = wish(&[(COIN, 1)]);
                wanted["failure"] = json!({"step": step, "when": when, "kind": kind});
                let key = format!("{step}-{when}");
                let answer = alice.send(reqwest::Method::POST, &url, Some(&key), Some(&wanted));
                (step, when, answer.await.unwrap())
            });
        }
    }
    let mut sold = 0;
    for (step, when, answer) in placing.join_all().await {
        let id = answer.body["order_id"].as_str();
        let id = id.unwrap_or_else(|| panic!("{step} {when}: {}", answer.body));
        let order = ended(&bank, id).await;
        let expected = expected(step, when, kind);
        assert_eq!(order["status"], expected, "{step} {when} {kind}: {order}");
        match (answer.status.as_u16(), expected) {
            (201, "COMMITTED") | (202, _) => {}
            (422, "COMPENSATED") => assert!(!answer.code().is_empty()),
            other => panic!("{step} {when} {kind}: {other:?}"),
        }
        if kind == "error" && expected == "COMPENSATED" {
            assert_eq!(order["reason"], "injected_failure", "{step} {when}");
        }
        sold += i64::from(expected == "COMMITTED");
    }
    adds_up(&bank).await;
    assert_eq!(product(&bank, COIN).await["available"], 10 - sold);
    bank.stop().await;
}

#[tokio::test]
async fn case_64_each_step_of_an_order_that_fails_undoes_those_before_it() {
    every("error").await;
}

#[tokio::test]
async fn case_75_a_step_of_an_order_that_times_out_is_undone_although_it_happened() {
    every("timeout").await;
}

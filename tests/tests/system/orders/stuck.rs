//! An order whose payment cannot be undone for as long as the bank is down: for an operator.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, ORDERS, TRANSACTIONS, TestBank, eventually};

use super::{COIN, adds_up, call, get, open_with, place, product, wish};

/// Places an order while the bank cannot be asked, and waits until it is stuck; its id.
async fn stuck(bank: &TestBank, alice: &Actor, key: &str) -> String {
    drop(place(bank, alice, &wish(&[(COIN, 2)]), key).await);
    let admin = bank.admin().await;
    eventually("the order is stuck", || async {
        let listed = get(bank, &admin, "/sagas?status=STUCK").await.body;
        let item = listed["items"].as_array()?.first()?;
        Some(item["saga_id"].as_str()?.to_owned())
    })
    .await
}

async fn order(bank: &TestBank, admin: &Actor, id: &str, what: &str) -> Value {
    let path = format!("/sagas/{id}/{what}");
    let reason = json!({"reason": "the bank is back"});
    let answer = call(bank, admin, Method::POST, &path, Some(&reason)).await;
    answer.expect(202)
}

/// What a step's status is, as the order's saga tells.
fn status<'a>(saga: &'a Value, step: &str) -> &'a Value {
    let mut steps = saga["steps"].as_array().unwrap().iter();
    &steps.find(|one| one["step"] == step).unwrap()["status"]
}

#[tokio::test]
async fn case_68_an_order_that_cannot_be_undone_is_stuck_until_an_operator_says_how_to_go_on() {
    let bank = open_with(|options| {
        options
            .setting("ORDERS_UNDO_RETRIES", 1)
            .setting("ORDERS_PAYMENT_TIMEOUT_MS", 500)
    })
    .await;
    let (alice, admin) = (bank.alice().await, bank.admin().await);
    for (what, undone) in [("retry", "COMPENSATED"), ("skip", "SKIPPED")] {
        bank.kill(TRANSACTIONS).await;
        let id = stuck(&bank, &alice, what).await;
        bank.alarm(ORDERS).await;
        assert!(bank.logged(ORDERS, "MANUAL_INTERVENTION_REQUIRED") > 0);
        let shown = get(&bank, &alice, &format!("/orders/{id}"))
            .await
            .expect(200);
        assert_eq!(shown["status"], "STUCK");
        assert_eq!(
            product(&bank, COIN).await["reserved"],
            2,
            "nothing is given up in silence"
        );
        bank.restart(TRANSACTIONS).await;
        order(&bank, &admin, &id, what).await;
        let path = format!("/orders/{id}/saga");
        let saga = eventually("the order is undone", || async {
            let saga = get(&bank, &alice, &path).await.body;
            (saga["status"] == "COMPENSATED").then_some(saga)
        })
        .await;
        assert_eq!(status(&saga, "pay"), undone, "{saga}");
        let log = saga["log"].as_array().unwrap().iter();
        let told = log.filter_map(|line| line["detail"].as_str());
        assert!(
            told.into_iter()
                .any(|words| words.contains("the bank is back")),
            "{saga}"
        );
        adds_up(&bank).await;
        let path = format!("/sagas/{id}/{what}");
        let again = json!({"reason": "once more"});
        let again = call(&bank, &admin, Method::POST, &path, Some(&again)).await;
        assert_eq!((again.status.as_u16(), again.code()), (409, "conflict"));
    }
    assert_eq!(product(&bank, COIN).await["available"], 10);
    bank.stop().await;
}

//! Orders that are undone on demand.

use reqwest::Method;
use serde_json::json;
use tests::{Failpoint, ORDERS, eventually};

use super::{COIN, adds_up, call, get, open, place, product, wish};
use crate::seed;

#[tokio::test]
async fn a_cancelled_order_gives_back_the_money_and_the_pieces() {
    let bank = open().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let order = place(&bank, &alice, &wish(&[(COIN, 4)]), "one")
        .await
        .expect(201);
    let id = order["order_id"].as_str().unwrap();
    assert_eq!(teller.balance(seed::ALICE).await, "900.00");
    let carol = bank.actor("carol-customer").await;
    let path = format!("/orders/{id}/cancel");
    assert_eq!(
        call(&bank, &carol, Method::POST, &path, None).await.status,
        404
    );
    for _ in 0..2 {
        let cancelled = call(&bank, &alice, Method::POST, &path, None).await;
        assert_eq!(cancelled.expect(200)["status"], "CANCELLED");
    }
    assert_eq!(teller.balance(seed::ALICE).await, "1000.00");
    assert_eq!(product(&bank, COIN).await["available"], 10);
    let listed = get(&bank, &alice, "/orders?status=CANCELLED")
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["order_id"], id);
    // What was answered under the key stays what it was.
    let again = place(&bank, &alice, &wish(&[(COIN, 4)]), "one")
        .await
        .expect(201);
    assert_eq!(again["status"], "COMMITTED");
    adds_up(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn an_order_that_runs_or_did_not_come_about_cannot_be_cancelled() {
    let bank = open().await;
    let alice = bank.alice().await;
    let refused = place(&bank, &alice, &wish(&[(COIN, 11)]), "refused").await;
    let id = refused.body["order_id"].as_str().unwrap();
    let path = format!("/orders/{id}/cancel");
    let answer = call(&bank, &alice, Method::POST, &path, None).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (409, "order_not_cancellable")
    );

    bank.arm(ORDERS, "saga_after_log", Failpoint::Pause).await;
    let (actor, url) = (alice.clone(), format!("{}/orders", bank.url(ORDERS)));
    let placing = tokio::spawn(async move {
        let wanted = wish(&[(COIN, 1)]);
        actor
            .send(Method::POST, &url, Some("runs"), Some(&wanted))
            .await
    });
    bank.waits_at(ORDERS, "saga_after_log").await;
    let listed = get(&bank, &alice, "/orders?status=STARTED")
        .await
        .expect(200);
    let id = listed["items"][0]["order_id"].as_str().unwrap();
    let path = format!("/orders/{id}/cancel");
    let answer = call(&bank, &alice, Method::POST, &path, None).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (409, "order_in_progress")
    );
    let again = place(&bank, &alice, &wish(&[(COIN, 1)]), "runs").await;
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (409, "request_in_progress")
    );
    bank.disarm(ORDERS, "saga_after_log").await;
    assert_eq!(placing.await.unwrap().unwrap().status, 201);
    adds_up(&bank).await;
    bank.stop().await;
}

/// The sales account is empty, so the bank cannot pay back.
#[tokio::test]
async fn an_order_whose_money_cannot_go_back_stays_as_it_is() {
    let bank = open().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let order = place(&bank, &alice, &wish(&[(COIN, 4)]), "one")
        .await
        .expect(201);
    let id = order["order_id"].as_str().unwrap();
    let emptied = teller
        .accounts(
            Method::POST,
            &format!("/accounts/{}/withdrawals", super::SALES),
            None,
            &json!({"amount": "100"}),
        )
        .await;
    emptied.unwrap().expect(201);
    let path = format!("/orders/{id}/cancel");
    let refused = call(&bank, &alice, Method::POST, &path, None).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "insufficient_funds")
    );
    let order = get(&bank, &alice, &format!("/orders/{id}"))
        .await
        .expect(200);
    assert_eq!(order["status"], "COMMITTED");
    teller
        .accounts(
            Method::POST,
            &format!("/accounts/{}/deposits", super::SALES),
            None,
            &json!({"amount": "100"}),
        )
        .await
        .unwrap()
        .expect(201);
    eventually("it is cancelled", || async {
        let answer = call(&bank, &alice, Method::POST, &path, None).await;
        (answer.status == 200).then_some(())
    })
    .await;
    adds_up(&bank).await;
    bank.stop().await;
}

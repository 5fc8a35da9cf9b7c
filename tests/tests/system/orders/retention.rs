//! What is old and over is deleted at the cash desk and at the bank, and an order can be cancelled
//! all the same.

use reqwest::Method;
use serde_json::json;
use tests::{ACCOUNTS, ORDERS, TRANSACTIONS, TestBank, eventually};

use super::{COIN, call, open_with, place, product, wish};
use crate::clocks::Clocks;
use crate::retention::{DAY, count, eager, is_there};
use crate::seed;

async fn payment(bank: &TestBank, order: &str) -> String {
    sqlx::query_scalar("SELECT payment_transaction_id::text FROM orders WHERE order_id = $1::uuid")
        .bind(order)
        .fetch_one(&bank.database(ORDERS).await)
        .await
        .expect("a payment")
}

#[tokio::test]
async fn an_order_that_is_long_over_can_be_cancelled_and_a_stuck_one_keeps_what_it_needs() {
    let Some(clocks) = Clocks::find() else {
        return;
    };
    // Before anything is started: a process never makes an id that is older than its last one.
    clocks.set(-9 * DAY, -9 * DAY);
    let bank = open_with(|options| clocks.wind(eager(options))).await;
    let alice = bank.alice().await;
    let mut orders = Vec::new();
    for key in ["over", "stuck"] {
        let order = place(&bank, &alice, &wish(&[(COIN, 2)]), key).await;
        let order = order.expect(201)["order_id"].as_str().unwrap().to_owned();
        orders.push(order);
    }
    let [over, stuck] = [&orders[0], &orders[1]];
    let all = count(&bank, ORDERS, "order_operations").await;
    sqlx::query("UPDATE sagas SET status = 'STUCK' WHERE saga_id = $1::uuid")
        .bind(stuck)
        .execute(&bank.database(ORDERS).await)
        .await
        .unwrap();
    let other = alice.transfer(seed::ALICE, seed::BOB, "1", "other").await;
    let other = other.unwrap().transaction_id().to_owned();
    let paid = payment(&bank, over).await;

    clocks.set(0, 0);
    bank.log_in_anew();
    eventually("what is old and over is gone", || async {
        let operations = count(&bank, ORDERS, "order_operations").await;
        let keys = count(&bank, ORDERS, "idempotency_keys").await;
        let booked = is_there(&bank, ACCOUNTS, "branches", &paid).await;
        let told = is_there(&bank, TRANSACTIONS, "transactions", &other).await;
        (operations < all && keys < 2 && !booked && !told).then_some(())
    })
    .await;
    // One of two orders alike.
    assert_eq!(count(&bank, ORDERS, "order_operations").await, all / 2);
    assert_eq!(count(&bank, ORDERS, "idempotency_keys").await, 1);
    assert!(is_there(&bank, TRANSACTIONS, "transactions", &paid).await);

    let (alice, teller) = (bank.alice().await, bank.teller().await);
    assert_eq!(teller.balance(seed::ALICE).await, "899.00");
    let path = format!("/orders/{over}/cancel");
    let cancelled = call(&bank, &alice, Method::POST, &path, None).await;
    assert_eq!(cancelled.expect(200)["status"], json!("CANCELLED"));
    assert_eq!(teller.balance(seed::ALICE).await, "949.00");
    assert_eq!(product(&bank, COIN).await["available"], 8);
    bank.settles().await;
    bank.stop().await;
}

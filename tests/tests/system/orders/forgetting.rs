//! A product's document forgets orders that are over, and what it says stays true.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{ORDERS, TestBank, eventually};

use super::{COIN, adds_up, call, get, open_with, place, product, wish};

/// What the coin's document says.
async fn document(bank: &TestBank) -> Value {
    let pool = bank.database("documents").await;
    let sql = "SELECT body FROM documents WHERE collection = 'stock' AND id = $1";
    let body = sqlx::query_scalar(sql).bind(COIN);
    body.fetch_one(&pool).await.unwrap()
}

#[tokio::test]
async fn a_document_keeps_the_last_orders_and_what_was_sold_to_the_others() {
    let bank = open_with(|options| {
        options
            .setting("ORDERS_KEEP_ORDERS", 2)
            .setting("ORDERS_FORGET_AFTER_MS", 0)
            .setting("ORDERS_FORGET_TICK_MS", 20)
    })
    .await;
    let alice = bank.alice().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let key = format!("order-{number}");
        let order = place(&bank, &alice, &wish(&[(COIN, 1)]), &key).await;
        let order = order.expect(201);
        ids.push(order["order_id"].as_str().unwrap().to_owned());
    }
    let kept = eventually("all but two orders are forgotten", || async {
        let body = document(&bank).await;
        let listed = body["orders"].as_object()?.len();
        (listed == 2).then_some(body)
    })
    .await;
    assert_eq!((&kept["sold"], &kept["forgotten"]), (&json!(5), &json!(3)));
    assert_eq!(kept["operations"].as_object().unwrap().len(), 4);

    // Reading finds nothing to mend: an order that is forgotten is no contradiction.
    let path = format!("/orders/{}", ids[0]);
    let order = get(&bank, &alice, &path).await.expect(200);
    assert_eq!(
        (&order["status"], &order["repairs"]),
        (&json!("COMMITTED"), &json!([]))
    );
    assert_eq!(product(&bank, COIN).await["available"], 5);
    assert_eq!(bank.logged(ORDERS, "READ_REPAIRED"), 0);

    let cancelled = call(&bank, &alice, Method::POST, &format!("{path}/cancel"), None).await;
    assert_eq!(cancelled.expect(200)["status"], "CANCELLED");
    assert_eq!(product(&bank, COIN).await["available"], 6);
    adds_up(&bank).await;
    bank.stop().await;
}

//! Products and their stock.

use reqwest::Method;
use serde_json::json;
use tests::{ORDERS, TestBank};
use tokio::task::JoinSet;

use super::{COIN, call, get, product};

#[tokio::test]
async fn stock_comes_and_goes_and_is_never_below_zero() {
    let bank = TestBank::start_with_orders().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let listed = get(&bank, &alice, "/products").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 5, "{listed}");

    let coin = json!({"name": "New coin", "price": "1.25", "currency": "USD"});
    let created = call(&bank, &teller, Method::POST, "/products", Some(&coin)).await;
    let created = created.expect(201);
    assert_eq!(
        (&created["available"], &created["reserved"]),
        (&json!(0), &json!(0))
    );
    let id = created["product_id"].as_str().unwrap();
    let stock = format!("/products/{id}/stock");
    for (delta, status, available) in [(5, 200, 5), (-6, 422, 5), (-5, 200, 0), (-1, 422, 0)] {
        let body = json!({"delta": delta});
        let changed = call(&bank, &teller, Method::PATCH, &stock, Some(&body)).await;
        assert_eq!(changed.status, status, "{}", changed.body);
        if status == 422 {
            assert_eq!(changed.code(), "out_of_stock");
        }
        assert_eq!(product(&bank, id).await["available"], available);
    }
    for (path, body, status) in [
        (&*stock, json!({"delta": 0}), 422),
        (&*stock, json!({"delta": 1.5}), 422),
        (
            "/products/770e8400-e29b-41d4-a716-446655449999/stock",
            json!({"delta": 1}),
            404,
        ),
    ] {
        let refused = call(&bank, &teller, Method::PATCH, path, Some(&body)).await;
        assert_eq!(refused.status, status, "{}", refused.body);
    }
    bank.stop().await;
}

/// A hundred tellers take one piece each of ten: the condition and the change are one.
#[tokio::test]
async fn a_hundred_at_once_take_no_more_than_there_is() {
    let bank = TestBank::start_with_orders().await;
    let teller = bank.teller().await;
    let url = format!("{}/products/{COIN}/stock", bank.url(ORDERS));
    let mut taking = JoinSet::new();
    for _ in 0..100 {
        let (teller, url) = (teller.clone(), url.clone());
        taking.spawn(async move {
            let body = json!({"delta": -1});
            let answer = teller.send(Method::PATCH, &url, None, Some(&body)).await;
            answer.unwrap()
        });
    }
    let answers = taking.join_all().await;
    let taken = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(taken, 10);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 || answer.code() == "out_of_stock")
    );
    assert_eq!(product(&bank, COIN).await["available"], 0);
    bank.stop().await;
}

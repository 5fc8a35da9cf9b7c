//! The cash desk: products, stock and orders.

mod products;

use reqwest::Method;
use serde_json::Value;
use tests::{Actor, Answer, ORDERS, TestBank};

/// The anniversary coin of the seed data: 25.00 USD, ten pieces.
pub(crate) const COIN: &str = "770e8400-e29b-41d4-a716-446655440005";

async fn call(
    bank: &TestBank,
    actor: &Actor,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let url = format!("{}{path}", bank.url(ORDERS));
    let answer = actor.send(method.clone(), &url, None, body).await;
    answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}

async fn get(bank: &TestBank, actor: &Actor, path: &str) -> Answer {
    call(bank, actor, Method::GET, path, None).await
}

/// A product as it is listed.
async fn product(bank: &TestBank, id: &str) -> Value {
    let teller = bank.teller().await;
    let listed = get(bank, &teller, "/products?limit=200").await.expect(200);
    let mut items = listed["items"].as_array().unwrap().iter();
    let product = items.find(|product| product["product_id"] == id);
    product.unwrap_or_else(|| panic!("no {id}")).clone()
}

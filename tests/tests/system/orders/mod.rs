//! The cash desk: products, stock and orders.

mod cancelling;
mod crashes;
mod failures;
mod forgetting;
mod placing;
mod products;
mod repairs;
mod retention;
mod stuck;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Actor, Answer, ORDERS, TestBank, eventually};

use crate::seed;

/// The anniversary coin of the seed data: 25.00 USD, ten pieces.
pub(crate) const COIN: &str = "770e8400-e29b-41d4-a716-446655440005";
/// The gold bar of the seed data: 95.00 USD, fifty pieces.
pub(crate) const BAR: &str = "770e8400-e29b-41d4-a716-446655440002";
/// What is bought is paid into this account.
pub(crate) const SALES: &str = "660e8400-e29b-41d4-a716-446655440009";

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

/// A bank with a cash desk whose processes take over and give up within moments.
async fn open() -> TestBank {
    open_with(|options| options).await
}

async fn open_with(change: impl FnOnce(stack::Options) -> stack::Options) -> TestBank {
    TestBank::start_with(|mut options| {
        options.orders = true;
        let options = options
            .setting("ORDERS_LEASE_MS", 1_000)
            .setting("ORDERS_RECOVERY_TICK_MS", 100)
            .setting("ORDERS_STEP_TIMEOUT_MS", 1_000)
            .setting("ORDERS_PAYMENT_TIMEOUT_MS", 3_000);
        change(options)
    })
    .await
}

/// An order for pieces of products, paid from Alice's first account.
fn wish(items: &[(&str, u32)]) -> Value {
    let items = items.iter();
    let items = items.map(|(id, pieces)| json!({"product_id": id, "quantity": pieces}));
    json!({"account_id": seed::ALICE, "items": items.collect::<Vec<_>>()})
}

/// `POST /orders`.
async fn place(bank: &TestBank, actor: &Actor, wish: &Value, key: &str) -> Answer {
    let url = format!("{}/orders", bank.url(ORDERS));
    let answer = actor.send(Method::POST, &url, Some(key), Some(wish)).await;
    answer.unwrap_or_else(|error| panic!("POST {url}: {error}"))
}

/// An order that came about.
pub(crate) async fn buy_one(bank: &TestBank, actor: &Actor) -> Value {
    place(bank, actor, &wish(&[(COIN, 1)]), "one-piece")
        .await
        .expect(201)
}

/// A product as it is listed.
async fn product(bank: &TestBank, id: &str) -> Value {
    let teller = bank.teller().await;
    let listed = get(bank, &teller, "/products?limit=200").await.expect(200);
    let mut items = listed["items"].as_array().unwrap().iter();
    let product = items.find(|product| product["product_id"] == id);
    product.unwrap_or_else(|| panic!("no {id}")).clone()
}

/// Waits until no saga is under way, then checks that orders, stock and money agree: what every
/// committed order bought is sold and paid, and of the others nothing is left.
async fn adds_up(bank: &TestBank) {
    let pool = bank.database(ORDERS).await;
    eventually("every saga has ended", || {
        let pool = pool.clone();
        async move {
            let open: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM sagas WHERE status NOT IN ('COMMITTED', 'COMPENSATED')",
            )
            .fetch_one(&pool)
            .await
            .ok()?;
            (open == 0).then_some(())
        }
    })
    .await;
    let orders: Vec<(String, bool, Vec<String>)> = sqlx::query_as(
        "SELECT o.state, s.status = 'COMMITTED' AND c.status IS DISTINCT FROM 'COMMITTED',
                array_agg(i.stock)
         FROM orders o JOIN order_items i USING (order_id) JOIN sagas s ON s.saga_id = o.order_id
         LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id
         GROUP BY o.order_id, s.status, c.status",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    for (state, came_about, stock) in &orders {
        if *came_about {
            assert_eq!(state, "confirmed", "{stock:?}");
            assert!(stock.iter().all(|one| one == "sold"), "{stock:?}");
        } else {
            assert!(["placed", "cancelled"].contains(&&**state), "{state}");
            assert!(stock.iter().all(|one| one == "none" || one == "returned"));
        }
    }
    let bought: Vec<(uuid::Uuid, i64)> = sqlx::query_as(
        "SELECT i.product_id, sum(i.quantity) FROM order_items i
         JOIN sagas s ON s.saga_id = i.order_id JOIN orders o USING (order_id)
         LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id
         WHERE s.status = 'COMMITTED' AND c.status IS DISTINCT FROM 'COMMITTED'
         GROUP BY i.product_id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let documents = bank.database("documents").await;
    let stock: Vec<(String, Value)> =
        sqlx::query_as("SELECT id, body FROM documents WHERE collection = 'stock'")
            .fetch_all(&documents)
            .await
            .unwrap();
    for (id, body) in stock {
        let sold = bought.iter().find(|(product, _)| product.to_string() == id);
        let sold = sold.map_or(0, |(_, pieces)| *pieces);
        assert_eq!(body["sold"], sold, "{body}");
        assert_eq!(body["reserved"], 0, "{body}");
        let received = body["received"].as_i64().unwrap();
        assert_eq!(body["available"], received - sold, "{body}");
    }
    bank.settles().await;
    let total: Option<String> = sqlx::query_scalar(
        "SELECT sum(o.total)::text FROM orders o JOIN sagas s ON s.saga_id = o.order_id
         LEFT JOIN sagas c ON c.saga_id = o.cancel_saga_id
         WHERE s.status = 'COMMITTED' AND c.status IS DISTINCT FROM 'COMMITTED'",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let total = total.unwrap_or_else(|| "0.0000".to_owned());
    let paid = bank.teller().await.balance(SALES).await;
    assert_eq!(
        tests::amount(&paid),
        tests::amount(&total),
        "the sales account"
    );
}

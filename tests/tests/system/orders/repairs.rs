//! An order and its stock that disagree, as nothing but a hand can make them.

use serde_json::{Value, json};
use tests::{Failpoint, ORDERS, TestBank, eventually};

use super::{COIN, adds_up, get, open, place, product, wish};

async fn corrupt_order(bank: &TestBank, id: &str, stock: &str) {
    let pool = bank.database(ORDERS).await;
    sqlx::query("UPDATE order_items SET stock = $2 WHERE order_id = $1::uuid")
        .bind(id)
        .bind(stock)
        .execute(&pool)
        .await
        .unwrap();
}

/// Changes the coin's document with a JSONB expression over `body`.
async fn corrupt_stock(bank: &TestBank, expression: &str) {
    let pool = bank.database("documents").await;
    let update = format!("UPDATE documents SET body = {expression} WHERE id = '{COIN}'");
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(update))
        .execute(&pool)
        .await;
    assert_eq!(done.unwrap().rows_affected(), 1);
}

async fn metric(bank: &TestBank, side: &str) -> u64 {
    let url = format!("{}/metrics", bank.url(ORDERS));
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let name = format!("bank_read_repairs_total{{side=\"{side}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |value| value.parse().unwrap())
}

fn repairs(order: &Value) -> &Vec<Value> {
    order["repairs"].as_array().unwrap()
}

#[tokio::test]
async fn a_read_mends_whichever_side_is_wrong_and_says_so() {
    let bank = open().await;
    let alice = bank.alice().await;
    let order = place(&bank, &alice, &wish(&[(COIN, 3)]), "one")
        .await
        .expect(201);
    let id = order["order_id"].as_str().unwrap();
    let path = format!("/orders/{id}");
    let order = get(&bank, &alice, &path).await.expect(200);
    assert_eq!(order["repairs"], json!([]));

    corrupt_order(&bank, id, "reserved").await;
    let order = get(&bank, &alice, &path).await.expect(200);
    assert_eq!(order["items"][0]["stock"], "sold");
    let repair = &repairs(&order)[0];
    assert_eq!(
        (&repair["side"], &repair["found"], &repair["corrected"]),
        (&json!("order"), &json!("reserved"), &json!("sold"))
    );
    assert_eq!(metric(&bank, "order").await, 1);

    // The stock forgets that the order exists, and sells its pieces again.
    let forgets = format!(
        "jsonb_set(jsonb_set(body #- '{{orders,{id}}}', '{{available}}', '10'), '{{sold}}', '0')"
    );
    corrupt_stock(&bank, &forgets).await;
    let order = get(&bank, &alice, &path).await.expect(200);
    let repair = &repairs(&order)[1];
    assert_eq!(
        (&repair["side"], &repair["found"], &repair["corrected"]),
        (&json!("stock"), &json!("nothing"), &json!("3 sold"))
    );
    assert_eq!(product(&bank, COIN).await["available"], 7);

    // Reading the products mends as well: the order's pieces, and sums that do not add up.
    let back = format!("jsonb_set(body, '{{orders,{id},state}}', '\"reserved\"')");
    corrupt_stock(&bank, &back).await;
    assert_eq!(product(&bank, COIN).await["reserved"], 0);
    corrupt_stock(&bank, "jsonb_set(body, '{available}', '99')").await;
    assert_eq!(product(&bank, COIN).await["available"], 7);
    corrupt_order(&bank, id, "none").await;
    product(&bank, COIN).await;
    assert_eq!(metric(&bank, "stock").await, 3);
    assert_eq!(metric(&bank, "order").await, 2);
    assert_eq!(bank.logged(ORDERS, "READ_REPAIRED"), 5);

    let order = get(&bank, &alice, &path).await.expect(200);
    assert_eq!(repairs(&order).len(), 4, "the sums are no order's");
    adds_up(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn a_read_leaves_an_order_alone_that_is_under_way() {
    let bank = open().await;
    let alice = bank.alice().await;
    // The pieces are reserved, and the order does not know it yet.
    let mut wanted = wish(&[(COIN, 3)]);
    wanted["failure"] = json!({"step": "reserve_stock", "when": "during", "kind": "timeout"});
    let (actor, url) = (alice.clone(), format!("{}/orders", bank.url(ORDERS)));
    let placing = tokio::spawn(async move {
        actor
            .send(reqwest::Method::POST, &url, Some("runs"), Some(&wanted))
            .await
    });
    let id = eventually("the pieces are reserved", || async {
        let listed = get(&bank, &alice, "/orders").await.expect(200);
        let order = &listed["items"][0];
        let reserved = product(&bank, COIN).await["reserved"] == 3;
        let differs = reserved && order["items"][0]["stock"] == "none";
        differs.then(|| order["order_id"].as_str().unwrap().to_owned())
    })
    .await;
    let order = get(&bank, &alice, &format!("/orders/{id}"))
        .await
        .expect(200);
    assert_eq!(order["repairs"], json!([]));
    assert_eq!(bank.logged(ORDERS, "READ_REPAIRED"), 0);
    drop(placing.await);
    adds_up(&bank).await;
    let order = get(&bank, &alice, &format!("/orders/{id}"))
        .await
        .expect(200);
    assert_eq!(order["repairs"], json!([]), "and there was nothing to mend");
    bank.stop().await;
}

/// A cancellation that is under way keeps readers off, too.
#[tokio::test]
async fn a_read_leaves_an_order_alone_that_is_being_cancelled() {
    let bank = open().await;
    let alice = bank.alice().await;
    let order = place(&bank, &alice, &wish(&[(COIN, 3)]), "one")
        .await
        .expect(201);
    let id = order["order_id"].as_str().unwrap().to_owned();
    bank.arm(ORDERS, "saga_after_log", Failpoint::Pause).await;
    let (actor, url) = (alice.clone(), bank.url(ORDERS));
    let path = format!("{url}/orders/{id}/cancel");
    let cancelling =
        tokio::spawn(async move { actor.send(reqwest::Method::POST, &path, None, None).await });
    bank.waits_at(ORDERS, "saga_after_log").await;
    corrupt_order(&bank, &id, "reserved").await;
    let order = get(&bank, &alice, &format!("/orders/{id}"))
        .await
        .expect(200);
    assert_eq!(order["repairs"], json!([]));
    corrupt_order(&bank, &id, "sold").await;
    bank.disarm(ORDERS, "saga_after_log").await;
    assert_eq!(cancelling.await.unwrap().unwrap().status, 200);
    adds_up(&bank).await;
    bank.stop().await;
}

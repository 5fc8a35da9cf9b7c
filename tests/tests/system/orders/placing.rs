//! Orders that come about, and orders that are refused.

use serde_json::json;
use tests::ORDERS;
use tokio::task::JoinSet;

use super::{BAR, COIN, SALES, adds_up, get, open, open_with, place, product, wish};
use crate::seed;

#[tokio::test]
async fn an_order_is_paid_and_its_pieces_are_sold() {
    let bank = open().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let wanted = wish(&[(COIN, 2), (BAR, 1)]);
    let answer = place(&bank, &alice, &wanted, "one").await;
    let order = answer.clone().expect(201);
    assert_eq!(order["status"], "COMMITTED");
    assert_eq!(
        (&order["total"], &order["currency"]),
        (&json!("145.00"), &json!("USD"))
    );
    let id = order["order_id"].as_str().unwrap();
    assert_eq!(teller.balance(seed::ALICE).await, "855.00");
    assert_eq!(teller.balance(SALES).await, "145.00");
    assert_eq!(product(&bank, COIN).await["available"], 8);
    assert_eq!(product(&bank, COIN).await["reserved"], 0);

    let saga = get(&bank, &alice, &format!("/orders/{id}/saga"))
        .await
        .expect(200);
    assert_eq!(
        (&saga["saga_id"], &saga["status"]),
        (&json!(id), &json!("COMMITTED"))
    );
    let steps: Vec<_> = saga["steps"].as_array().unwrap().iter().collect();
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["create_order", "reserve_stock", "pay", "confirm"]);
    assert!(steps.iter().all(|step| step["status"] == "DONE"), "{saga}");
    assert_eq!(
        saga["log"].as_array().unwrap().last().unwrap()["event"],
        "COMMITTED"
    );

    // Once per key, and the same answer.
    let again = place(&bank, &alice, &wanted, "one").await;
    assert!(again.replayed && again.status == 201);
    assert_eq!(again.body, answer.body);
    let other = place(&bank, &alice, &wish(&[(COIN, 1)]), "one").await;
    assert_eq!(
        (other.status.as_u16(), other.code()),
        (422, "idempotency_key_reused")
    );

    // Nobody else's business.
    let carol = bank.actor("carol-customer").await;
    for path in [format!("/orders/{id}"), format!("/orders/{id}/saga")] {
        assert_eq!(get(&bank, &carol, &path).await.status, 404);
        assert_eq!(get(&bank, &teller, &path).await.status, 200);
    }
    let listed = get(&bank, &carol, "/orders").await.expect(200);
    assert_eq!(listed["items"], json!([]));
    let listed = get(&bank, &alice, "/orders?status=COMMITTED")
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["order_id"], id);
    let listed = get(&bank, &alice, "/orders?status=COMPENSATED")
        .await
        .expect(200);
    assert_eq!(listed["items"], json!([]));
    adds_up(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn what_is_refused_at_a_step_leaves_nothing_behind() {
    let bank = open().await;
    let (alice, carol) = (bank.alice().await, bank.actor("carol-customer").await);
    let missing = "770e8400-e29b-41d4-a716-446655449999";
    let theft = wish(&[(COIN, 1)]);
    for (name, actor, wanted, code, is_begun) in [
        // The bars were taken before the coins were not there.
        (
            "stock",
            &alice,
            wish(&[(BAR, 1), (COIN, 11)]),
            "out_of_stock",
            true,
        ),
        (
            "money",
            &alice,
            wish(&[(BAR, 50)]),
            "insufficient_funds",
            true,
        ),
        ("theft", &carol, theft, "account_not_found", true),
        (
            "product",
            &alice,
            wish(&[(missing, 1)]),
            "product_not_found",
            false,
        ),
        ("nothing", &alice, wish(&[]), "invalid_body", false),
        (
            "twice",
            &alice,
            wish(&[(COIN, 1), (COIN, 1)]),
            "invalid_body",
            false,
        ),
    ] {
        let refused = place(&bank, actor, &wanted, name).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (422, code),
            "{name}"
        );
        let id = refused.body["order_id"].as_str();
        assert_eq!(id.is_some(), is_begun, "{name}: {}", refused.body);
        let again = place(&bank, actor, &wanted, name).await;
        assert_eq!(again.code(), code, "{name}");
        if let Some(id) = id {
            assert!(again.replayed, "{name}");
            assert_eq!(again.body, refused.body, "{name}");
            let order = get(&bank, actor, &format!("/orders/{id}"))
                .await
                .expect(200);
            assert_eq!(
                (&order["status"], &order["reason"]),
                (&json!("COMPENSATED"), &json!(code))
            );
        }
    }
    adds_up(&bank).await;
    assert_eq!(bank.teller().await.balance(seed::ALICE).await, "1000.00");
    bank.stop().await;
}

/// A hundred at once want one of the last ten each: ten get one, and the others keep their money.
#[tokio::test]
async fn a_hundred_orders_for_the_last_ten_pieces_sell_ten() {
    let bank = open_with(|options| {
        options
            .setting("ORDERS_REPLY_PATIENCE_MS", 30_000)
            .setting("ORDERS_STEP_TIMEOUT_MS", 10_000)
            .setting("ORDERS_PAYMENT_TIMEOUT_MS", 15_000)
            .setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 10_000)
    })
    .await;
    let alice = bank.alice().await;
    let url = format!("{}/orders", bank.url(ORDERS));
    let mut placing = JoinSet::new();
    for number in 0..100 {
        let (alice, url) = (alice.clone(), url.clone());
        placing.spawn(async move {
            let (key, wanted) = (format!("rush-{number}"), wish(&[(COIN, 1)]));
            let answer = alice.send(reqwest::Method::POST, &url, Some(&key), Some(&wanted));
            answer.await.unwrap()
        });
    }
    let answers = placing.join_all().await;
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers
        .iter()
        .filter(|answer| answer.code() == "out_of_stock");
    assert_eq!((sold, refused.count()), (10, 90));
    assert_eq!(product(&bank, COIN).await["available"], 0);
    assert_eq!(bank.teller().await.balance(seed::ALICE).await, "750.00");
    adds_up(&bank).await;
    bank.stop().await;
}

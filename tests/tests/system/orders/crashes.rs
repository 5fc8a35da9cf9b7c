//! Processes that die while orders are under way.

use serde_json::json;
use tests::{Actor, Failpoint, ORDERS, TRANSACTIONS, TestBank, eventually};

use super::{COIN, adds_up, get, open, place, product, wish};

/// Places an order whose answer nobody waits for, because somebody dies.
fn placed(bank: &TestBank, alice: &Actor, wanted: serde_json::Value, key: &str) {
    let (alice, key) = (alice.clone(), key.to_owned());
    let url = format!("{}/orders", bank.url(ORDERS));
    tokio::spawn(async move {
        drop(
            alice
                .send(reqwest::Method::POST, &url, Some(&key), Some(&wanted))
                .await,
        );
    });
}

/// The status of the only order under this key, when it has one for ever.
async fn ends(bank: &TestBank, alice: &Actor, wanted: &serde_json::Value, key: &str) -> u16 {
    eventually("the order has an answer", || async {
        let answer = place(bank, alice, wanted, key).await;
        let status = answer.status.as_u16();
        [201, 422].contains(&status).then_some(status)
    })
    .await
}

#[tokio::test]
async fn case_63_orders_service_dies_at_every_step_and_the_order_ends() {
    let bank = open().await;
    let alice = bank.alice().await;
    let mut sold = 0;
    for step in ["create_order", "reserve_stock", "pay", "confirm"] {
        for when in ["before", "during", "after"] {
            // There are ten coins, and twelve crashes.
            let wanted = if sold < 10 { COIN } else { super::BAR };
            let mut wanted = wish(&[(wanted, 1)]);
            wanted["failure"] = json!({"step": step, "when": when, "kind": "crash"});
            let key = format!("{step}-{when}");
            placed(&bank, &alice, wanted.clone(), &key);
            bank.died(ORDERS).await;
            bank.restart(ORDERS).await;
            let status = ends(&bank, &alice, &wanted, &key).await;
            assert_eq!(status, 201, "a crash is no refusal: {step} {when}");
            sold += 1;
        }
    }
    adds_up(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_63_orders_service_dies_before_and_after_it_writes_the_log() {
    let bank = open().await;
    let alice = bank.alice().await;
    for point in ["saga_before_log", "saga_after_log"] {
        bank.arm(ORDERS, point, Failpoint::Abort).await;
        let wanted = wish(&[(COIN, 1)]);
        placed(&bank, &alice, wanted.clone(), point);
        bank.died(ORDERS).await;
        bank.restart(ORDERS).await;
        assert_eq!(ends(&bank, &alice, &wanted, point).await, 201, "{point}");
    }
    adds_up(&bank).await;
    assert_eq!(product(&bank, COIN).await["available"], 8);
    bank.stop().await;
}

#[tokio::test]
async fn case_72_orders_service_dies_while_it_undoes_an_order_and_never_goes_forward_again() {
    let bank = open().await;
    let alice = bank.alice().await;
    let mut wanted = wish(&[(COIN, 2)]);
    wanted["failure"] = json!({"step": "confirm", "when": "before", "kind": "error"});
    // The reversal of the payment waits, so the order is being undone for as long as we like.
    let transactions = bank.database(TRANSACTIONS).await;
    placed(&bank, &alice, wanted.clone(), "undone");
    eventually("it is paid", || {
        let pool = transactions.clone();
        async move {
            let paid: i64 = sqlx::query_scalar("SELECT count(*) FROM transactions")
                .fetch_one(&pool)
                .await
                .ok()?;
            (paid > 0).then_some(())
        }
    })
    .await;
    bank.kill(ORDERS).await;
    bank.restart(ORDERS).await;
    assert_eq!(ends(&bank, &alice, &wanted, "undone").await, 422);
    let admin = bank.admin().await;
    let sagas = get(&bank, &admin, "/sagas?status=COMPENSATED")
        .await
        .expect(200);
    let log = sagas["items"][0]["log"].as_array().unwrap();
    let events = log.iter().map(|line| line["event"].as_str().unwrap());
    let after: Vec<_> = events.skip_while(|event| *event != "TURNED_BACK").collect();
    assert!(
        !after.is_empty() && !after.contains(&"ACTION_STARTED"),
        "{after:?}"
    );
    adds_up(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn a_payment_whose_bank_dies_is_made_once_or_never() {
    let bank = open().await;
    let alice = bank.alice().await;
    for point in ["after_begin", "after_decide"] {
        bank.arm(TRANSACTIONS, point, Failpoint::Abort).await;
        let wanted = wish(&[(COIN, 1)]);
        placed(&bank, &alice, wanted.clone(), point);
        bank.died(TRANSACTIONS).await;
        bank.restart(TRANSACTIONS).await;
        ends(&bank, &alice, &wanted, point).await;
        adds_up(&bank).await;
    }
    bank.stop().await;
}

/// A database of documents that lets nobody in and throws out who is there.
async fn close_documents(bank: &TestBank, open: bool) {
    let url = bank.bank.database_url("documents").unwrap();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let name = name.split('?').next().unwrap();
    let pool = bank.database(TRANSACTIONS).await;
    let alter = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {open}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(alter))
        .execute(&pool)
        .await
        .unwrap();
    if !open {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        sqlx::query(end).bind(name).execute(&pool).await.unwrap();
    }
}

#[tokio::test]
async fn an_order_ends_when_the_documents_come_back() {
    let bank = open().await;
    let alice = bank.alice().await;
    let wanted = wish(&[(COIN, 1)]);
    bank.arm(ORDERS, "saga_after_log", Failpoint::Pause).await;
    placed(&bank, &alice, wanted.clone(), "away");
    bank.waits_at(ORDERS, "saga_after_log").await;
    close_documents(&bank, false).await;
    bank.disarm(ORDERS, "saga_after_log").await;
    let refused = eventually("nobody can read the stock", || async {
        let answer = get(&bank, &alice, "/products").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(refused.code(), "unavailable");
    close_documents(&bank, true).await;
    ends(&bank, &alice, &wanted, "away").await;
    adds_up(&bank).await;
    bank.stop().await;
}

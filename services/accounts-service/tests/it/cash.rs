//! Cash over the counter.

use futures_util::future::join_all;
use serde_json::json;
use two_phase::message::Outcome;

use crate::bank::{ALICE_1, BOB_1, Bank, CAROL_1, figures, transfer, yes};

#[tokio::test]
async fn a_deposit_and_a_withdrawal_are_entries_against_the_vault() {
    let bank = Bank::start().await;
    let teller = bank.teller();
    let path = format!("/accounts/{CAROL_1}");
    let cash = json!({"amount": "25.5", "description": "birthday"});
    let paid_in = teller.post(&format!("{path}/deposits"), &cash).await;
    assert_eq!(paid_in.status, 201, "{}", paid_in.body);
    assert_eq!(paid_in.text("status"), "committed");
    let entry = &paid_in.body["entry"];
    assert_eq!(entry["change"], "25.50");
    assert_eq!(entry["balance_after"], "175.50");
    assert_eq!(entry["kind"], "deposit");
    assert_eq!(entry["description"], "birthday");
    assert_eq!(entry["version"], 2);
    assert_eq!(entry["transaction_id"], paid_in.body["transaction_id"]);
    assert!(!paid_in.header("idempotency-key").is_empty());
    let paid_out = teller
        .post(&format!("{path}/withdrawals"), &json!({"amount": 175.5}))
        .await;
    assert_eq!(paid_out.body["entry"]["change"], "-175.50");
    assert_eq!(paid_out.body["entry"]["balance_after"], "0.00");
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_97_a_request_that_is_repeated_under_its_key_happens_once() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{CAROL_1}/withdrawals"));
    let requests = (0..20).map(|n| {
        // Two spellings of one amount.
        let amount = if n % 2 == 0 {
            json!("100")
        } else {
            json!(100.00)
        };
        let (teller, path) = (teller.clone(), path.clone());
        async move {
            let cash = json!({"amount": amount});
            teller.post_keyed(&path, &cash, "rent-november").await
        }
    });
    let replies = join_all(requests).await;
    let replayed = replies
        .iter()
        .filter(|reply| reply.header("idempotent-replayed") == "true");
    assert_eq!(replayed.count(), 19);
    for reply in &replies {
        assert_eq!((reply.status, &reply.bytes), (201, &replies[0].bytes));
        assert_eq!(reply.header("idempotency-key"), "rent-november");
    }
    assert_eq!(
        bank.figures(CAROL_1).await,
        figures("50.00", "0.00", "0.00", 2)
    );
    // Another body, another way, another account: not the same request.
    let other = json!({"amount": "101"});
    let reused = teller.post_keyed(&path, &other, "rent-november").await;
    assert_eq!(reused.refusal(), (422, "idempotency_key_reused"));
    let deposits = format!("/accounts/{CAROL_1}/deposits");
    let reused = teller
        .post_keyed(&deposits, &json!({"amount": "100"}), "rent-november")
        .await;
    assert_eq!(reused.refusal(), (422, "idempotency_key_reused"));
    // Another teller's key is another key.
    let other_teller = bank.teller();
    let new = other_teller
        .post_keyed(&path, &json!({"amount": "50"}), "rent-november")
        .await;
    assert_eq!(new.status, 201);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn a_request_that_failed_under_a_key_stays_failed() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{CAROL_1}/withdrawals"));
    let cash = json!({"amount": "200"});
    let first = teller.post_keyed(&path, &cash, "k").await;
    assert_eq!(first.refusal(), (422, "insufficient_funds"));
    assert_eq!(first.text("transaction_status"), "aborted");
    assert_eq!(first.text("retry"), "new_key");
    assert_eq!(first.header("content-type"), "application/problem+json");
    let deposits = format!("/accounts/{CAROL_1}/deposits");
    teller.post(&deposits, &json!({"amount": "100"})).await;
    let again = teller.post_keyed(&path, &cash, "k").await;
    assert_eq!((again.status, &again.bytes), (422, &first.bytes));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/problem+json");
    let new_key = teller.post_keyed(&path, &cash, "k-2").await;
    assert_eq!(new_key.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_97_cash_never_reaches_into_held_money() {
    let bank = Bank::start().await;
    for _ in 0..20 {
        let wish = transfer(CAROL_1, BOB_1, "100");
        let id = wish.transaction_id;
        let (participant, teller) = (bank.participant.clone(), bank.teller());
        let preparing = tokio::spawn(async move { participant.prepare(vec![wish]).await[0] });
        let path = format!("/accounts/{CAROL_1}/withdrawals");
        let paid = teller.post(&path, &json!({"amount": "100"})).await.status == 201;
        let held = preparing.await.expect("no panic") == Some(yes());
        assert!(paid != held, "150 is enough for one of them");
        bank.assert_sound().await;
        bank.decide(id, Outcome::Abort).await;
        if paid {
            let deposits = format!("/accounts/{CAROL_1}/deposits");
            bank.teller()
                .post(&deposits, &json!({"amount": "100"}))
                .await;
        }
    }
    assert_eq!(bank.figures(CAROL_1).await.0, "150.00");
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_57_of_two_withdrawals_of_100_from_150_at_once_one_is_paid() {
    let bank = Bank::start().await;
    let (one, two, path) = (
        bank.teller(),
        bank.teller(),
        format!("/accounts/{CAROL_1}/withdrawals"),
    );
    let cash = json!({"amount": "100"});
    let (one, two) = tokio::join!(one.post(&path, &cash), two.post(&path, &cash));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    assert_eq!(
        bank.figures(CAROL_1).await,
        figures("50.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn what_is_no_amount_or_no_key_is_refused_and_nothing_is_remembered() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{ALICE_1}/deposits"));
    for bad in ["0", "-1", "-0", "0.00001", "1000000000000000", "NaN", "１"] {
        let reply = teller.post(&path, &json!({"amount": bad})).await;
        assert_eq!(reply.refusal(), (422, "invalid_amount"), "{bad}");
    }
    let long = "x".repeat(201);
    for bad in ["", "a b", long.as_str()] {
        let reply = teller.post_keyed(&path, &json!({"amount": "1"}), bad).await;
        assert_eq!(reply.refusal(), (400, "invalid_idempotency_key"), "{bad}");
    }
    let deceptive = json!({"amount": "1", "description": "a\u{202e}b"});
    let reply = teller.post(&path, &deceptive).await;
    assert_eq!(reply.refusal(), (422, "invalid_body"));
    let nobody = format!("/accounts/{}/deposits", types::AccountId::generate());
    let missing = teller
        .post_keyed(&nobody, &json!({"amount": "1"}), "k")
        .await;
    assert_eq!(missing.refusal(), (404, "account_not_found"));
    let vault: uuid::Uuid =
        sqlx::query_scalar("SELECT account_id FROM accounts WHERE purpose = 'vault:USD'")
            .fetch_one(&bank.pool)
            .await
            .expect("a vault");
    let vault = format!("/accounts/{vault}/withdrawals");
    let system = teller.post(&vault, &json!({"amount": "1"})).await;
    assert_eq!(system.refusal(), (404, "account_not_found"));
    let keys = "SELECT count(*) FROM idempotency_keys";
    assert_eq!(bank.count(keys).await, 0);
    bank.assert_at_rest().await;
}

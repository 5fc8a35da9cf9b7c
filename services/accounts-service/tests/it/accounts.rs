//! Opening and reading accounts.

use serde_json::json;

use crate::bank::{ALICE, ALICE_1, ALICE_2, BOB, BOB_1, Bank, bank_1};
use accounts_service::seed;

#[tokio::test]
async fn an_account_shows_everything_to_its_owner() {
    let bank = Bank::start().await;
    let reply = bank.alice().get(&format!("/accounts/{ALICE_1}")).await;
    assert_eq!(reply.status, 200);
    let mut body = reply.body;
    for at in ["created_at", "updated_at"] {
        let text = body[at].take();
        let text = text.as_str().expect("a time");
        assert!(text.ends_with('Z') && text.len() == 24, "{text}");
    }
    assert_eq!(
        body,
        json!({"account_id": ALICE_1, "customer_id": ALICE, "currency": "USD",
            "status": "active", "balance": "1000.00", "available_balance": "1000.00",
            "pending_change": "0.00", "pending_debits": "0.00", "pending_credits": "0.00",
            "transaction_lock": null, "locking": "escrow", "overdraft_limit": "0.00",
            "version": 1, "created_at": null, "updated_at": null})
    );
}

#[tokio::test]
async fn another_customers_account_looks_like_one_that_does_not_exist() {
    let bank = Bank::start().await;
    let nobody = types::AccountId::generate();
    let vault: uuid::Uuid =
        sqlx::query_scalar("SELECT account_id FROM accounts WHERE purpose = 'vault:USD'")
            .fetch_one(&bank.pool)
            .await
            .expect("a vault");
    for id in [BOB_1.to_owned(), nobody.to_string(), vault.to_string()] {
        for path in [format!("/accounts/{id}"), format!("/accounts/{id}/entries")] {
            let reply = bank.alice().get(&path).await;
            assert_eq!(reply.refusal(), (404, "account_not_found"), "{path}");
        }
    }
    let staff = bank.teller().get(&format!("/accounts/{vault}")).await;
    assert_eq!(staff.text("balance"), "-2400.00");
    assert_eq!(staff.body["customer_id"], json!(null));
    let bad = bank.alice().get("/accounts/1").await;
    assert_eq!(bad.refusal(), (400, "invalid_id"));
}

#[tokio::test]
async fn an_account_is_opened_with_money_from_the_vault() {
    let bank = Bank::start().await;
    let wish = json!({"customer_id": BOB, "currency": "EUR", "opening_balance": 12.5,
        "locking": "exclusive", "overdraft_limit": "100"});
    let reply = bank.teller().post("/accounts", &wish).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let id = reply.text("account_id");
    assert_eq!(reply.header("location"), format!("/accounts/{id}"));
    assert_eq!(reply.text("balance"), "12.50");
    assert_eq!(reply.text("available_balance"), "112.50");
    assert_eq!(reply.body["version"], 1);
    let entries = bank.bob().get(&format!("/accounts/{id}/entries")).await;
    assert_eq!(entries.body["items"][0]["kind"], "opening");
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn an_account_is_opened_once_for_each_key() {
    let bank = Bank::start().await;
    let teller = bank.teller();
    let wish = json!({"customer_id": BOB, "currency": "USD", "opening_balance": "10"});
    let first = teller.post_keyed("/accounts", &wish, "k-1").await;
    let again = teller.post_keyed("/accounts", &wish, "k-1").await;
    assert_eq!(again.status, 201);
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = json!({"customer_id": BOB, "currency": "USD", "opening_balance": "11"});
    let refused = teller.post_keyed("/accounts", &other, "k-1").await;
    assert_eq!(refused.refusal(), (422, "idempotency_key_reused"));
    let opened = format!("SELECT count(*) FROM accounts WHERE customer_id = '{BOB}'");
    assert_eq!(
        bank.count(&opened).await,
        2,
        "the seed account and this one"
    );
}

#[tokio::test]
async fn what_is_no_account_is_refused() {
    let bank = Bank::start().await;
    let teller = bank.teller();
    let with = |name: &str, value: serde_json::Value| {
        let mut wish = json!({"customer_id": BOB, "currency": "USD"});
        wish[name] = value;
        wish
    };
    for (wish, refusal) in [
        (
            with("opening_balance", json!("-1")),
            (422, "invalid_amount"),
        ),
        (
            with("opening_balance", json!("0.00001")),
            (422, "invalid_amount"),
        ),
        (
            with("opening_balance", json!("1000000000000000")),
            (422, "invalid_amount"),
        ),
        (
            with("overdraft_limit", json!("-1")),
            (422, "invalid_amount"),
        ),
        (
            with("overdraft_limit", json!("1000000000000000")),
            (422, "invalid_amount"),
        ),
        (with("currency", json!("usd")), (422, "invalid_body")),
        (with("balance", json!("5")), (422, "invalid_body")),
        (with("transaction_lock", json!(null)), (422, "invalid_body")),
        (with("customer_id", json!("bob")), (400, "invalid_id")),
        (with("locking", json!("none")), (422, "invalid_body")),
    ] {
        let reply = teller.post("/accounts", &wish).await;
        assert_eq!(reply.refusal(), refusal, "{wish}");
    }
    let zero = with("opening_balance", json!("0"));
    let opened = teller.post("/accounts", &zero).await;
    assert_eq!((opened.status, &opened.body["version"]), (201, &json!(0)));
}

#[tokio::test]
async fn a_customers_accounts_are_listed_page_by_page() {
    let bank = Bank::start().await;
    let path = format!("/accounts/customer/{ALICE}");
    let first = bank.alice().get(&format!("{path}?limit=1")).await;
    assert_eq!(first.body["items"][0]["account_id"], ALICE_1);
    let cursor = first.text("next_cursor");
    let second = bank
        .alice()
        .get(&format!("{path}?limit=1&cursor={cursor}"))
        .await;
    assert_eq!(second.body["items"][0]["account_id"], ALICE_2);
    assert_eq!(second.body["next_cursor"], json!(null));
    assert_eq!(bank.bob().get(&path).await.refusal(), (403, "forbidden"));
    assert_eq!(bank.teller().get(&path).await.status, 200);
    for bad in ["limit=0", "limit=201", "cursor=x", "page=2"] {
        let reply = bank.alice().get(&format!("{path}?{bad}")).await;
        assert_eq!(reply.refusal(), (422, "invalid_parameter"), "{bad}");
    }
}

#[tokio::test]
async fn seed_accounts_are_inserted_once_and_only_at_the_first_bank() {
    let bank = Bank::start().await;
    let accounts = "SELECT count(*) FROM accounts";
    let seeded = bank.count(accounts).await;
    assert!(seeded > 4, "customers and a vault: {seeded}");
    seed::insert(&bank.pool, &bank_1()).await.expect("again");
    assert_eq!(bank.count(accounts).await, seeded);
    let second = crate::bank::bank_2();
    seed::insert(&bank.pool, &second).await.expect("nothing");
    assert_eq!(bank.count(accounts).await, seeded);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_114_a_bank_does_not_start_on_another_banks_database() {
    let bank = Bank::start().await;
    let claimed = accounts_service::claim(&bank.pool, &bank_1()).await;
    assert!(claimed.is_ok());
    let refused = accounts_service::claim(&bank.pool, &crate::bank::bank_2()).await;
    let words = refused.expect_err("refused").to_string();
    assert!(words.contains("belongs to participant bank-1"), "{words}");
}

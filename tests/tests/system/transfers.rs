//! The main job: money moves, or it does not, and everybody sees the same.

use serde_json::json;
use tests::TestBank;

use crate::seed::{ALICE, ALICE_2, BOB, CAROL};

#[tokio::test]
async fn a_transfer_moves_money_and_tells_its_story() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let done = alice
        .transfer(ALICE, BOB, "100", "first")
        .await
        .unwrap()
        .expect(201);
    assert_eq!(done["status"], "committed");
    assert_eq!(done["settled"], true);
    assert_eq!(done["amount"], "100.00");
    assert_eq!(teller.balance(ALICE).await, "900.00");
    assert_eq!(teller.balance(BOB).await, "850.00");

    let id = done["transaction_id"].as_str().unwrap();
    let shown = alice
        .get_transactions(&format!("/transfers/{id}"))
        .await
        .expect(200);
    assert_eq!(shown, done, "the reply and the resource are the same");
    let bob = bank.actor("bob-customer").await;
    assert_eq!(
        bob.get_transactions(&format!("/transfers/{id}"))
            .await
            .status,
        200
    );
    let carol = bank.actor("carol-customer").await;
    assert_eq!(
        carol
            .get_transactions(&format!("/transfers/{id}"))
            .await
            .status,
        404
    );

    // At once: what the coordinator has yet to write is told all the same.
    let timeline = alice
        .get_transactions(&format!("/transfers/{id}/timeline"))
        .await
        .expect(200);
    let events: Vec<&str> = timeline["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "INITIATED",
            "PREPARE_SENT",
            "VOTE_YES",
            "DECIDED_COMMIT",
            "COMMIT_SENT",
            "ACKNOWLEDGED",
            "SETTLED"
        ]
    );
    bank.stop().await;
}

#[tokio::test]
async fn a_refused_transfer_moves_nothing_and_says_why() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let nobody = uuid::Uuid::now_v7().to_string();
    for (source, destination, amount, status, code) in [
        (ALICE, BOB, "1000.01", 422, "insufficient_funds"),
        (ALICE, nobody.as_str(), "1", 422, "account_not_found"),
        (BOB, ALICE, "1", 404, "account_not_found"),
        (nobody.as_str(), ALICE, "1", 404, "account_not_found"),
        (ALICE, ALICE, "1", 422, "same_account"),
        (ALICE, BOB, "0", 422, "invalid_amount"),
        (ALICE, BOB, "-1", 422, "invalid_amount"),
        (ALICE, BOB, "0.00001", 422, "invalid_amount"),
    ] {
        let key = format!("{source}-{destination}-{amount}");
        let refused = alice
            .transfer(source, destination, amount, &key)
            .await
            .unwrap();
        assert_eq!(refused.status.as_u16(), status, "{}", refused.body);
        assert_eq!(refused.code(), code);
        let again = alice
            .transfer(source, destination, amount, &key)
            .await
            .unwrap();
        assert_eq!(
            again.code(),
            code,
            "a transfer that failed under a key stays failed"
        );
    }
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    assert_eq!(teller.balance(BOB).await, "750.00");
    bank.stop().await;
}

#[tokio::test]
async fn one_transfer_may_have_many_legs() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let body = json!({"description": "rent and food", "legs": [
        {"account_id": ALICE, "amount": "-30"},
        {"account_id": ALICE_2, "amount": -20.5},
        {"account_id": BOB, "amount": "50"},
        {"account_id": CAROL, "amount": 0.5},
    ]});
    let done = alice.transfer_of(&body, "legs").await.unwrap().expect(201);
    assert_eq!(done["amount"], "50.50");
    assert_eq!(done["source_account_id"], serde_json::Value::Null);
    for (account, balance) in [
        (ALICE, "970.00"),
        (ALICE_2, "479.50"),
        (BOB, "800.00"),
        (CAROL, "150.50"),
    ] {
        assert_eq!(teller.balance(account).await, balance);
    }
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn money_moves_between_banks_and_clearing_nets_to_zero() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    let before = bank.total().await;
    alice
        .transfer(ALICE, &there, "100", "over")
        .await
        .unwrap()
        .expect(201);
    assert_eq!(teller.balance(&there).await, "110.00");
    bank.settles().await;
    assert_eq!(bank.total().await, before);
    let refused = alice
        .transfer(ALICE, &there, "5000", "too-much")
        .await
        .unwrap();
    assert_eq!(refused.code(), "insufficient_funds");
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_102_legs_in_two_currencies_at_two_banks_are_refused() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let euros = teller.open_account("10", json!({"currency": "EUR"})).await;
    let refused = alice
        .transfer(ALICE, &euros, "1", "exchange")
        .await
        .unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "currency_mismatch")
    );
    bank.settles().await;
    assert_eq!(teller.balance(&euros).await, "10.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_106_a_leg_on_a_system_account_is_refused() {
    let bank = TestBank::start().await;
    let teller = bank.teller().await;
    let vault: String =
        sqlx::query_scalar("SELECT account_id::text FROM accounts WHERE kind = 'vault'")
            .fetch_one(&bank.database(tests::ACCOUNTS).await)
            .await
            .unwrap();
    let taken = teller
        .transfer(&vault, ALICE, "1", "from-the-vault")
        .await
        .unwrap();
    assert_eq!(
        (taken.status.as_u16(), taken.code()),
        (404, "account_not_found")
    );
    let given = teller
        .transfer(ALICE, &vault, "1", "into-the-vault")
        .await
        .unwrap();
    assert_eq!(
        (given.status.as_u16(), given.code()),
        (422, "account_not_found")
    );
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_117_a_bank_that_is_down_is_not_an_account_that_is_missing() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    bank.kill(tests::ACCOUNTS_2).await;
    let refused = alice.transfer(ALICE, &there, "1", "where").await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable")
    );
    bank.restart(tests::ACCOUNTS_2).await;
    alice
        .transfer(ALICE, &there, "1", "where")
        .await
        .unwrap()
        .expect(201);
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_104_an_account_twice_in_one_transfer_is_refused_before_it_begins() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    let leg = |account: &str, amount: &str| json!({"account_id": account, "amount": amount});
    let body = json!({"legs": [leg(ALICE, "-2"), leg(BOB, "1"), leg(BOB, "1")]});
    let refused = alice.transfer_of(&body, "twice").await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "duplicate_account")
    );
    assert_eq!(bank.newest_transaction().await, None, "nothing was begun");
    bank.stop().await;
}

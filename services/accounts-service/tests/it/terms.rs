//! Freezing, closing and limits.

use reqwest::Method;
use serde_json::json;
use two_phase::message::Outcome;

use crate::bank::{ALICE_1, BOB, BOB_1, Bank, bank_1, part, send, transfer, yes};

#[tokio::test]
async fn case_98_a_limit_is_not_lowered_and_an_account_not_closed_under_holds() {
    let bank = Bank::start().await;
    let teller = bank.teller();
    let id = bank.open(BOB, "50", "escrow").await;
    let path = format!("/accounts/{id}");
    let limit = |text: &str| json!({"overdraft_limit": text});
    assert_eq!(teller.patch(&path, &limit("100")).await.status, 200);
    let wish = transfer(&id, BOB_1, "120");
    assert_eq!(bank.prepare(&wish).await, yes());
    let refused = teller.patch(&path, &limit("69.9999")).await;
    assert_eq!(refused.refusal(), (409, "limit_too_low"));
    assert_eq!(teller.patch(&path, &limit("70")).await.status, 200);
    let close = json!({"status": "closed"});
    let refused = teller.patch(&path, &close).await;
    assert_eq!(refused.refusal(), (409, "account_not_empty"));
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    let refused = teller.patch(&path, &limit("69")).await;
    assert_eq!(refused.refusal(), (409, "limit_too_low"));
    let cash = json!({"amount": "70"});
    let deposit = teller.post(&format!("{path}/deposits"), &cash).await;
    assert_eq!(deposit.status, 201);
    let closed = teller.patch(&path, &close).await;
    assert_eq!(
        (closed.status, closed.text("status")),
        (200, "closed".into())
    );
    let reopened = teller.patch(&path, &json!({"status": "active"})).await;
    assert_eq!(reopened.refusal(), (409, "conflict"));
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn an_account_that_a_prepared_batch_names_without_a_hold_is_not_closed() {
    let bank = Bank::start().await;
    let id = bank.open(BOB, "0", "escrow").await;
    let legs = [
        (ALICE_1, "-5", 0),
        (id.as_str(), "5", 0),
        (id.as_str(), "-5", 1),
        (BOB_1, "5", 1),
    ];
    let wish = part(&bank_1(), &legs);
    assert_eq!(bank.prepare(&wish).await, yes());
    let close = json!({"status": "closed"});
    let path = format!("/accounts/{id}");
    let refused = bank.teller().patch(&path, &close).await;
    assert_eq!(refused.refusal(), (409, "account_not_empty"));
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(bank.teller().patch(&path, &close).await.status, 200);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn a_frozen_account_takes_no_cash_until_it_is_active_again() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{ALICE_1}"));
    teller.patch(&path, &json!({"status": "frozen"})).await;
    let cash = json!({"amount": "1"});
    for way in ["deposits", "withdrawals"] {
        let reply = teller.post(&format!("{path}/{way}"), &cash).await;
        assert_eq!(reply.refusal(), (422, "account_frozen"));
    }
    teller.patch(&path, &json!({"status": "active"})).await;
    let reply = teller.post(&format!("{path}/deposits"), &cash).await;
    assert_eq!(reply.status, 201);
}

#[tokio::test]
async fn a_change_can_be_made_conditional_on_what_was_read() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{ALICE_1}"));
    let read = teller.get(&path).await;
    let tag = read.header("etag").to_owned();
    assert!(tag.starts_with('"'), "{tag}");
    let freeze = json!({"status": "frozen"});
    let patch = |tag: &str| {
        let request = teller.request(Method::PATCH, &path).json(&freeze);
        send(request.header("if-match", tag))
    };
    // A hold changes what is shown, so it changes the tag.
    let wish = transfer(ALICE_1, BOB_1, "1");
    bank.prepare(&wish).await;
    assert_eq!(patch(&tag).await.refusal(), (412, "precondition_failed"));
    let now = teller.get(&path).await.header("etag").to_owned();
    let changed = patch(&now).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), now);
    assert_eq!(patch("*").await.status, 200);
    let list = format!("\"x\", {}", changed.header("etag"));
    assert_eq!(patch(&list).await.refusal().0, 200);
}

#[tokio::test]
async fn an_empty_change_changes_nothing_and_a_strange_one_is_refused() {
    let bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{ALICE_1}"));
    let before = teller.get(&path).await;
    let same = teller.patch(&path, &json!({})).await;
    assert_eq!((same.status, &same.body), (200, &before.body));
    for bad in [
        json!({"status": "gone"}),
        json!({"balance": "5"}),
        json!({"version": 7}),
    ] {
        let reply = teller.patch(&path, &bad).await;
        assert_eq!(reply.refusal(), (422, "invalid_body"), "{bad}");
    }
    let negative = teller.patch(&path, &json!({"overdraft_limit": "-1"})).await;
    assert_eq!(negative.refusal(), (422, "invalid_amount"));
    let nobody = format!("/accounts/{}", types::AccountId::generate());
    let missing = teller.patch(&nobody, &json!({"status": "frozen"})).await;
    assert_eq!(missing.refusal(), (404, "account_not_found"));
}

//! What was promised is remembered until its decision comes; what has happened since then counts.

use accounts_service::participant::Participant;
use serde_json::json;
use service_kit::database::ByKey;
use two_phase::Acknowledgement;
use two_phase::message::Outcome;

use crate::bank::{ALICE_1, BOB_1, Bank, bank_1, figures, transfer, yes};

async fn pay_in(bank: &Bank, amount: &str) {
    let path = format!("/accounts/{ALICE_1}/deposits");
    let done = bank.teller().post(&path, &json!({"amount": amount})).await;
    assert_eq!(done.status, 201, "{}", done.body);
}

#[tokio::test]
async fn money_that_was_paid_in_since_the_promise_is_still_there_after_the_commit() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "100");
    assert_eq!(bank.prepare(&wish).await, yes());
    pay_in(&bank, "7").await;
    let answer = bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(answer, Acknowledgement::Done);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("907.00", "0.00", "0.00", 3)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn a_vote_rests_on_what_stands_there_and_not_on_what_was_left_at_the_last_promise() {
    let bank = Bank::start().await;
    let first = transfer(ALICE_1, BOB_1, "1");
    let list = json!({"participant": "bank-1", "prepare": [first], "commit": [], "abort": []});
    let answers = bank.coordinator().post("/internal/messages", &list).await;
    assert_eq!(answers.body["votes"][0]["vote"], "yes", "{}", answers.body);
    pay_in(&bank, "500").await;
    let list = json!({
        "participant": "bank-1",
        "prepare": [transfer(ALICE_1, BOB_1, "1400")],
        "commit": [first.transaction_id],
        "abort": [],
    });
    let answers = bank.coordinator().post("/internal/messages", &list).await;
    assert_eq!(answers.body["votes"][0]["vote"], "yes", "{}", answers.body);
    assert_eq!(
        answers.body["acknowledgements"][0]["acknowledgement"],
        "done"
    );
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1499.00", "1400.00", "0.00", 3)
    );
    bank.assert_sound().await;
}

#[tokio::test]
async fn what_another_process_has_committed_since_the_promise_is_not_committed_again() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "100");
    assert_eq!(bank.prepare(&wish).await, yes());
    // Another process of this bank remembers nothing of it.
    let other = Participant::new(ByKey::beside(&bank.pool), bank_1());
    let done = other
        .decide(vec![(wish.transaction_id, Outcome::Commit)])
        .await;
    assert_eq!(done, [Some(Acknowledgement::Done)]);
    let again = bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(again, Acknowledgement::Done);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("900.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn what_another_process_has_held_since_the_promise_stays_held() {
    let bank = Bank::start().await;
    let (ours, theirs) = (
        transfer(ALICE_1, BOB_1, "100"),
        transfer(ALICE_1, BOB_1, "30"),
    );
    assert_eq!(bank.prepare(&ours).await, yes());
    let other = Participant::new(ByKey::beside(&bank.pool), bank_1());
    assert_eq!(other.prepare(vec![theirs]).await, [Some(yes())]);
    let answer = bank.decide(ours.transaction_id, Outcome::Abort).await;
    assert_eq!(answer, Acknowledgement::Done);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "30.00", "0.00", 1)
    );
    bank.assert_sound().await;
}

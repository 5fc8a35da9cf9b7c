//! What crosses the wire between coordinator and bank.

use serde_json::json;
use two_phase::BranchState;
use two_phase::message::PrepareList;

use crate::bank::{ALICE_1, ALICE_2, BOB_1, Bank, CAROL_1, bank_1, transfer};

#[tokio::test]
async fn the_protocol_is_spoken_over_http_in_lists() {
    let bank = Bank::start().await;
    let (one, two) = (
        transfer(ALICE_1, BOB_1, "1"),
        transfer(CAROL_1, ALICE_2, "1000"),
    );
    let list = PrepareList {
        participant: bank_1(),
        items: vec![one.clone(), two.clone()],
        numbers: None,
    };
    let coordinator = bank.coordinator();
    let list = serde_json::to_value(list).expect("JSON");
    let votes = coordinator.post("/internal/prepare", &list).await;
    assert_eq!(
        votes.body,
        json!({"participant": "bank-1", "items": [
            {"transaction_id": one.transaction_id, "vote": "yes"},
            {"transaction_id": two.transaction_id, "vote": "no", "reason": "insufficient_funds"},
        ]})
    );
    assert_eq!(votes.header("x-service-name"), "bank-1");
    let both = json!({"participant": "bank-1", "items": [one.transaction_id, two.transaction_id]});
    let states = coordinator.post("/internal/branches", &both).await;
    assert_eq!(states.body["items"][0]["state"], "PREPARED");
    assert_eq!(states.body["items"][1]["state"], "REFUSED");
    let commit = json!({"participant": "bank-1", "items": [one.transaction_id]});
    let done = coordinator.post("/internal/commit", &commit).await;
    assert_eq!(done.body["items"][0]["acknowledgement"], "done");
    let abort = json!({"participant": "bank-1", "items": [two.transaction_id]});
    let done = coordinator.post("/internal/abort", &abort).await;
    assert_eq!(done.body["items"][0]["acknowledgement"], "done");
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn prepares_and_decisions_of_one_list_are_answered_each_by_itself() {
    let bank = Bank::start().await;
    let (one, two, three) = (
        transfer(ALICE_1, BOB_1, "1"),
        transfer(ALICE_1, BOB_1, "2"),
        transfer(CAROL_1, ALICE_2, "1000"),
    );
    bank.prepare(&one).await;
    bank.prepare(&two).await;
    let list = json!({
        "participant": "bank-1",
        "prepare": [three],
        "commit": [one.transaction_id, three.transaction_id],
        "abort": [two.transaction_id],
    });
    let answers = bank.coordinator().post("/internal/messages", &list).await;
    assert_eq!(
        answers.body,
        json!({
            "participant": "bank-1",
            "votes": [
                {"transaction_id": three.transaction_id, "vote": "no", "reason": "insufficient_funds"},
            ],
            "acknowledgements": [
                {"transaction_id": one.transaction_id, "acknowledgement": "done"},
                {"transaction_id": three.transaction_id, "acknowledgement": "hazard",
                 "hazard": "commit_after_abort"},
                {"transaction_id": two.transaction_id, "acknowledgement": "done"},
            ],
        })
    );
    assert_eq!(bank.figures(ALICE_1).await.0, "999.00");
    assert_eq!(
        bank.state(two.transaction_id).await,
        Some(BranchState::Aborted)
    );
    let without = json!({"participant": "bank-1", "prepare": [], "commit": []});
    let refused = bank
        .coordinator()
        .post("/internal/messages", &without)
        .await;
    assert_eq!(refused.status, 422);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_message_for_another_bank_is_refused_before_anything_is_looked_at() {
    let bank = Bank::start().await;
    let elsewhere = json!({"participant": "bank-2", "items": []});
    let coordinator = bank.coordinator();
    let messages = json!({"participant": "bank-2", "prepare": [], "commit": [], "abort": []});
    let reply = coordinator.post("/internal/messages", &messages).await;
    assert_eq!(reply.refusal(), (421, "wrong_participant"), "messages");
    for path in [
        "/internal/prepare",
        "/internal/commit",
        "/internal/abort",
        "/internal/branches",
        "/internal/accounts",
    ] {
        let reply = coordinator.post(path, &elsewhere).await;
        assert_eq!(reply.refusal(), (421, "wrong_participant"), "{path}");
    }
    // A token for another bank does not even get that far.
    let misdirected = bank.coordinator_for("bank-2");
    let reply = misdirected.post("/internal/prepare", &elsewhere).await;
    assert_eq!(reply.refusal(), (401, "unauthenticated"));
}

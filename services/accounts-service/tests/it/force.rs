//! Two operators force the outcome of a branch in doubt.

use serde_json::{Value, json};
use two_phase::message::Outcome;
use two_phase::{Acknowledgement, BranchState};
use types::{LoginId, ResolutionId, TransactionId};

use crate::bank::{ALICE_1, BOB_1, Bank, figures, transfer};

fn order(id: TransactionId, outcome: &str) -> Value {
    json!({"participant": "bank-1", "transaction_id": id, "outcome": outcome,
        "expected_state": "PREPARED", "resolution_id": ResolutionId::generate(),
        "proposed_by": LoginId::generate(), "confirmed_by": LoginId::generate(),
        "reason": "the coordinator's data centre is gone"})
}

const PATH: &str = "/internal/branches/force";

#[tokio::test]
async fn a_forced_branch_is_finished_and_on_record_and_repeating_changes_nothing() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "10");
    bank.prepare(&wish).await;
    // The coordinator has lost it: that is why somebody forces it.
    bank.inquirer().step().await.expect("a look");
    let open = "SELECT count(*) FROM hazards WHERE acknowledged_at IS NULL";
    assert_eq!(bank.count(open).await, 1);
    let order = order(wish.transaction_id, "commit");
    for _ in 0..2 {
        let reply = bank.coordinator().post(PATH, &order).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.text("state"), "HEURISTIC_COMMIT");
    }
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("990.00", "0.00", "0.00", 2)
    );
    assert_eq!(bank.count("SELECT count(*) FROM resolutions").await, 1);
    // What was raised before is dealt with; that it was forced stays open until somebody has seen it.
    assert_eq!(bank.count(open).await, 1);
    let forced = format!("{open} AND kind = 'heuristic_commit'");
    assert_eq!(bank.count(&forced).await, 1);
    let acknowledge = format!("/branches/{}/hazards/acknowledgements", wish.transaction_id);
    let seen = json!({"hazard": "heuristic_commit", "reason": "told the auditors"});
    assert_eq!(bank.admin().post(&acknowledge, &seen).await.status, 200);
    assert_eq!(bank.count(open).await, 0);
    // The decision turns out to be the same.
    let answer = bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(answer, Acknowledgement::Done);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_101_a_forced_branch_against_the_decision_is_mixed_and_visible() {
    let bank = Bank::start().await;
    for (forced, decided) in [("commit", Outcome::Abort), ("abort", Outcome::Commit)] {
        let wish = transfer(ALICE_1, BOB_1, "10");
        bank.prepare(&wish).await;
        let order = order(wish.transaction_id, forced);
        assert_eq!(bank.coordinator().post(PATH, &order).await.status, 200);
        for _ in 0..2 {
            let answer = bank.decide(wish.transaction_id, decided).await;
            assert_eq!(answer, Acknowledgement::Mixed);
        }
        assert_eq!(
            bank.state(wish.transaction_id).await,
            Some(BranchState::HeuristicMixed)
        );
    }
    let visible = "SELECT count(*) FROM hazards WHERE kind = 'heuristic_mixed'";
    assert_eq!(bank.count(visible).await, 2);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("990.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn nothing_is_forced_on_evidence_that_has_changed_or_by_one_person() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "10");
    bank.prepare(&wish).await;
    let mut alone = order(wish.transaction_id, "commit");
    alone["confirmed_by"] = alone["proposed_by"].clone();
    let coordinator = bank.coordinator();
    let reply = coordinator.post(PATH, &alone).await;
    assert_eq!(reply.refusal(), (403, "forbidden"));

    bank.decide(wish.transaction_id, Outcome::Abort).await;
    let late = order(wish.transaction_id, "commit");
    let reply = coordinator.post(PATH, &late).await;
    assert_eq!(reply.refusal(), (409, "evidence_changed"));
    let mut finished = order(wish.transaction_id, "commit");
    finished["expected_state"] = json!("ABORTED");
    let reply = coordinator.post(PATH, &finished).await;
    assert_eq!(reply.refusal(), (409, "conflict"));
    let mut absent = order(TransactionId::generate(), "abort");
    absent["expected_state"] = Value::Null;
    let reply = coordinator.post(PATH, &absent).await;
    assert_eq!(reply.refusal(), (409, "conflict"));
    for stranger in [bank.admin(), bank.peer()] {
        let reply = stranger.post(PATH, &late).await;
        assert_eq!(reply.refusal(), (403, "forbidden"));
    }
    assert_eq!(bank.count("SELECT count(*) FROM resolutions").await, 0);
    bank.assert_at_rest().await;
}

//! A branch that nobody tells what became of it.

use accounts_service::participant::in_doubt::Look;
use serde_json::json;
use two_phase::BranchState;
use two_phase::message::{InquiryAnswer, Outcome};
use types::Code;

use crate::bank::{
    ALICE_1, BOB, BOB_1, Bank, Setup, bank_1, bank_2, figures, listener, no, part, transfer, yes,
};

const RESOLVED: Look = Look {
    found: 1,
    resolved: 1,
};
const STUCK: Look = Look {
    found: 1,
    resolved: 0,
};

#[tokio::test]
async fn what_the_coordinator_says_is_carried_out() {
    let bank = Bank::start().await;
    for (answer, state) in [
        (InquiryAnswer::Committed, BranchState::Committed),
        (InquiryAnswer::Aborted, BranchState::Aborted),
    ] {
        let wish = transfer(ALICE_1, BOB_1, "10");
        bank.prepare(&wish).await;
        bank.coordinator_says(wish.transaction_id, InquiryAnswer::Pending);
        assert_eq!(bank.inquirer().step().await.expect("a look"), STUCK);
        bank.coordinator_says(wish.transaction_id, answer);
        assert_eq!(bank.inquirer().step().await.expect("a look"), RESOLVED);
        assert_eq!(bank.state(wish.transaction_id).await, Some(state));
    }
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("990.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_99_a_transaction_that_the_coordinator_forgot_is_a_hazard_and_never_aborted() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "10");
    bank.prepare(&wish).await;
    for _ in 0..2 {
        assert_eq!(bank.inquirer().step().await.expect("a look"), STUCK);
    }
    assert_eq!(
        bank.state(wish.transaction_id).await,
        Some(BranchState::Prepared)
    );
    let raised = "SELECT count(*) FROM hazards WHERE kind = 'unknown_to_coordinator'";
    assert_eq!(bank.count(raised).await, 1);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_branch_that_is_under_way_is_not_asked_about_but_one_from_the_future_is() {
    let bank = Bank::with(Setup {
        in_doubt_after_ms: 60_000,
        ..Setup::default()
    })
    .await;
    let wish = transfer(ALICE_1, BOB_1, "10");
    bank.prepare(&wish).await;
    bank.coordinator_says(wish.transaction_id, InquiryAnswer::Aborted);
    let nothing = Look::default();
    assert_eq!(bank.inquirer().step().await.expect("a look"), nothing);
    // The database's clock was set back an hour.
    bank.sql("UPDATE branches SET prepared_at = clock_timestamp() + interval '1 hour'")
        .await;
    assert_eq!(bank.inquirer().step().await.expect("a look"), RESOLVED);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn more_branches_than_fit_in_one_message_are_all_asked_about() {
    let bank = Bank::start().await;
    let list: Vec<_> = (0..700).map(|_| transfer(ALICE_1, BOB_1, "1")).collect();
    for wish in &list {
        bank.coordinator_says(wish.transaction_id, InquiryAnswer::Aborted);
    }
    bank.participant.prepare(list).await;
    let all = Look {
        found: 700,
        resolved: 700,
    };
    assert_eq!(bank.inquirer().step().await.expect("a look"), all);
    bank.assert_at_rest().await;
}

/// Two banks that know each other, and no coordinator.
async fn two_banks() -> (Bank, Bank) {
    let (first_listener, first_url) = listener().await;
    let (second_listener, second_url) = listener().await;
    let mut first = Bank::on(
        first_listener,
        first_url.clone(),
        Setup {
            peers: format!("bank-2={second_url}"),
            ..Setup::default()
        },
    )
    .await;
    let mut second = Bank::on(
        second_listener,
        second_url,
        Setup {
            participant: bank_2(),
            peers: format!("bank-1={first_url}"),
            ..Setup::default()
        },
    )
    .await;
    first.lose_coordinator().await;
    second.lose_coordinator().await;
    (first, second)
}

#[tokio::test]
async fn without_a_coordinator_a_peer_that_knows_the_outcome_passes_it_on() {
    let (first, second) = two_banks().await;
    let there = second
        .participant
        .pool()
        .acquire()
        .await
        .map(|_| types::AccountId::generate().to_string())
        .expect("an id");
    second
        .sql(&format!(
            "INSERT INTO accounts (account_id, customer_id, currency) VALUES ('{there}', '{BOB}', 'USD')"
        ))
        .await;
    for (outcome, state) in [
        (Outcome::Commit, BranchState::Committed),
        (Outcome::Abort, BranchState::Aborted),
    ] {
        let here = part(&bank_1(), &[(ALICE_1, "-30", 0)]);
        let mut elsewhere = part(&bank_2(), &[(&there, "30", 0)]);
        elsewhere.transaction_id = here.transaction_id;
        assert_eq!(first.prepare(&here).await, yes());
        assert_eq!(second.prepare(&elsewhere).await, yes());
        // Both are prepared, so neither knows more than the other.
        assert_eq!(first.inquirer().step().await.expect("a look"), STUCK);
        second.decide(here.transaction_id, outcome).await;
        assert_eq!(first.inquirer().step().await.expect("a look"), RESOLVED);
        assert_eq!(first.state(here.transaction_id).await, Some(state));
    }
}

#[tokio::test]
async fn a_peer_that_was_never_asked_writes_its_tombstone_first() {
    let (first, second) = two_banks().await;
    let here = part(&bank_1(), &[(ALICE_1, "-30", 0)]);
    assert_eq!(first.prepare(&here).await, yes());
    assert_eq!(first.inquirer().step().await.expect("a look"), RESOLVED);
    let id = here.transaction_id;
    assert_eq!(first.state(id).await, Some(BranchState::Aborted));
    assert_eq!(second.state(id).await, Some(BranchState::Aborted));
    // The PREPARE that was on its way arrives now.
    let mut late = part(&bank_2(), &[(BOB_1, "30", 0)]);
    late.transaction_id = id;
    assert_eq!(second.prepare(&late).await, no(Code::AbortedByRecovery));
}

#[tokio::test]
async fn only_another_bank_may_ask_as_a_peer() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "10");
    bank.prepare(&wish).await;
    let absent = types::TransactionId::generate();
    let question = json!({"participant": "bank-1", "items": [wish.transaction_id, absent]});
    let path = "/internal/branches/terminate";
    let answer = bank.peer().post(path, &question).await;
    assert_eq!(answer.body["items"][0]["state"], "PREPARED");
    assert_eq!(answer.body["items"][1]["state"], "ABORTED");
    assert_eq!(bank.state(absent).await, Some(BranchState::Aborted));
    for stranger in [bank.coordinator(), bank.admin()] {
        let reply = stranger.post(path, &question).await;
        assert_eq!(reply.refusal(), (403, "forbidden"));
    }
    for forbidden in ["prepare", "commit", "abort", "branches", "accounts"] {
        let path = format!("/internal/{forbidden}");
        let empty = json!({"participant": "bank-1", "items": []});
        let reply = bank.peer().post(&path, &empty).await;
        assert_eq!(reply.refusal(), (403, "forbidden"), "{path}");
    }
}

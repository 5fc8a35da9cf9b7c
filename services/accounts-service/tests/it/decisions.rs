//! COMMIT and ABORT meet every state a branch can be in.

use serde_json::json;
use two_phase::message::{Hazard, Outcome};
use two_phase::{Acknowledgement, BranchState};
use types::TransactionId;
use uuid::{NoContext, Timestamp, Uuid};

use crate::bank::{ALICE_1, BOB_1, Bank, CAROL_1, figures, transfer, yes};

const DONE: Acknowledgement = Acknowledgement::Done;

fn hazard(hazard: Hazard) -> Acknowledgement {
    Acknowledgement::Hazard { hazard }
}

#[tokio::test]
async fn a_commit_books_both_sides_and_releases_the_holds() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40.1234");
    bank.prepare(&wish).await;
    assert_eq!(
        bank.decide(wish.transaction_id, Outcome::Commit).await,
        DONE
    );
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("959.8766", "0.00", "0.00", 2)
    );
    assert_eq!(
        bank.figures(BOB_1).await,
        figures("790.1234", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn an_abort_releases_the_holds_and_books_nothing() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&wish).await;
    for _ in 0..2 {
        assert_eq!(bank.decide(wish.transaction_id, Outcome::Abort).await, DONE);
    }
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "0.00", "0.00", 1)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_36_a_commit_before_the_prepare_is_a_hazard_and_nothing_is_done() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    let answer = bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(answer, hazard(Hazard::BranchMissing));
    assert_eq!(bank.state(wish.transaction_id).await, None);
    assert_eq!(hazards(&bank, "branch_missing").await, 1);
    // Said again it is still one hazard, and the metric counts it.
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(hazards(&bank, "branch_missing").await, 1);
    bank.assert_sound().await;
}

#[tokio::test]
async fn case_36_a_commit_behind_an_abort_of_a_forgotten_id_still_misses_its_branch() {
    let bank = Bank::start().await;
    let eight_days_ago = chrono::Utc::now() - chrono::TimeDelta::days(8);
    let seconds = u64::try_from(eight_days_ago.timestamp()).expect("after 1970");
    let id = TransactionId::from_uuid(Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, 0)));
    let list = vec![(id, Outcome::Abort), (id, Outcome::Commit)];
    let answers = bank.participant.decide(list).await;
    // Nobody writes a tombstone for it, so nothing was given up.
    assert_eq!(answers, [Some(DONE), Some(hazard(Hazard::BranchMissing))]);
    assert_eq!(bank.state(id).await, None);
    assert_eq!(hazards(&bank, "branch_missing").await, 1);
}

#[tokio::test]
async fn case_37_ten_commits_at_once_make_one_entry() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&wish).await;
    let commits = (0..10).map(|_| {
        let (participant, id) = (bank.participant.clone(), wish.transaction_id);
        tokio::spawn(async move {
            let twice = vec![(id, Outcome::Commit), (id, Outcome::Commit)];
            participant.decide(twice).await
        })
    });
    for answers in commits.collect::<Vec<_>>() {
        assert_eq!(answers.await.expect("no panic"), [Some(DONE), Some(DONE)]);
    }
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("960.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_38_an_abort_after_the_commit_is_a_hazard() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&wish).await;
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    let answer = bank.decide(wish.transaction_id, Outcome::Abort).await;
    assert_eq!(answer, hazard(Hazard::AbortAfterCommit));
    assert_eq!(
        bank.state(wish.transaction_id).await,
        Some(BranchState::Committed)
    );
    assert_eq!(hazards(&bank, "abort_after_commit").await, 1);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_39_a_commit_after_the_abort_or_a_refusal_is_a_hazard() {
    let bank = Bank::start().await;
    let aborted = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&aborted).await;
    bank.decide(aborted.transaction_id, Outcome::Abort).await;
    let refused = transfer(CAROL_1, BOB_1, "1000");
    bank.prepare(&refused).await;
    for wish in [aborted, refused] {
        let answer = bank.decide(wish.transaction_id, Outcome::Commit).await;
        assert_eq!(answer, hazard(Hazard::CommitAfterAbort));
    }
    assert_eq!(hazards(&bank, "commit_after_abort").await, 2);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_59_an_account_that_is_frozen_meanwhile_still_gets_the_commit() {
    let bank = Bank::start().await;
    let (one, two) = (
        transfer(ALICE_1, BOB_1, "40"),
        transfer(ALICE_1, BOB_1, "2"),
    );
    bank.prepare(&one).await;
    bank.prepare(&two).await;
    let path = format!("/accounts/{ALICE_1}");
    let frozen = bank
        .teller()
        .patch(&path, &json!({"status": "frozen"}))
        .await;
    assert_eq!(frozen.status, 200);
    assert_eq!(bank.decide(one.transaction_id, Outcome::Commit).await, DONE);
    assert_eq!(bank.decide(two.transaction_id, Outcome::Abort).await, DONE);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("960.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_62_of_twenty_open_legs_on_one_account_any_subset_commits() {
    let bank = Bank::start().await;
    let poor = bank.open(crate::bank::BOB, "20", "escrow").await;
    let list: Vec<_> = (0..20).map(|_| transfer(&poor, BOB_1, "1")).collect();
    let votes = bank.participant.prepare(list.clone()).await;
    assert_eq!(votes, [Some(yes()); 20]);
    let one_more = transfer(&poor, BOB_1, "0.0001");
    assert_ne!(bank.prepare(&one_more).await, yes());
    for (n, wish) in list.iter().enumerate() {
        let outcome = if n % 3 == 0 {
            Outcome::Abort
        } else {
            Outcome::Commit
        };
        assert_eq!(bank.decide(wish.transaction_id, outcome).await, DONE);
        bank.assert_sound().await;
    }
    assert_eq!(
        bank.figures(&poor).await,
        figures("7.00", "0.00", "0.00", 14)
    );
    bank.assert_at_rest().await;
}

async fn hazards(bank: &Bank, kind: &str) -> i64 {
    let open = "SELECT count(*) FROM hazards WHERE acknowledged_at IS NULL AND kind = ";
    bank.count(&format!("{open}'{kind}'")).await
}

//! A participant is killed at every point where it matters.

use serde_json::json;
use tests::{ACCOUNTS, ACCOUNTS_2, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

/// Sends Alice's transfer of 100 to Bob while the bank dies at a point; looks at what its database
/// holds of the branch then, and starts it again.
async fn die_at(point: &str, branch: Option<&str>) -> (TestBank, tests::Answer) {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    alice
        .transfer(ALICE, BOB, "1", "before")
        .await
        .unwrap()
        .expect(201);
    bank.settles().await;
    bank.arm(ACCOUNTS, point, Failpoint::Abort).await;
    let asked = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "100", "crash").await }
    });
    bank.died(ACCOUNTS).await;
    let (id, _) = bank.newest_transaction().await.unwrap();
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        branch,
        "{point}"
    );
    bank.restart(ACCOUNTS).await;
    let answer = asked.await.unwrap().expect("the coordinator answers");
    bank.settles().await;
    (bank, answer)
}

/// One of the two, the same everywhere, and the status says which.
async fn moved_once_or_not_at_all(bank: TestBank, answer: tests::Answer) {
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let again = alice.transfer(ALICE, BOB, "100", "crash").await.unwrap();
    let moved = match again.body["status"].as_str() {
        Some("committed") => true,
        _ => {
            assert_eq!(
                again.body["transaction_status"], "aborted",
                "{}",
                again.body
            );
            false
        }
    };
    let (alices, bobs) = if moved {
        ("899.00", "851.00")
    } else {
        ("999.00", "751.00")
    };
    assert_eq!(
        teller.balance(ALICE).await,
        alices,
        "answered {}",
        answer.body
    );
    assert_eq!(teller.balance(BOB).await, bobs);
    let entries = teller
        .get_accounts(&format!("/accounts/{BOB}/entries"))
        .await
        .expect(200);
    let id = again.body["transaction_id"].as_str().unwrap();
    let booked = entries["items"].as_array().unwrap().iter();
    let booked = booked.filter(|entry| entry["transaction_id"] == id).count();
    assert_eq!(booked, usize::from(moved), "one entry, or none");
    bank.stop().await;
}

#[tokio::test]
async fn case_18_it_dies_before_its_promise_is_durable_and_is_asked_again() {
    let (bank, answer) = die_at("before_prepare_commit", None).await;
    moved_once_or_not_at_all(bank, answer).await;
}

#[tokio::test]
async fn case_19_its_yes_is_lost_and_given_again_with_one_hold() {
    let (bank, answer) = die_at("before_vote_reply", Some("PREPARED")).await;
    moved_once_or_not_at_all(bank, answer).await;
}

#[tokio::test]
async fn case_19_it_dies_after_its_promise_is_durable() {
    let (bank, answer) = die_at("after_prepare_commit", Some("PREPARED")).await;
    moved_once_or_not_at_all(bank, answer).await;
}

#[tokio::test]
async fn case_20_it_restarts_with_prepared_branches_and_resolves_them() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "after_decide", Failpoint::Abort)
        .await;
    assert!(alice.transfer(ALICE, BOB, "100", "crash").await.is_err());
    bank.died(TRANSACTIONS).await;
    bank.kill(ACCOUNTS).await;
    bank.restart(ACCOUNTS).await;
    let held = teller
        .get_accounts(&format!("/accounts/{ALICE}"))
        .await
        .expect(200);
    assert_eq!(held["balance"], "1000.00");
    assert_eq!(held["pending_debits"], "100.00", "the hold survived");
    assert_eq!(held["available_balance"], "900.00");
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "900.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_20_a_prepared_branch_asks_the_coordinator_by_itself() {
    let bank = TestBank::start_with(|mut options| {
        options.coordinators = 2;
        options
    })
    .await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    // Decided, and its coordinator says nothing more; the other one is asked.
    bank.arm(TRANSACTIONS, "after_decide", Failpoint::Pause)
        .await;
    let asked = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "100", "silent").await }
    });
    eventually("the bank has applied it", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("COMMITTED")).then_some(())
    })
    .await;
    bank.disarm(TRANSACTIONS, "after_decide").await;
    assert_eq!(
        asked.await.unwrap().unwrap().expect(201)["status"],
        "committed"
    );
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "900.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_21_it_dies_before_applying_and_applies_when_it_returns() {
    let (bank, answer) = die_at("before_apply_commit", Some("PREPARED")).await;
    assert_eq!(answer.body["status"], "committed", "{}", answer.body);
    moved_once_or_not_at_all(bank, answer).await;
}

#[tokio::test]
async fn case_22_its_acknowledgement_is_lost_and_given_again() {
    for point in ["after_apply", "before_ack"] {
        let (bank, answer) = die_at(point, Some("COMMITTED")).await;
        assert_eq!(answer.body["status"], "committed", "{}", answer.body);
        moved_once_or_not_at_all(bank, answer).await;
    }
}

#[tokio::test]
async fn case_23_it_dies_during_an_abort() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "after_votes", Failpoint::Abort)
        .await;
    assert!(alice.transfer(ALICE, BOB, "100", "crash").await.is_err());
    bank.died(TRANSACTIONS).await;
    bank.arm(ACCOUNTS, "before_apply_commit", Failpoint::Abort)
        .await;
    bank.bank
        .spawn(TRANSACTIONS, &std::collections::BTreeMap::new())
        .unwrap();
    bank.died(ACCOUNTS).await;
    let (id, status) = bank.newest_transaction().await.unwrap();
    assert_eq!(status, "aborted");
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("PREPARED")
    );
    bank.restart(ACCOUNTS).await;
    bank.settles().await;
    assert_eq!(bank.branch(ACCOUNTS, &id).await.as_deref(), Some("ABORTED"));
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_29_a_second_participant_that_is_dead_aborts() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    alice
        .transfer(ALICE, &there, "1", "found")
        .await
        .unwrap()
        .expect(201);
    bank.settles().await;
    bank.kill(ACCOUNTS_2).await;
    let refused = alice.transfer(ALICE, &there, "100", "dead").await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable")
    );
    assert_eq!(refused.body["transaction_status"], "aborted");
    // The first bank is free at once, without waiting for the dead one.
    let id = refused.transaction_id().to_owned();
    eventually("the first bank has released its hold", || async {
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("ABORTED")).then_some(())
    })
    .await;
    bank.restart(ACCOUNTS_2).await;
    bank.settles().await;
    assert_eq!(teller.balance(&there).await, "11.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_30_dead_after_its_yes_it_commits_when_it_returns() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    bank.arm(TRANSACTIONS, "after_decide", Failpoint::Pause)
        .await;
    let asked = tokio::spawn({
        let (alice, there) = (alice.clone(), there.clone());
        async move { alice.transfer(ALICE, &there, "100", "late").await }
    });
    let id = eventually("it is decided", || async {
        let (id, status) = bank.newest_transaction().await?;
        (status == "committed").then_some(id)
    })
    .await;
    bank.kill(ACCOUNTS_2).await;
    bank.disarm(TRANSACTIONS, "after_decide").await;
    let late = asked.await.unwrap().unwrap().expect(202);
    assert_eq!(
        (late["status"].as_str(), late["settled"].as_bool()),
        (Some("committed"), Some(false))
    );
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("COMMITTED")
    );
    let first = bank.teller().await;
    assert_eq!(
        first.balance(ALICE).await,
        "900.00",
        "the first bank is not blocked"
    );
    bank.restart(ACCOUNTS_2).await;
    bank.settles().await;
    assert_eq!(teller.balance(&there).await, "110.00");
    let again = alice.transfer(ALICE, &there, "100", "late").await.unwrap();
    assert_eq!(
        again.expect(202),
        late,
        "a repetition reads what was answered first"
    );
    bank.stop().await;
}

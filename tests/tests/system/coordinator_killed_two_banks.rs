//! The coordinator is killed while one bank knows more than the other.

use serde_json::json;
use tests::{ACCOUNTS, ACCOUNTS_2, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::ALICE;

#[tokio::test]
async fn case_03_one_of_two_participants_prepared_aborts_both() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    // The second bank is paused before it votes; the first has promised by then.
    bank.arm(ACCOUNTS_2, "before_vote_reply", Failpoint::Pause)
        .await;
    let asked = tokio::spawn({
        let (alice, there) = (alice.clone(), there.clone());
        async move { alice.transfer(ALICE, &there, "100", "crash").await }
    });
    let id = eventually("the first bank has promised", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("PREPARED")).then_some(id)
    })
    .await;
    bank.kill(TRANSACTIONS).await;
    assert!(asked.await.unwrap().is_err());
    bank.disarm(ACCOUNTS_2, "before_vote_reply").await;
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(bank.branch(ACCOUNTS, &id).await.as_deref(), Some("ABORTED"));
    assert_eq!(
        bank.branch(ACCOUNTS_2, &id).await.as_deref(),
        Some("ABORTED")
    );
    assert_eq!(teller.balance(&there).await, "10.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_07_commit_reached_one_participant_commits_both() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    // The second bank is stopped while the decision is on its way.
    bank.arm(TRANSACTIONS, "before_decision_send", Failpoint::Pause)
        .await;
    let asked = tokio::spawn({
        let (alice, there) = (alice.clone(), there.clone());
        async move { alice.transfer(ALICE, &there, "100", "crash").await }
    });
    let id = eventually("it is decided", || async {
        let (id, status) = bank.newest_transaction().await?;
        (status == "committed").then_some(id)
    })
    .await;
    bank.bank.kill(ACCOUNTS_2, stack::Signal::STOP).unwrap();
    bank.disarm(TRANSACTIONS, "before_decision_send").await;
    eventually("the first bank has applied it", || async {
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("COMMITTED")).then_some(())
    })
    .await;
    assert_eq!(
        bank.branch(ACCOUNTS_2, &id).await.as_deref(),
        Some("PREPARED")
    );
    bank.kill(TRANSACTIONS).await;
    drop(asked.await.unwrap());
    bank.bank.kill(ACCOUNTS_2, stack::Signal::CONT).unwrap();
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(
        bank.branch(ACCOUNTS_2, &id).await.as_deref(),
        Some("COMMITTED")
    );
    assert_eq!(teller.balance(&there).await, "110.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_09_an_abort_that_was_decided_and_not_sent_aborts() {
    let bank = TestBank::start_two_banks().await;
    let (alice, teller) = (bank.alice().await, bank.second_teller().await);
    let there = teller.open_account("10", json!({})).await;
    let frozen = json!({"status": "frozen"});
    let path = format!("/accounts/{there}");
    let answer = teller
        .accounts(reqwest::Method::PATCH, &path, None, &frozen)
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    bank.arm(TRANSACTIONS, "after_decide", Failpoint::Abort)
        .await;
    assert!(alice.transfer(ALICE, &there, "100", "crash").await.is_err());
    bank.died(TRANSACTIONS).await;
    let (id, status) = bank.newest_transaction().await.unwrap();
    assert_eq!(status, "aborted");
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("PREPARED")
    );
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(bank.branch(ACCOUNTS, &id).await.as_deref(), Some("ABORTED"));
    let again = alice.transfer(ALICE, &there, "100", "crash").await.unwrap();
    assert_eq!((again.code(), again.replayed), ("account_frozen", true));
    bank.stop().await;
}

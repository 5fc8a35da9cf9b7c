//! No coordinator is there for a long time.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tests::{ACCOUNTS, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB, CAROL};

/// A transfer of Alice's is prepared when the only coordinator dies. As long as it is gone, cash
/// goes in and out of other accounts, and of hers as far as nothing is held.
async fn without_a_coordinator(length: Duration) {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let sent = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "900", "left-behind").await }
    });
    bank.waits_at(TRANSACTIONS, "before_decide").await;
    let (id, _) = bank.newest_transaction().await.unwrap();
    bank.kill(TRANSACTIONS).await;
    assert!(sent.await.unwrap().is_err());
    let cash = async |account: &str, kind: &str, amount: &str, key: &str| {
        let path = format!("/accounts/{account}/{kind}");
        let body = json!({"amount": amount});
        let answer = teller.accounts(Method::POST, &path, Some(key), &body).await;
        answer.unwrap()
    };
    let (began, before) = (Instant::now(), bank.logged(ACCOUNTS, "INQUIRY_UNANSWERED"));
    let mut rounds = 0;
    loop {
        for (account, kind) in [
            (CAROL, "deposits"),
            (CAROL, "withdrawals"),
            (ALICE, "deposits"),
            (ALICE, "withdrawals"),
        ] {
            let key = format!("{account}-{kind}-{rounds}");
            cash(account, kind, "5", &key).await.expect(201);
        }
        let beyond = cash(ALICE, "withdrawals", "500", &format!("held-{rounds}")).await;
        assert_eq!(
            beyond.code(),
            "insufficient_funds",
            "what is held is not paid"
        );
        rounds += 1;
        let asked = bank.logged(ACCOUNTS, "INQUIRY_UNANSWERED") > before + 2;
        if began.elapsed() >= length && asked {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let branch = bank.branch(ACCOUNTS, &id).await;
    assert_eq!(
        branch.as_deref(),
        Some("PREPARED"),
        "it never decides alone"
    );
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(bank.branch(ACCOUNTS, &id).await.as_deref(), Some("ABORTED"));
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    assert_eq!(teller.balance(CAROL).await, "150.00");
    eventually("transfers work again", || async {
        let done = alice.transfer(ALICE, BOB, "1", "again").await.ok()?;
        (done.body["status"] == "committed").then_some(())
    })
    .await;
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_52_without_a_coordinator_other_accounts_go_on() {
    without_a_coordinator(Duration::from_secs(3)).await;
}

#[tokio::test]
#[ignore = "slow: five minutes"]
async fn case_52_without_a_coordinator_for_five_minutes_other_accounts_go_on() {
    without_a_coordinator(Duration::from_secs(5 * 60)).await;
}

//! Cash is a transaction too: paid in or out once, whatever dies.

use reqwest::Method;
use serde_json::json;
use tests::{ACCOUNTS, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

#[tokio::test]
async fn case_97_cash_killed_at_each_point_and_repeated_moves_once() {
    let bank = TestBank::start().await;
    let teller = bank.teller().await;
    let mut expected = 1_000;
    for (kind, sign) in [("deposits", 1), ("withdrawals", -1)] {
        for point in ["before_apply_commit", "after_apply", "before_client_reply"] {
            let path = format!("/accounts/{ALICE}/{kind}");
            let key = format!("{kind}-{point}");
            let body = json!({"amount": "7"});
            bank.arm(ACCOUNTS, point, Failpoint::Abort).await;
            let lost = teller
                .accounts(Method::POST, &path, Some(&key), &body)
                .await;
            assert!(lost.is_err(), "{key}: it answered");
            bank.died(ACCOUNTS).await;
            bank.restart(ACCOUNTS).await;
            for _ in 0..2 {
                let again = teller
                    .accounts(Method::POST, &path, Some(&key), &body)
                    .await
                    .unwrap();
                again.expect(201);
            }
            expected += sign * 7;
            assert_eq!(
                teller.balance(ALICE).await,
                format!("{expected}.00"),
                "{key}"
            );
        }
    }
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_97_cash_never_touches_held_money() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "after_votes", Failpoint::Pause)
        .await;
    let held = tokio::spawn(async move { alice.transfer(ALICE, BOB, "900", "held").await });
    eventually("900 of 1000 are held", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("PREPARED")).then_some(())
    })
    .await;
    let path = format!("/accounts/{ALICE}/withdrawals");
    let too_much = json!({"amount": "100.01"});
    let refused = teller
        .accounts(Method::POST, &path, Some("much"), &too_much)
        .await
        .unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (422, "insufficient_funds")
    );
    let rest = json!({"amount": "100"});
    teller
        .accounts(Method::POST, &path, Some("rest"), &rest)
        .await
        .unwrap()
        .expect(201);
    bank.disarm(TRANSACTIONS, "after_votes").await;
    held.await.unwrap().unwrap().expect(201);
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "0.00");
    bank.stop().await;
}

//! Coordinators that are not dead, only late.

use tests::{ACCOUNTS, Failpoint, SECOND_COORDINATOR, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

async fn two_coordinators() -> TestBank {
    two_coordinators_with_lease(1_000).await
}

async fn two_coordinators_with_lease(milliseconds: u64) -> TestBank {
    TestBank::start_with(|mut options| {
        options.coordinators = 2;
        options.setting("TRANSACTIONS_LEASE_MS", milliseconds)
    })
    .await
}

/// Alice's transfer of 100 stands just before its decision at the first coordinator.
async fn just_before_the_decision(
    bank: &TestBank,
) -> (
    String,
    tokio::task::JoinHandle<Result<tests::Answer, reqwest::Error>>,
) {
    let alice = bank.alice().await;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let asked = tokio::spawn(async move { alice.transfer(ALICE, BOB, "100", "late").await });
    let id = eventually("the branch is prepared", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("PREPARED")).then_some(id)
    })
    .await;
    (id, asked)
}

#[tokio::test]
async fn case_13_a_coordinator_that_wakes_after_its_lease_changes_nothing() {
    let bank = two_coordinators().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let (id, asked) = just_before_the_decision(&bank).await;
    bank.bank.kill(TRANSACTIONS, stack::Signal::STOP).unwrap();
    eventually("the other one has aborted it", || async {
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("ABORTED")).then_some(())
    })
    .await;
    bank.bank.kill(TRANSACTIONS, stack::Signal::CONT).unwrap();
    bank.disarm(TRANSACTIONS, "before_decide").await;
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(
        answer.code(),
        "aborted_by_recovery",
        "it reads and obeys: {}",
        answer.body
    );
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    let other = alice.at(None, Some(&bank.url(SECOND_COORDINATOR)));
    let again = other.transfer(ALICE, BOB, "100", "late").await.unwrap();
    assert_eq!(
        (again.code(), again.replayed),
        ("aborted_by_recovery", true)
    );
    bank.stop().await;
}

#[tokio::test]
async fn case_13_a_coordinator_that_was_taken_over_decides_nothing_although_nothing_is_decided() {
    // Long enough for the one that takes over not to be taken over itself.
    let bank = two_coordinators_with_lease(3_000).await;
    let teller = bank.teller().await;
    let (id, asked) = just_before_the_decision(&bank).await;
    bank.arm(SECOND_COORDINATOR, "after_claim", Failpoint::Pause)
        .await;
    bank.bank.kill(TRANSACTIONS, stack::Signal::STOP).unwrap();
    let rows = bank.database(TRANSACTIONS).await;
    let taken_over = "SELECT status::text FROM transactions
                      WHERE transaction_id = $1::uuid AND epoch > 1";
    let status: String = eventually("the other one has taken it over", || async {
        let row = sqlx::query_scalar(taken_over).bind(&id);
        row.fetch_optional(&rows).await.unwrap()
    })
    .await;
    assert_eq!(status, "pending");
    bank.bank.kill(TRANSACTIONS, stack::Signal::CONT).unwrap();
    bank.disarm(TRANSACTIONS, "before_decide").await;
    eventually("it has found out", || async {
        let log = bank.bank.process(TRANSACTIONS).unwrap().log;
        let log = std::fs::read_to_string(log).ok()?;
        let gave_up = log.contains("TRANSACTION_LEFT_TO_RECOVERY");
        (gave_up || asked.is_finished()).then_some(())
    })
    .await;
    bank.disarm(SECOND_COORDINATOR, "after_claim").await;
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.code(), "aborted_by_recovery", "{}", answer.body);
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_108_a_lease_from_before_the_clock_was_set_back_is_over() {
    let bank = two_coordinators().await;
    let teller = bank.teller().await;
    let (id, asked) = just_before_the_decision(&bank).await;
    bank.kill(TRANSACTIONS).await;
    assert!(asked.await.unwrap().is_err());
    // As if the database's clock had been set back an hour after the lease was given.
    sqlx::query("UPDATE coordinators SET lease_until = now() + interval '1 hour' WHERE name = $1")
        .bind(TRANSACTIONS)
        .execute(&bank.database(TRANSACTIONS).await)
        .await
        .unwrap();
    bank.settles().await;
    assert_eq!(bank.branch(ACCOUNTS, &id).await.as_deref(), Some("ABORTED"));
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    bank.stop().await;
}

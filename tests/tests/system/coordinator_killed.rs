//! The coordinator is killed at every point where it matters. A = aborted everywhere, no hold
//! left; C = applied once everywhere.

use tests::{ACCOUNTS, Failpoint, SECOND_COORDINATOR, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

/// What stands at the moment of the crash.
struct Crash {
    point: &'static str,
    status: Option<&'static str>,
    branch: Option<&'static str>,
}

/// Kills the coordinator at a point of Alice's transfer of 100 to Bob, looks at what stands, starts
/// it again and waits until everything is terminal.
async fn crash_at(crash: Crash) -> TestBank {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    // An earlier transfer, so that nothing is new for anybody.
    alice
        .transfer(ALICE, BOB, "1", "before")
        .await
        .unwrap()
        .expect(201);
    bank.settles().await;
    bank.arm(TRANSACTIONS, crash.point, Failpoint::Abort).await;
    let answer = alice.transfer(ALICE, BOB, "100", "crash").await;
    assert!(answer.is_err(), "{}: the coordinator answered", crash.point);
    bank.died(TRANSACTIONS).await;
    let (id, status) = bank.newest_transaction().await.unwrap();
    match crash.status {
        Some(expected) => assert_eq!(status, expected, "{}", crash.point),
        None => assert_eq!(status, "committed", "only the earlier one is there"),
    }
    if crash.status.is_some() {
        let branch = bank.branch(ACCOUNTS, &id).await;
        assert_eq!(branch.as_deref(), crash.branch, "{}", crash.point);
    }
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    bank
}

/// Nothing moved, and the client's repetition says so.
async fn aborted(bank: TestBank) {
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    assert_eq!(teller.balance(ALICE).await, "999.00");
    assert_eq!(teller.balance(BOB).await, "751.00");
    let again = alice.transfer(ALICE, BOB, "100", "crash").await.unwrap();
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (503, "aborted_by_recovery")
    );
    assert_eq!(again.body["retry"], "new_key");
    assert!(again.replayed);
    alice
        .transfer(ALICE, BOB, "100", "a-new-key")
        .await
        .unwrap()
        .expect(201);
    bank.stop().await;
}

/// It moved once, and the client's repetition says so.
async fn committed(bank: TestBank) {
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    assert_eq!(teller.balance(ALICE).await, "899.00");
    assert_eq!(teller.balance(BOB).await, "851.00");
    let again = alice.transfer(ALICE, BOB, "100", "crash").await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.expect(201)["status"], "committed");
    assert_eq!(
        teller.balance(ALICE).await,
        "899.00",
        "the repetition moved nothing"
    );
    bank.stop().await;
}

#[tokio::test]
async fn case_01_before_the_begin_row_it_leaves_no_trace() {
    let bank = crash_at(Crash {
        point: "before_begin",
        status: None,
        branch: None,
    })
    .await;
    let alice = bank.alice().await;
    // Nothing is known under the key: the repetition is the first one.
    let first = alice.transfer(ALICE, BOB, "100", "crash").await.unwrap();
    assert!(!first.replayed);
    assert_eq!(first.expect(201)["status"], "committed");
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_02_after_the_begin_row_it_aborts() {
    let crash = Crash {
        point: "after_begin",
        status: Some("pending"),
        branch: None,
    };
    aborted(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_02_before_the_first_prepare_it_aborts() {
    let crash = Crash {
        point: "before_prepare_send",
        status: Some("pending"),
        branch: None,
    };
    aborted(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_04_all_yes_and_nothing_decided_aborts() {
    let crash = Crash {
        point: "after_votes",
        status: Some("pending"),
        branch: Some("PREPARED"),
    };
    aborted(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_04_just_before_the_decision_is_written_it_aborts() {
    let crash = Crash {
        point: "before_decide",
        status: Some("pending"),
        branch: Some("PREPARED"),
    };
    aborted(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_05_when_the_database_is_lost_during_the_decision_reading_again_tells() {
    let bank = TestBank::start_with_own_postgres(1).await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let asked = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "100", "crash").await }
    });
    eventually("the branch is prepared", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("PREPARED")).then_some(())
    })
    .await;
    bank.kill("postgres").await;
    bank.disarm(TRANSACTIONS, "before_decide").await;
    let answer = asked.await.unwrap().unwrap();
    assert!(
        answer.code() == "outcome_unknown" || answer.status == 503,
        "nothing is announced that is not durable: {}",
        answer.body
    );
    bank.restart("postgres").await;
    bank.settles().await;
    let again = alice.transfer(ALICE, BOB, "100", "crash").await.unwrap();
    let expected = if again.status == 201 {
        "900.00"
    } else {
        "1000.00"
    };
    assert_eq!(teller.balance(ALICE).await, expected, "{}", again.body);
    bank.stop().await;
}

#[tokio::test]
async fn case_06_decided_and_nothing_sent_commits() {
    let crash = Crash {
        point: "after_decide",
        status: Some("committed"),
        branch: Some("PREPARED"),
    };
    committed(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_06_just_before_the_commit_is_sent_commits() {
    let crash = Crash {
        point: "before_decision_send",
        status: Some("committed"),
        branch: Some("PREPARED"),
    };
    committed(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_08_acknowledged_and_not_marked_done_commits_once() {
    let crash = Crash {
        point: "after_acks",
        status: Some("committed"),
        branch: Some("COMMITTED"),
    };
    committed(crash_at(crash).await).await;
}

#[tokio::test]
async fn case_08_before_done_is_written_commits_once() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "before_done", Failpoint::Abort)
        .await;
    // The reply may be on its way already: done is written after it.
    drop(alice.transfer(ALICE, BOB, "100", "crash").await);
    bank.died(TRANSACTIONS).await;
    let (id, status) = bank.newest_transaction().await.unwrap();
    assert_eq!(status, "committed");
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("COMMITTED")
    );
    assert_eq!(bank.open_transactions().await, 1, "not marked done");
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "900.00");
    let entries = teller
        .get_accounts(&format!("/accounts/{BOB}/entries"))
        .await
        .expect(200);
    let received = entries["items"].as_array().unwrap().iter();
    assert_eq!(
        received.filter(|entry| entry["kind"] == "transfer").count(),
        1
    );
    bank.stop().await;
}

#[tokio::test]
async fn case_10_before_the_reply_the_repetition_gets_the_same_result() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "before_client_reply", Failpoint::Abort)
        .await;
    assert!(alice.transfer(ALICE, BOB, "100", "crash").await.is_err());
    bank.died(TRANSACTIONS).await;
    assert_eq!(bank.newest_transaction().await.unwrap().1, "committed");
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    let again = alice.transfer(ALICE, BOB, "100", "crash").await.unwrap();
    assert!(again.replayed);
    let body = again.expect(201);
    let id = body["transaction_id"].as_str().unwrap();
    assert_eq!(bank.newest_transaction().await.unwrap().0, id);
    assert_eq!(teller.balance(ALICE).await, "900.00");
    let more = alice
        .transfer(ALICE, BOB, "100", "crash")
        .await
        .unwrap()
        .expect(201);
    assert_eq!(more, body, "every repetition reads the same");
    bank.stop().await;
}

#[tokio::test]
async fn case_11_killed_twenty_times_during_recovery_it_ends() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "after_decide", Failpoint::Abort)
        .await;
    assert!(alice.transfer(ALICE, BOB, "100", "crash").await.is_err());
    bank.died(TRANSACTIONS).await;
    for point in [
        "after_claim",
        "before_decision_send",
        "after_acks",
        "before_done",
    ]
    .iter()
    .cycle()
    .take(20)
    {
        let armed = [("BANK_FAILPOINTS".to_owned(), format!("{point}=abort:1"))];
        bank.bank.spawn(TRANSACTIONS, &armed.into()).unwrap();
        bank.died(TRANSACTIONS).await;
    }
    bank.restart(TRANSACTIONS).await;
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "900.00");
    assert_eq!(teller.balance(BOB).await, "850.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_12_two_recoverers_at_once_make_one_decision() {
    let bank = TestBank::start_with(|mut options| {
        options.coordinators = 3;
        options
    })
    .await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm_always(TRANSACTIONS, "after_votes", Failpoint::Pause)
        .await;
    let mut asked = Vec::new();
    for number in 0..20 {
        let alice = alice.clone();
        asked.push(tokio::spawn(async move {
            alice
                .transfer(ALICE, BOB, "10", &format!("many-{number}"))
                .await
        }));
    }
    let database = bank.database(ACCOUNTS).await;
    eventually("all are prepared", || async {
        let prepared: i64 =
            sqlx::query_scalar("SELECT count(*) FROM branches WHERE state::text = 'PREPARED'")
                .fetch_one(&database)
                .await
                .ok()?;
        (prepared == 20).then_some(())
    })
    .await;
    // Both others find them as soon as the lease is over.
    bank.kill(TRANSACTIONS).await;
    for answer in asked {
        assert!(answer.await.unwrap().is_err());
    }
    bank.settles().await;
    let other = alice.at(None, Some(&bank.url(SECOND_COORDINATOR)));
    for number in 0..20 {
        let again = other
            .transfer(ALICE, BOB, "10", &format!("many-{number}"))
            .await
            .unwrap();
        assert_eq!(again.code(), "aborted_by_recovery");
    }
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    bank.stop().await;
}

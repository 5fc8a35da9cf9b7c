//! Databases that are put back to an earlier state: nothing moves between the two sides, an alarm is
//! raised, and nobody presumes anything, until two operators have reconciled them.

use serde_json::{Value, json};
use tests::{ACCOUNTS, Answer, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

/// Waits until the coordinator says this of the first bank.
async fn stands(bank: &TestBank, state: &str) {
    let admin = bank.admin().await;
    eventually(&format!("bank-1 is {state}"), || async {
        let list = admin.get_transactions("/participants").await;
        (list.body["items"][0]["state"] == state).then_some(())
    })
    .await;
}

/// Transfers until one is made: connections that were cut are noticed one after the other.
async fn makes_a_transfer(bank: &TestBank, name: &str) -> Answer {
    let alice = bank.alice().await;
    let attempts = std::sync::atomic::AtomicU32::new(0);
    eventually("a transfer is made", || async {
        let attempt = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = format!("{name}-{attempt}");
        let answer = alice.transfer(ALICE, BOB, "1", &key).await.ok()?;
        (answer.status == 201).then_some(answer)
    })
    .await
}

/// Nothing can be begun with the bank: neither is anything written, nor is it asked.
async fn refuses_transfers(bank: &TestBank) {
    let alice = bank.alice().await;
    let before = bank.newest_transaction().await;
    let answer = alice.transfer(ALICE, BOB, "1", "refused").await.unwrap();
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.code(), "not_in_step", "{}", answer.body);
    assert_eq!(bank.newest_transaction().await, before, "nothing was begun");
}

/// Two admins accept what was lost.
async fn reconcile(bank: &TestBank) -> Value {
    let (ada, max) = (bank.admin().await, bank.actor("max-admin").await);
    let path = "/participants/bank-1/reconciliations";
    let reason = json!({"reason": "restored from the copy of last night"});
    let proposed = ada.post_transactions(path, &reason).await.expect(202);
    let id = proposed["reconciliation_id"].as_str().unwrap();
    let path = format!("{path}/{id}/confirmations");
    let alone = ada.post_transactions(&path, &Value::Null).await;
    assert_eq!(alone.status, 403, "{}", alone.body);
    let done = max.post_transactions(&path, &Value::Null).await.expect(200);
    assert!(done["reconciled_at"].is_string(), "{done}");
    let again = max.post_transactions(&path, &Value::Null).await;
    assert_eq!(again.status, 409, "{}", again.body);
    done
}

/// Every bank's own books are in order.
async fn ledgers_are_sound(bank: &TestBank) {
    let check = bank.admin().await.get_accounts("/ledger/check").await;
    assert_eq!(check.body["ok"], true, "{}", check.body);
}

async fn status(bank: &TestBank, id: &str) -> Option<(String, String, i32)> {
    sqlx::query_as(
        "SELECT status::text, phase, epoch FROM transactions WHERE transaction_id = $1::uuid",
    )
    .bind(id)
    .fetch_optional(&bank.database(TRANSACTIONS).await)
    .await
    .ok()?
}

/// A transfer that is pending in a copy of the coordinator's database, and was committed after it.
async fn pending_in_the_copy(bank: &TestBank) -> (String, tests::Copy) {
    makes_a_transfer(bank, "first").await;
    let alice = bank.alice().await;
    bank.arm(TRANSACTIONS, "after_votes", Failpoint::Pause)
        .await;
    let asked =
        tokio::spawn(async move { alice.transfer(ALICE, BOB, "100", "lost-decision").await });
    let id = eventually("the branch is prepared", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(ACCOUNTS, &id).await.as_deref() == Some("PREPARED")).then_some(id)
    })
    .await;
    let copy = bank.copy_database(TRANSACTIONS).await;
    bank.disarm(TRANSACTIONS, "after_votes").await;
    drop(asked.await.unwrap());
    (id, copy)
}

/// Whichever way it was decided after the copy was made, it is durable at the bank.
async fn decided_at_the_bank(bank: &TestBank, id: &str) -> String {
    eventually("it is decided", || async {
        let state = bank.branch(ACCOUNTS, id).await?;
        (state != "PREPARED").then_some(state)
    })
    .await
}

/// What must be true of a coordinator that has forgotten its decision.
async fn nothing_is_presumed(bank: &TestBank, id: &str, at_the_bank: &str) {
    stands(bank, "coordinator_behind").await;
    bank.alarm(TRANSACTIONS).await;
    bank.alarm(ACCOUNTS).await;
    refuses_transfers(bank).await;
    eventually("recovery has taken it over", || async {
        let (_, _, epoch) = status(bank, id).await?;
        (epoch > 1).then_some(())
    })
    .await;
    let (status, ..) = status(bank, id).await.unwrap();
    assert_eq!(status, "pending", "nothing is aborted by recovery");
    assert_eq!(
        bank.branch(ACCOUNTS, id).await.as_deref(),
        Some(at_the_bank)
    );
}

#[tokio::test]
async fn case_15_a_coordinator_database_from_an_old_copy_presumes_nothing() {
    let bank = TestBank::start().await;
    let (id, copy) = pending_in_the_copy(&bank).await;
    let at_the_bank = decided_at_the_bank(&bank, &id).await;
    makes_a_transfer(&bank, "later").await;
    bank.kill(TRANSACTIONS).await;
    bank.kill(ACCOUNTS).await;
    bank.put_back(copy).await;
    bank.restart(ACCOUNTS).await;
    bank.restart(TRANSACTIONS).await;
    nothing_is_presumed(&bank, &id, &at_the_bank).await;
    reconcile(&bank).await;
    stands(&bank, "in_step").await;
    makes_a_transfer(&bank, "reconciled").await;
    // The transaction goes on as its record says, and what contradicts that is shown.
    eventually("it has ended", || async {
        let (status, phase, _) = status(&bank, &id).await?;
        let wanted = if at_the_bank == "COMMITTED" {
            "hazard"
        } else {
            "done"
        };
        (status == "aborted" && phase == wanted).then_some(())
    })
    .await;
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some(at_the_bank.as_str())
    );
    ledgers_are_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_27_a_bank_from_an_old_copy_acknowledges_nothing_it_has_forgotten() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    makes_a_transfer(&bank, "first").await;
    let copy = bank.copy_database(ACCOUNTS).await;
    let acknowledged = makes_a_transfer(&bank, "forgotten").await;
    bank.arm(TRANSACTIONS, "before_decision_send", Failpoint::Pause)
        .await;
    let asked = tokio::spawn(async move { alice.transfer(ALICE, BOB, "100", "promised").await });
    let promised = eventually("it is decided and not delivered", || async {
        let (id, status) = bank.newest_transaction().await?;
        (status == "committed" && id != acknowledged.transaction_id()).then_some(id)
    })
    .await;
    bank.kill(ACCOUNTS).await;
    bank.put_back(copy).await;
    bank.restart(ACCOUNTS).await;
    bank.disarm(TRANSACTIONS, "before_decision_send").await;
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(
        answer.status, 202,
        "committed, not settled: {}",
        answer.body
    );

    stands(&bank, "behind").await;
    bank.alarm(TRANSACTIONS).await;
    bank.alarm(ACCOUNTS).await;
    refuses_transfers(&bank).await;
    let (_, phase, _) = status(&bank, &promised).await.unwrap();
    assert_eq!(phase, "delivering", "neither acknowledged nor given up");
    assert_eq!(bank.branch(ACCOUNTS, &promised).await, None);

    reconcile(&bank).await;
    stands(&bank, "in_step").await;
    makes_a_transfer(&bank, "reconciled").await;
    eventually("the missing branch is a hazard", || async {
        let (status, phase, _) = status(&bank, &promised).await?;
        (status == "committed" && phase == "hazard").then_some(())
    })
    .await;
    assert_eq!(bank.branch(ACCOUNTS, &promised).await, None);
    ledgers_are_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_100_a_coordinator_that_fails_over_while_it_runs_presumes_nothing() {
    let bank = TestBank::start().await;
    let (id, copy) = pending_in_the_copy(&bank).await;
    let at_the_bank = decided_at_the_bank(&bank, &id).await;
    makes_a_transfer(&bank, "later").await;
    bank.put_back(copy).await;
    stands(&bank, "coordinator_behind").await;
    bank.alarm(ACCOUNTS).await;
    refuses_transfers(&bank).await;
    let (status, ..) = status(&bank, &id).await.unwrap();
    assert_eq!(status, "pending", "nothing is aborted by recovery");
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some(at_the_bank.as_str())
    );
    bank.stop().await;
}

#[tokio::test]
async fn case_100_a_bank_that_fails_over_while_it_runs_votes_on_nothing() {
    let bank = TestBank::start().await;
    makes_a_transfer(&bank, "first").await;
    let copy = bank.copy_database(ACCOUNTS).await;
    makes_a_transfer(&bank, "forgotten").await;
    let branches = "SELECT count(*) FROM branches";
    bank.put_back(copy).await;
    let before: i64 = sqlx::query_scalar(branches)
        .fetch_one(&bank.database(ACCOUNTS).await)
        .await
        .unwrap();
    // The coordinator learns it from the first bank that refuses its list.
    let alice = bank.alice().await;
    let attempts = std::sync::atomic::AtomicU32::new(0);
    eventually("transfers are refused", || async {
        let attempt = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = format!("after-{attempt}");
        let answer = alice.transfer(ALICE, BOB, "1", &key).await.ok()?;
        assert_ne!(answer.status, 201, "{}", answer.body);
        (answer.code() == "not_in_step").then_some(())
    })
    .await;
    stands(&bank, "behind").await;
    bank.alarm(ACCOUNTS).await;
    let after: i64 = sqlx::query_scalar(branches)
        .fetch_one(&bank.database(ACCOUNTS).await)
        .await
        .unwrap();
    assert_eq!(after, before, "nothing is prepared");
    reconcile(&bank).await;
    makes_a_transfer(&bank, "reconciled").await;
    ledgers_are_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn a_copy_that_has_lost_nothing_goes_on_without_anybody() {
    let bank = TestBank::start().await;
    makes_a_transfer(&bank, "first").await;
    for service in [ACCOUNTS, TRANSACTIONS] {
        let copy = bank.copy_database(service).await;
        bank.put_back(copy).await;
        makes_a_transfer(&bank, service).await;
        stands(&bank, "in_step").await;
    }
    let ada = bank.admin().await;
    let path = "/participants/bank-1/reconciliations";
    let nothing = ada
        .post_transactions(path, &json!({"reason": "to be sure"}))
        .await;
    assert_eq!(nothing.code(), "conflict", "{}", nothing.body);
    bank.settles().await;
    bank.stop().await;
}

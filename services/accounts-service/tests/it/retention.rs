//! What is long finished is deleted, and nobody misses it.

use accounts_service::participant::retention::NotDeleted;
use serde_json::json;
use two_phase::message::{Hazard, Outcome};
use two_phase::{Acknowledgement, BranchState};
use types::{Code, TransactionId};
use uuid::{NoContext, Timestamp, Uuid};

use crate::bank::{ALICE_1, BOB_1, Bank, CAROL_1, no, transfer};
use crate::sagas::{Credit, DONE, Debit, Saga, refused};

/// An id of so many days ago.
fn id_of(days: u64) -> TransactionId {
    let now = u64::try_from(chrono::Utc::now().timestamp()).expect("after 1970");
    let then = Timestamp::from_unix(NoContext, now - days * 86_400, 0);
    TransactionId::from_uuid(Uuid::new_v7(then))
}

impl Bank {
    /// As if this had been so many days ago: another id, and other times.
    async fn begun_days_ago(&self, id: TransactionId, days: u64) -> TransactionId {
        let old = id_of(days);
        let mut statements = "ALTER TABLE ledger_entries DISABLE TRIGGER USER;".to_owned();
        for (table, at) in [
            ("branches", "finished_at"),
            ("ledger_entries", "created_at"),
            ("saga_parts", "changed_at"),
            ("saga_operations", "recorded_at"),
            ("hazards", "seen_at"),
            ("idempotency_keys", "created_at"),
        ] {
            statements += &format!(
                "UPDATE {table} SET transaction_id = '{old}', {at} = {at} - interval '{days} days'
                 WHERE transaction_id = '{id}';"
            );
        }
        statements += "ALTER TABLE ledger_entries ENABLE TRIGGER USER;";
        self.sql(&statements).await;
        old
    }

    async fn carried_out(&self, amount: &str) -> TransactionId {
        let wish = transfer(ALICE_1, BOB_1, amount);
        self.prepare(&wish).await;
        self.decide(wish.transaction_id, Outcome::Commit).await;
        wish.transaction_id
    }

    async fn rows(&self, table: &str) -> i64 {
        self.count(&format!("SELECT count(*) FROM {table}")).await
    }
}

#[tokio::test]
async fn branches_that_are_long_finished_are_deleted_and_the_books_remain() {
    let mut bank = Bank::start().await;
    let committed = bank.carried_out("40").await;
    let given_up = TransactionId::generate();
    bank.decide(given_up, Outcome::Abort).await;
    let too_much = transfer(ALICE_1, BOB_1, "5000");
    bank.prepare(&too_much).await;
    for id in [committed, given_up, too_much.transaction_id] {
        bank.begun_days_ago(id, 9).await;
    }
    let entries = bank.rows("ledger_entries").await;
    let path = format!("/accounts/{ALICE_1}/entries");
    let statement = bank.alice().get(&path).await.bytes;
    let deleted = bank.sweep().await.expect("a sweep");
    assert_eq!(deleted.to_string(), "branches 3");
    assert_eq!(bank.rows("branches").await, 0);
    assert_eq!(bank.rows("ledger_entries").await, entries);
    assert_eq!(bank.alice().get(&path).await.bytes, statement);
    bank.assert_at_rest().await;
    // What is missing and was not deleted for its age is still found.
    let missed = bank.carried_out("1").await;
    bank.sql(&format!(
        "DELETE FROM branches WHERE transaction_id = '{missed}'"
    ))
    .await;
    let check = bank.admin().get("/ledger/check").await;
    assert_eq!(check.body["checks"][4]["ok"], false, "{:#}", check.body);
}

#[tokio::test]
async fn what_is_not_long_finished_or_concerns_people_is_kept() {
    let mut bank = Bank::start().await;
    let prepared = transfer(ALICE_1, BOB_1, "1");
    bank.prepare(&prepared).await;
    bank.begun_days_ago(prepared.transaction_id, 30).await;
    let young = bank.carried_out("2").await;
    bank.begun_days_ago(young, 7).await;
    // Begun long ago, and finished a moment ago.
    let late = bank.carried_out("3").await;
    let late = bank.begun_days_ago(late, 30).await;
    bank.sql(&format!(
        "UPDATE branches SET finished_at = now() WHERE transaction_id = '{late}'"
    ))
    .await;
    // One of the two clocks is wrong by a month.
    let confused = bank.carried_out("4").await;
    bank.sql(&format!(
        "UPDATE branches SET finished_at = now() - interval '30 days'
         WHERE transaction_id = '{confused}'"
    ))
    .await;
    let forced = bank.carried_out("5").await;
    let forced = bank.begun_days_ago(forced, 30).await;
    bank.sql(&format!(
        "ALTER TABLE branches DISABLE TRIGGER USER;
         UPDATE branches SET state = 'HEURISTIC_COMMIT' WHERE transaction_id = '{forced}'"
    ))
    .await;
    for acknowledged_at in ["NULL", "now()"] {
        let contradicted = bank.carried_out("6").await;
        let contradicted = bank.begun_days_ago(contradicted, 30).await;
        bank.sql(&format!(
            "INSERT INTO hazards (transaction_id, kind, detail, acknowledged_at)
             VALUES ('{contradicted}', 'prepare_contradiction', '', {acknowledged_at})"
        ))
        .await;
    }
    // An id that does not say its age.
    let strange = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001);
    bank.decide(strange.into(), Outcome::Abort).await;
    bank.sql(&format!(
        "UPDATE branches SET finished_at = now() - interval '30 days'
         WHERE transaction_id = '{strange}'"
    ))
    .await;
    let before = bank.rows("branches").await;
    assert_eq!(bank.sweep().await.expect("a sweep").rows(), 0);
    assert_eq!(bank.rows("branches").await, before);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_branch_that_the_coordinator_is_not_done_with_is_kept() {
    let mut bank = Bank::start().await;
    let (needed, other) = (bank.carried_out("1").await, bank.carried_out("2").await);
    let (needed, other) = (
        bank.begun_days_ago(needed, 9).await,
        bank.begun_days_ago(other, 9).await,
    );
    bank.coordinator_needs(&[needed]);
    assert_eq!(
        bank.sweep().await.expect("a sweep").to_string(),
        "branches 1"
    );
    assert_eq!(bank.state(needed).await, Some(BranchState::Committed));
    assert_eq!(bank.state(other).await, None);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn without_the_coordinator_no_branch_is_deleted() {
    let mut bank = Bank::start().await;
    let id = bank.carried_out("1").await;
    let id = bank.begun_days_ago(id, 9).await;
    bank.lose_coordinator().await;
    for _ in 0..2 {
        let silence = bank.sweep().await.expect_err("nobody answers");
        assert!(matches!(silence, NotDeleted::Silence(_)), "{silence}");
    }
    assert_eq!(bank.state(id).await, Some(BranchState::Committed));
}

#[tokio::test]
async fn more_than_one_batch_is_deleted_and_what_is_needed_is_passed_over() {
    let mut bank = Bank::start().await;
    let ids: Vec<TransactionId> = (0..2_500).map(|_| id_of(9)).collect();
    let list: Vec<String> = ids.iter().map(|id| format!("('{id}'::uuid)")).collect();
    bank.sql(&format!(
        "INSERT INTO branches (transaction_id, state, finished_at)
         SELECT id, 'ABORTED', now() - interval '9 days' FROM (VALUES {}) AS old (id)",
        list.join(",")
    ))
    .await;
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    // All of the first batch, and one in the last.
    bank.coordinator_needs(&sorted[..1_000]);
    bank.coordinator_needs(&sorted[2_400..2_401]);
    let deleted = bank.sweep().await.expect("a sweep");
    assert_eq!(deleted.to_string(), "branches 1499");
    assert_eq!(bank.rows("branches").await, 1_001);
    assert_eq!(bank.sweep().await.expect("a sweep").rows(), 0);
}

#[tokio::test]
async fn case_34_what_comes_late_about_a_deleted_branch_changes_nothing() {
    let mut bank = Bank::start().await;
    let mut wish = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&wish).await;
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    wish.transaction_id = bank.begun_days_ago(wish.transaction_id, 9).await;
    let (entries, figures) = (
        bank.rows("ledger_entries").await,
        bank.figures(ALICE_1).await,
    );
    assert_eq!(
        bank.sweep().await.expect("a sweep").to_string(),
        "branches 1"
    );
    let id = wish.transaction_id;
    assert_eq!(bank.prepare(&wish).await, no(Code::AbortedByRecovery));
    assert_eq!(bank.decide(id, Outcome::Abort).await, Acknowledgement::Done);
    let hazard = Hazard::BranchMissing;
    let missing = Acknowledgement::Hazard { hazard };
    assert_eq!(bank.decide(id, Outcome::Commit).await, missing);
    let asked = bank.participant.terminate(vec![id]).await.expect("states");
    assert!(asked.is_empty());
    let step = Saga(wish).step(Debit);
    assert_eq!(bank.perform(step).await, refused(Code::OperationClosed));
    assert_eq!(bank.rows("branches").await, 0);
    assert_eq!(bank.rows("saga_operations").await, 0);
    assert_eq!(bank.rows("ledger_entries").await, entries);
    assert_eq!(bank.figures(ALICE_1).await, figures);
    bank.assert_sound().await;
}

#[tokio::test]
async fn sagas_that_are_long_finished_are_deleted_and_open_ones_are_kept() {
    let mut bank = Bank::start().await;
    let finished = Saga(transfer(ALICE_1, BOB_1, "10"));
    for step in finished.steps() {
        assert_eq!(bank.perform(step).await, DONE);
    }
    let undone = Saga(transfer(ALICE_1, BOB_1, "20"));
    assert_eq!(bank.perform(undone.step(Debit)).await, DONE);
    assert_eq!(bank.perform(undone.undo(Debit)).await, DONE);
    // Refused, so that there is no part; and given up before it came.
    let broke = Saga(transfer(CAROL_1, BOB_1, "5000"));
    let answer = bank.perform(broke.step(Debit)).await;
    assert_eq!(answer, refused(Code::InsufficientFunds));
    let closed = Saga(transfer(ALICE_1, BOB_1, "1"));
    assert_eq!(bank.perform(closed.undo(Debit)).await, DONE);
    let open = Saga(transfer(ALICE_1, BOB_1, "30"));
    assert_eq!(bank.perform(open.step(Debit)).await, DONE);
    assert_eq!(bank.perform(open.step(Credit)).await, DONE);
    let needed = Saga(transfer(ALICE_1, BOB_1, "40"));
    for step in needed.steps() {
        assert_eq!(bank.perform(step).await, DONE);
    }
    for saga in [&finished, &undone, &broke, &closed, &open] {
        bank.begun_days_ago(saga.0.transaction_id, 9).await;
    }
    let needed = bank.begun_days_ago(needed.0.transaction_id, 9).await;
    bank.coordinator_needs(&[needed]);
    assert_eq!(
        bank.sweep().await.expect("a sweep").to_string(),
        "saga_operations 8, saga_parts 2"
    );
    assert_eq!(bank.rows("saga_parts").await, 2);
    assert_eq!(bank.rows("saga_operations").await, 5);
    bank.assert_sound().await;
}

#[tokio::test]
async fn a_key_is_kept_for_as_long_as_a_branch_and_then_names_a_new_request() {
    let mut bank = Bank::start().await;
    let (teller, path) = (bank.teller(), format!("/accounts/{CAROL_1}/deposits"));
    let cash = json!({"amount": "5"});
    let first = teller.post_keyed(&path, &cash, "the-key").await;
    let young = teller.post_keyed(&path, &cash, "another-key").await;
    let id = |text: String| text.parse::<TransactionId>().expect("an id");
    bank.begun_days_ago(id(young.text("transaction_id")), 7)
        .await;
    bank.begun_days_ago(id(first.text("transaction_id")), 9)
        .await;
    let deleted = bank.sweep().await.expect("a sweep");
    assert_eq!(deleted.to_string(), "idempotency_keys 1");
    let again = teller.post_keyed(&path, &cash, "another-key").await;
    assert_eq!(again.bytes, young.bytes);
    let anew = teller.post_keyed(&path, &cash, "the-key").await;
    assert_eq!(anew.status, 201);
    assert_ne!(anew.text("transaction_id"), first.text("transaction_id"));
    bank.assert_at_rest().await;
}

//! Damaged data: one item of a list cannot be carried out, the others are.

use two_phase::message::{Hazard, Outcome};
use two_phase::{Acknowledgement, BranchState};

use crate::bank::{ALICE_1, BOB, BOB_1, Bank, transfer, yes};

const CANNOT_APPLY: Option<Acknowledgement> = Some(Acknowledgement::Hazard {
    hazard: Hazard::CannotApply,
});

/// Twenty prepared transfers, one of them at an account of its own.
async fn prepared(bank: &Bank) -> (Vec<(types::TransactionId, Outcome)>, String) {
    let victim = bank.open(BOB, "50", "escrow").await;
    let mut list: Vec<_> = (0..19).map(|_| transfer(ALICE_1, BOB_1, "1")).collect();
    list.insert(7, transfer(&victim, BOB_1, "5"));
    assert_eq!(
        bank.participant.prepare(list.clone()).await,
        [Some(yes()); 20]
    );
    let commits = list
        .iter()
        .map(|wish| (wish.transaction_id, Outcome::Commit));
    (commits.collect(), victim)
}

fn assert_only_the_poisoned_one_failed(answers: &[Option<Acknowledgement>]) {
    for (n, answer) in answers.iter().enumerate() {
        let expected = if n == 7 {
            CANNOT_APPLY
        } else {
            Some(Acknowledgement::Done)
        };
        assert_eq!(*answer, expected, "{n}");
    }
}

#[tokio::test]
async fn case_109_a_branch_whose_hold_is_gone_becomes_a_hazard_and_the_others_finish() {
    let bank = Bank::start().await;
    let (commits, victim) = prepared(&bank).await;
    bank.sql(&format!(
        "UPDATE accounts SET pending_debits = 0 WHERE account_id = '{victim}'"
    ))
    .await;
    let answers = bank.participant.decide(commits.clone()).await;
    assert_only_the_poisoned_one_failed(&answers);
    assert_eq!(bank.state(commits[7].0).await, Some(BranchState::Prepared));
    let raised = "SELECT count(*) FROM hazards WHERE kind = 'cannot_apply'";
    assert_eq!(bank.count(raised).await, 1);
    // The bank finds it by itself too.
    let check = bank.admin().get("/ledger/check").await;
    assert_eq!(check.body["ok"], false);
    let broken = check.body["checks"][3].clone();
    assert_eq!(
        (&broken["id"], &broken["ok"]),
        (&"I4".into(), &false.into())
    );
    // Once an operator has repaired it, the same decision goes through.
    bank.sql(&format!(
        "UPDATE accounts SET pending_debits = 5 WHERE account_id = '{victim}'"
    ))
    .await;
    let answers = bank.participant.decide(vec![commits[7]]).await;
    assert_eq!(answers, [Some(Acknowledgement::Done)]);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_109_a_list_that_the_database_refuses_is_halved_down_to_the_item() {
    let bank = Bank::start().await;
    let (commits, victim) = prepared(&bank).await;
    bank.sql(&format!(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'planted'; END $$;
         CREATE TRIGGER poison BEFORE INSERT ON ledger_entries FOR EACH ROW
             WHEN (NEW.account_id = '{victim}') EXECUTE FUNCTION poison()"
    ))
    .await;
    let answers = bank.participant.decide(commits.clone()).await;
    assert_only_the_poisoned_one_failed(&answers);
    bank.assert_sound().await;
    bank.sql("DROP TRIGGER poison ON ledger_entries").await;
    bank.participant.decide(commits).await;
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_109_a_prepare_that_the_database_refuses_stays_unanswered_and_the_others_are_voted_on()
{
    let bank = Bank::start().await;
    let victim = bank.open(BOB, "50", "escrow").await;
    bank.sql(&format!(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'planted'; END $$;
         CREATE TRIGGER poison BEFORE UPDATE ON accounts FOR EACH ROW
             WHEN (NEW.account_id = '{victim}') EXECUTE FUNCTION poison()"
    ))
    .await;
    let mut list: Vec<_> = (0..9).map(|_| transfer(ALICE_1, BOB_1, "1")).collect();
    list.insert(4, transfer(&victim, BOB_1, "5"));
    let votes = bank.participant.prepare(list.clone()).await;
    for (n, vote) in votes.iter().enumerate() {
        let expected = (n != 4).then_some(yes());
        assert_eq!(*vote, expected, "{n}");
    }
    assert_eq!(bank.state(list[4].transaction_id).await, None);
    bank.assert_sound().await;
}

#[tokio::test]
async fn the_ledger_cannot_be_rewritten() {
    let bank = Bank::start().await;
    for statement in [
        "UPDATE ledger_entries SET change = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
    ] {
        let refused = sqlx::query(statement).execute(&bank.pool).await;
        let words = refused.expect_err("refused").to_string();
        assert!(words.contains("append-only"), "{words}");
    }
    let revoked = "SELECT count(*) FROM information_schema.role_table_grants
                   WHERE table_name = 'ledger_entries'
                     AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE')";
    assert_eq!(bank.count(revoked).await, 0);
}

#[tokio::test]
async fn a_finished_branch_cannot_be_changed_by_anybody() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "1");
    bank.prepare(&wish).await;
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    let refused = sqlx::query("UPDATE branches SET state = 'ABORTED'")
        .execute(&bank.pool)
        .await;
    assert!(refused.is_err());
    bank.assert_at_rest().await;
}

//! Messages that are repeated, late, early or contradictory, sent to a real bank. What would be 409
//! for a lone message is the item's own answer here: messages are lists.

use serde_json::json;
use tests::{ACCOUNTS, Messenger, TestBank, eventually};
use tokio::task::JoinSet;
use two_phase::message::{Acknowledgement, Hazard, Outcome, Vote};
use types::Code;

use crate::seed::{ALICE, BOB};

const DONE: Acknowledgement = Acknowledgement::Done;

const fn hazard(hazard: Hazard) -> Acknowledgement {
    Acknowledgement::Hazard { hazard }
}

/// The branches here are nobody's: the coordinator never heard of them and must not be asked.
async fn start() -> (TestBank, Messenger) {
    let bank =
        TestBank::start_with(|options| options.setting("ACCOUNTS_IN_DOUBT_AFTER_MS", 600_000))
            .await;
    let messenger = bank.messenger().await;
    (bank, messenger)
}

async fn ledger_is_sound(bank: &TestBank) {
    let check = bank.admin().await.get_accounts("/ledger/check").await;
    let check = check.expect(200);
    assert_eq!(check["ok"], true, "{check}");
}

#[tokio::test]
async fn case_31_ten_prepares_at_once_make_one_branch_and_one_hold() {
    let (bank, messenger) = start().await;
    let prepare = messenger.transfer(ALICE, BOB, "10");
    let mut asked = JoinSet::new();
    for _ in 0..10 {
        let (messenger, prepare) = (messenger.clone(), prepare.clone());
        asked.spawn(async move { messenger.vote(&prepare).await });
    }
    assert_eq!(asked.join_all().await, [Vote::Yes; 10]);
    let teller = bank.teller().await;
    let alice = teller
        .get_accounts(&format!("/accounts/{ALICE}"))
        .await
        .expect(200);
    assert_eq!(alice["pending_debits"], "10.00");
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_32_and_33_a_prepare_after_the_decision_changes_nothing() {
    let (bank, messenger) = start().await;
    let (aborted, committed) = (
        messenger.transfer(ALICE, BOB, "10"),
        messenger.transfer(ALICE, BOB, "20"),
    );
    assert_eq!(
        messenger
            .decide(aborted.transaction_id, Outcome::Abort)
            .await,
        DONE
    );
    assert!(matches!(messenger.vote(&aborted).await, Vote::No { .. }));
    assert_eq!(messenger.vote(&committed).await, Vote::Yes);
    assert_eq!(
        messenger
            .decide(committed.transaction_id, Outcome::Commit)
            .await,
        DONE
    );
    assert_eq!(messenger.vote(&committed).await, Vote::Yes);
    let alice = bank
        .teller()
        .await
        .get_accounts(&format!("/accounts/{ALICE}"))
        .await
        .expect(200);
    assert_eq!(
        (&alice["balance"], &alice["pending_debits"]),
        (&json!("980.00"), &json!("0.00"))
    );
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_35_a_prepare_with_another_amount_is_a_contradiction_and_an_alarm() {
    let (bank, messenger) = start().await;
    let prepare = messenger.transfer(ALICE, BOB, "10");
    assert_eq!(messenger.vote(&prepare).await, Vote::Yes);
    let mut other = messenger.transfer(ALICE, BOB, "11");
    other.transaction_id = prepare.transaction_id;
    assert_eq!(messenger.vote(&other).await, Vote::Contradiction);
    eventually("the alarm is in the log", || async {
        (bank.logged(ACCOUNTS, "MANUAL_INTERVENTION_REQUIRED") > 0).then_some(())
    })
    .await;
    bank.stop().await;
}

#[tokio::test]
async fn case_36_38_and_39_a_decision_that_contradicts_the_branch_is_a_hazard() {
    let (bank, messenger) = start().await;
    let never = messenger.transfer(ALICE, BOB, "1").transaction_id;
    let missing = hazard(Hazard::BranchMissing);
    assert_eq!(messenger.decide(never, Outcome::Commit).await, missing);
    let prepare = messenger.transfer(ALICE, BOB, "10");
    let id = prepare.transaction_id;
    messenger.vote(&prepare).await;
    assert_eq!(messenger.decide(id, Outcome::Commit).await, DONE);
    let late = hazard(Hazard::AbortAfterCommit);
    assert_eq!(messenger.decide(id, Outcome::Abort).await, late);
    let prepare = messenger.transfer(ALICE, BOB, "10");
    let id = prepare.transaction_id;
    messenger.vote(&prepare).await;
    assert_eq!(messenger.decide(id, Outcome::Abort).await, DONE);
    let late = hazard(Hazard::CommitAfterAbort);
    assert_eq!(messenger.decide(id, Outcome::Commit).await, late);
    assert_eq!(bank.teller().await.balance(ALICE).await, "990.00");
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_37_ten_commits_at_once_make_one_entry() {
    let (bank, messenger) = start().await;
    let prepare = messenger.transfer(ALICE, BOB, "10");
    messenger.vote(&prepare).await;
    let mut told = JoinSet::new();
    for _ in 0..10 {
        let (messenger, id) = (messenger.clone(), prepare.transaction_id);
        told.spawn(async move { messenger.decide(id, Outcome::Commit).await });
    }
    assert_eq!(told.join_all().await, [DONE; 10]);
    let teller = bank.teller().await;
    let entries = teller
        .get_accounts(&format!("/accounts/{BOB}/entries"))
        .await
        .expect(200);
    let booked = entries["items"].as_array().unwrap().iter();
    assert_eq!(
        booked.filter(|entry| entry["kind"] == "transfer").count(),
        1
    );
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_40_prepare_and_abort_together_a_thousand_times_leave_nothing_prepared() {
    let (bank, messenger) = start().await;
    let mut races = JoinSet::new();
    for _ in 0..1_000 {
        let messenger = messenger.clone();
        races.spawn(async move {
            let prepare = messenger.transfer(ALICE, BOB, "0.01");
            let (vote, aborted) = tokio::join!(
                messenger.vote(&prepare),
                messenger.decide(prepare.transaction_id, Outcome::Abort),
            );
            assert!(matches!(vote, Vote::Yes | Vote::No { .. }), "{vote:?}");
            assert_eq!(aborted, DONE);
        });
        if races.len() >= 40 {
            races.join_next().await.unwrap().unwrap();
        }
    }
    races.join_all().await;
    let prepared: i64 =
        sqlx::query_scalar("SELECT count(*) FROM branches WHERE state::text <> 'ABORTED'")
            .fetch_one(&bank.database(ACCOUNTS).await)
            .await
            .unwrap();
    assert_eq!(prepared, 0);
    let alice = bank
        .teller()
        .await
        .get_accounts(&format!("/accounts/{ALICE}"))
        .await
        .expect(200);
    assert_eq!(alice["pending_debits"], "0.00");
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_59_and_98_terms_change_under_holds_only_as_far_as_the_promise_allows() {
    let (bank, messenger) = start().await;
    let teller = bank.teller().await;
    let path = format!("/accounts/{ALICE}");
    let patch = |body: serde_json::Value| {
        let (teller, path) = (teller.clone(), path.clone());
        async move {
            teller
                .accounts(reqwest::Method::PATCH, &path, None, &body)
                .await
                .unwrap()
        }
    };
    assert_eq!(patch(json!({"overdraft_limit": "100"})).await.status, 200);
    let prepare = messenger.transfer(ALICE, BOB, "1050");
    assert_eq!(messenger.vote(&prepare).await, Vote::Yes);
    assert_eq!(
        patch(json!({"overdraft_limit": "49.99"})).await.code(),
        "limit_too_low"
    );
    assert_eq!(
        patch(json!({"status": "closed"})).await.code(),
        "account_not_empty"
    );
    assert_eq!(patch(json!({"status": "frozen"})).await.status, 200);
    assert_eq!(
        messenger
            .decide(prepare.transaction_id, Outcome::Commit)
            .await,
        DONE
    );
    assert_eq!(teller.balance(ALICE).await, "-50.00");
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_62_any_subset_of_twenty_open_legs_commits_and_the_balance_stays_legal() {
    let (bank, messenger) = start().await;
    let teller = bank.teller().await;
    let source = teller.open_account("20", json!({})).await;
    let list: Vec<_> = (0..20)
        .map(|_| messenger.transfer(&source, BOB, "1"))
        .collect();
    assert_eq!(
        messenger.prepare(list.clone()).await.unwrap(),
        [Vote::Yes; 20]
    );
    let one_more = messenger
        .vote(&messenger.transfer(&source, BOB, "0.01"))
        .await;
    assert_eq!(
        one_more,
        Vote::No {
            reason: Code::InsufficientFunds
        }
    );
    for (number, prepare) in list.iter().enumerate() {
        let outcome = if number % 3 == 0 {
            Outcome::Abort
        } else {
            Outcome::Commit
        };
        assert_eq!(
            messenger.decide(prepare.transaction_id, outcome).await,
            DONE
        );
    }
    assert_eq!(teller.balance(&source).await, "7.00");
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_103_a_credit_that_would_overflow_is_refused_at_the_vote() {
    let (bank, messenger) = start().await;
    let full = bank
        .teller()
        .await
        .open_account("999999999999999.9999", json!({}))
        .await;
    let vote = messenger
        .vote(&messenger.transfer(ALICE, &full, "0.0001"))
        .await;
    assert_eq!(
        vote,
        Vote::No {
            reason: Code::BalanceLimit
        }
    );
    ledger_is_sound(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn case_109_one_poisoned_item_of_a_list_becomes_a_hazard_and_the_others_finish() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let victim = teller.open_account("0", json!({})).await;
    // Its entries cannot be written any more, whatever was promised.
    let poison = format!(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'planted'; END $$;
         CREATE TRIGGER poison BEFORE INSERT ON ledger_entries FOR EACH ROW
             WHEN (NEW.account_id = '{victim}') EXECUTE FUNCTION poison()"
    );
    let database = bank.database(ACCOUNTS).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(poison))
        .execute(&database)
        .await
        .unwrap();
    let transfers: Vec<_> = (0..20)
        .map(|number| {
            let destination = if number == 7 { victim.as_str() } else { BOB };
            json!({"source_account_id": ALICE, "destination_account_id": destination, "amount": "1"})
        })
        .collect();
    let answer = alice
        .batch(&transfers, false, "poisoned")
        .await
        .unwrap()
        .expect(200);
    for result in answer["results"].as_array().unwrap() {
        assert_eq!(
            result["status"], "committed",
            "decided, and for good: {result}"
        );
    }
    assert_eq!(teller.balance(BOB).await, "769.00", "nineteen have arrived");
    let listed = bank
        .admin()
        .await
        .get_transactions("/transactions/in-doubt")
        .await
        .expect(200);
    let poisoned = &answer["results"][7]["transaction_id"];
    let hazards: Vec<_> = listed["items"].as_array().unwrap().iter().collect();
    assert_eq!(hazards.len(), 1);
    assert_eq!(&hazards[0]["transaction_id"], poisoned);
    assert_eq!(hazards[0]["phase"], "hazard");
    bank.stop().await;
}

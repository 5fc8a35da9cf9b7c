//! Transfers by saga that do not get on: a bank that is gone, an operator, an executor that is late.

use serde_json::json;
use tests::{ACCOUNTS, Answer, SECOND_COORDINATOR, TRANSACTIONS, eventually};

use crate::sagas::{Scene, by_saga};
use crate::seed::ALICE;

/// The credit was refused, and the bank that has to refund is gone.
async fn refund_without_a_bank(banks: u16, retries: u64) -> Scene {
    let scene = Scene::set(banks, |options| {
        options
            .setting("TRANSACTIONS_SAGA_COMPENSATION_RETRIES", retries)
            .setting("TRANSACTIONS_CALL_TIMEOUT_MS", 700)
    })
    .await;
    scene.set_status("frozen").await;
    let sent = scene.before_write(2, "refund").await;
    scene.bank.kill(ACCOUNTS).await;
    scene.go_on().await;
    let answer = sent.await.unwrap().unwrap();
    assert_eq!(answer.code(), "account_frozen", "{}", answer.body);
    scene
}

#[tokio::test]
async fn case_67_a_refund_that_fails_is_tried_until_the_bank_is_back() {
    let scene = refund_without_a_bank(2, 60).await;
    assert_eq!(scene.saga().await["status"], "COMPENSATING");
    scene.bank.restart(ACCOUNTS).await;
    scene.has_moved(0).await;
    assert_eq!(scene.saga().await["status"], "COMPENSATED");
    scene.bank.stop().await;
}

/// The refund was tried often enough.
async fn stuck() -> (Scene, String) {
    let scene = refund_without_a_bank(1, 1).await;
    let admin = scene.bank.admin().await;
    let saga = eventually("it is stuck", || async {
        let list = admin.get_transactions("/sagas?status=STUCK").await;
        let saga = list.expect(200)["items"][0].clone();
        saga.is_object().then_some(saga)
    })
    .await;
    assert_eq!(saga["steps"][0]["step"], "debit");
    assert_eq!(saga["steps"][0]["status"], "COMPENSATING");
    assert!(
        scene
            .bank
            .logged(TRANSACTIONS, "MANUAL_INTERVENTION_REQUIRED")
            > 0
    );
    let id = saga["saga_id"].as_str().unwrap().to_owned();
    (scene, id)
}

async fn order(scene: &Scene, id: &str, what: &str) -> Answer {
    let admin = scene.bank.admin().await;
    let reason = json!({"reason": "ticket 820"});
    admin
        .post_transactions(&format!("/sagas/{id}/{what}"), &reason)
        .await
}

#[tokio::test]
async fn case_68_what_stays_stuck_waits_for_an_operator_who_has_it_try_again() {
    let (scene, id) = stuck().await;
    scene.bank.restart(ACCOUNTS).await;
    order(&scene, &id, "retry").await.expect(202);
    scene.has_moved(0).await;
    assert_eq!(scene.saga().await["status"], "COMPENSATED");
    let admin = scene.bank.admin().await;
    let audit = admin
        .get_transactions(&format!("/transactions/{id}/audit"))
        .await;
    let audit = audit.expect(200);
    let actions: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["action"], &entry["reason"]))
        .collect();
    let expected = (&json!("SAGA_RETRIED"), &json!("ticket 820"));
    assert_eq!(actions, [expected]);
    assert_eq!(order(&scene, &id, "retry").await.code(), "conflict");
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_68_an_operator_leaves_a_step_as_it_is_and_the_log_says_so() {
    let (scene, id) = stuck().await;
    order(&scene, &id, "skip").await.expect(202);
    let saga = eventually("it is over", || async {
        let saga = scene.saga().await;
        (saga["status"] == "COMPENSATED").then_some(saga)
    })
    .await;
    assert_eq!(saga["steps"][0]["status"], "SKIPPED");
    let log = saga["log"].as_array().unwrap();
    let skipped = log.iter().find(|line| line["event"] == "SKIPPED").unwrap();
    assert!(skipped["detail"].as_str().unwrap().ends_with("ticket 820"));
    // What was taken is still in transit: a person has to give it back.
    scene.bank.restart(ACCOUNTS).await;
    let left = scene.bank.teller().await.balance(ALICE).await;
    assert_eq!(left, "900.00");
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_71_an_executor_that_wakes_after_its_lease_changes_nothing() {
    let scene = Scene::set(1, |mut options| {
        options.coordinators = 2;
        options
    })
    .await;
    let sent = scene.before_write(1, "late").await;
    let bank = &scene.bank;
    bank.bank.kill(TRANSACTIONS, stack::Signal::STOP).unwrap();
    eventually("the other one has carried it out", || async {
        let (_, status) = bank.newest_transaction().await?;
        (status == "committed").then_some(())
    })
    .await;
    bank.bank.kill(TRANSACTIONS, stack::Signal::CONT).unwrap();
    scene.go_on().await;
    let answer = sent.await.unwrap().unwrap();
    assert_eq!(answer.body["status"], "committed", "{}", answer.body);
    scene.has_moved(100).await;
    assert!(bank.logged(TRANSACTIONS, "SAGA_LEFT_TO_RECOVERY") > 0);
    let alice = bank.alice().await;
    let other = alice.at(None, Some(&bank.url(SECOND_COORDINATOR)));
    let body = by_saga(ALICE, &scene.there, "100");
    let again = other.transfer_of(&body, "late").await.unwrap();
    assert!(again.replayed);
    scene.bank.stop().await;
}

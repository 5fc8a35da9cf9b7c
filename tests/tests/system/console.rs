//! The in-doubt console tells the truth, at the coordinator and at a bank, and what operators do is
//! kept for ever.

use serde_json::{Value, json};
use tests::{ACCOUNTS, ACCOUNTS_2, Actor, CUSTOMER, Failpoint, TRANSACTIONS, TestBank, eventually};
use tokio::task::JoinHandle;

use crate::seed::{ALICE, BOB};

/// A bank whose branches do not ask: only the coordinator's messages reach them.
async fn that_does_not_ask(banks: u16) -> TestBank {
    TestBank::start_with(|mut options| {
        options.banks = banks;
        options.setting("ACCOUNTS_IN_DOUBT_AFTER_MS", 600_000)
    })
    .await
}

/// Alice's transfer of 100, whose reply nobody needs.
async fn transfer_to(bank: &TestBank, destination: &str) -> JoinHandle<()> {
    let (alice, destination) = (bank.alice().await, destination.to_owned());
    tokio::spawn(async move {
        drop(alice.transfer(ALICE, &destination, "100", "console").await);
    })
}

/// The transaction that is listed, as soon as what is listed `is_so`.
async fn listed(bank: &TestBank, is_so: impl Fn(&Value) -> bool) -> Value {
    let admin = bank.admin().await;
    eventually("it is listed as it is", || async {
        let list = admin.get_transactions("/transactions/in-doubt").await;
        let item = list.expect(200)["items"][0].clone();
        is_so(&item).then_some(item)
    })
    .await
}

async fn nothing_is_listed(bank: &TestBank) {
    let admin = bank.admin().await;
    for list in [
        admin.get_transactions("/transactions/in-doubt").await,
        admin.get_accounts("/branches/in-doubt").await,
    ] {
        assert_eq!(list.expect(200)["items"], json!([]));
    }
}

fn trying(item: &Value) -> &str {
    item["trying"].as_str().unwrap_or_default()
}

/// What it would mean to do this at a bank; `None` when it is not offered.
fn means<'a>(item: &'a Value, action: &str, bank: &str) -> Option<&'a str> {
    let choices = item["choices"].as_array()?;
    let choice = choices
        .iter()
        .find(|choice| choice["action"] == action && choice["participant"] == bank)?;
    choice["means"].as_str()
}

async fn metric_becomes(bank: &TestBank, service: &str, line: &str, value: &str) {
    eventually(&format!("{line} of {service} is {value}"), || async {
        (bank.metric(service, line).await.as_deref() == Some(value)).then_some(())
    })
    .await;
}

fn actions(trail: &Value) -> Vec<&str> {
    let items = trail["items"].as_array().unwrap().iter();
    items.map(|item| item["action"].as_str().unwrap()).collect()
}

/// Acknowledges everything that is offered to be.
async fn acknowledge_all(admin: &Actor, item: &Value) {
    let id = item["transaction_id"].as_str().unwrap();
    for choice in item["choices"].as_array().unwrap() {
        if choice["action"] == "acknowledge" {
            let path = format!("/transactions/{id}/hazards/acknowledgements");
            let wish = json!({"participant": choice["participant"], "hazard": choice["hazard"],
                "reason": "corrected by hand"});
            let done = admin.post_transactions(&path, &wish).await.expect(200);
            assert_eq!(done["not_told"], Value::Null);
        }
    }
}

#[tokio::test]
async fn promised_and_not_decided_is_told_with_what_is_held_and_what_forcing_would_mean() {
    let bank = TestBank::start().await;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let transfer = transfer_to(&bank, BOB).await;
    let item = listed(&bank, |item| item["branches"][0]["state"] == "PREPARED").await;
    assert_eq!(item["status"], "pending");
    assert_eq!(
        trying(&item),
        "writing the decision: every bank has promised"
    );
    let coordinator = &item["coordinator"];
    assert_eq!(coordinator["phase"], "preparing");
    assert_eq!(coordinator["epoch"], 1);
    assert_eq!(coordinator["owner_name"], TRANSACTIONS);
    assert_eq!(coordinator["lease_over"], false);
    assert_eq!(coordinator["decided_at"], Value::Null);
    let branch = &item["branches"][0];
    assert_eq!(branch["acknowledged"], false);
    assert!(branch["prepared_at"].is_string());
    let legs = branch["legs"].as_array().unwrap();
    let debit = legs.iter().find(|leg| leg["account_id"] == ALICE).unwrap();
    assert_eq!(debit["change"], "-100.00");
    assert_eq!(debit["pending_debits"], "100.00");
    let commit = means(&item, "force_commit", "bank-1").unwrap();
    assert!(commit.contains("that would make it MIXED"), "{commit}");
    // The bank tells the same by itself.
    let admin = bank.admin().await;
    let own = eventually("the bank has asked", || async {
        let list = admin.get_accounts("/branches/in-doubt").await.expect(200);
        let own = list["items"][0].clone();
        (own["coordinator"] == "says that nothing is decided yet").then_some(own)
    })
    .await;
    assert_eq!(own["transaction_id"], item["transaction_id"]);
    assert_eq!(own["state"], "PREPARED");
    bank.disarm(TRANSACTIONS, "before_decide").await;
    transfer.await.unwrap();
    bank.settles().await;
    nothing_is_listed(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn decided_and_a_bank_down_is_told_with_attempts_and_the_error() {
    let bank = that_does_not_ask(2).await;
    let destination = bank
        .second_teller()
        .await
        .open_account("0", json!({}))
        .await;
    bank.arm(TRANSACTIONS, "before_decision_send", Failpoint::Pause)
        .await;
    let transfer = transfer_to(&bank, &destination).await;
    listed(&bank, |item| item["status"] == "committed").await;
    bank.kill(ACCOUNTS_2).await;
    bank.disarm(TRANSACTIONS, "before_decision_send").await;
    let item = listed(&bank, |item| {
        trying(item).contains("delivering COMMIT to bank-2, attempt")
            && item["branches"][0]["acknowledged"] == true
    })
    .await;
    assert!(trying(&item).contains("last error: "), "{}", trying(&item));
    assert_eq!(item["coordinator"]["status"], "committed");
    assert!(item["coordinator"]["decided_at"].is_string());
    let (first, second) = (&item["branches"][0], &item["branches"][1]);
    assert_eq!(
        (&first["state"], &first["reachable"]),
        (&json!("COMMITTED"), &json!(true))
    );
    assert_eq!(
        (&second["state"], &second["reachable"]),
        (&Value::Null, &json!(false))
    );
    assert!(second["error"].is_string());
    assert_eq!(second["acknowledged"], false);
    assert!(second["delivery"]["attempts"].as_u64().unwrap() > 0);
    assert_eq!(
        means(&item, "force_abort", "bank-2"),
        None,
        "nothing is forced where nothing is known"
    );
    bank.restart(ACCOUNTS_2).await;
    transfer.await.unwrap();
    bank.settles().await;
    nothing_is_listed(&bank).await;
    bank.stop().await;
}

#[tokio::test]
async fn a_branch_deleted_by_hand_is_a_hazard_until_it_is_acknowledged_and_never_forgotten() {
    let bank = that_does_not_ask(1).await;
    bank.arm(TRANSACTIONS, "before_decision_send", Failpoint::Pause)
        .await;
    let transfer = transfer_to(&bank, BOB).await;
    listed(&bank, |item| item["status"] == "committed").await;
    let accounts = bank.database(ACCOUNTS).await;
    let deleted = sqlx::query("DELETE FROM branches").execute(&accounts).await;
    assert_eq!(deleted.unwrap().rows_affected(), 1);
    bank.disarm(TRANSACTIONS, "before_decision_send").await;
    let item = listed(&bank, |item| item["phase"] == "hazard").await;
    assert!(
        trying(&item).starts_with("parked: hazard"),
        "{}",
        trying(&item)
    );
    let branch = &item["branches"][0];
    assert_eq!(branch["state"], Value::Null);
    assert_eq!(branch["hazard"], "BranchMissing");
    assert_eq!(branch["recorded"][0]["hazard"], "branch_missing");
    let correct = means(&item, "correct", "bank-1").unwrap();
    assert!(correct.contains("its data were lost"), "{correct}");
    for service in [TRANSACTIONS, ACCOUNTS] {
        let line = "bank_hazards_total{hazard=\"branch_missing\"}";
        metric_becomes(&bank, service, line, "1").await;
        metric_becomes(&bank, service, "bank_interventions_open", "1").await;
    }
    let (admin, teller) = (bank.admin().await, bank.teller().await);
    let id = item["transaction_id"].as_str().unwrap();
    let path = format!("/transactions/{id}/hazards/acknowledgements");
    let mut wish =
        json!({"participant": "bank-1", "hazard": "heuristic_mixed", "reason": "a mistake"});
    assert_eq!(admin.post_transactions(&path, &wish).await.status, 404);
    wish["hazard"] = json!("branch_missing");
    assert_eq!(teller.post_transactions(&path, &wish).await.status, 403);
    acknowledge_all(&admin, &item).await;
    nothing_is_listed(&bank).await;
    for service in [TRANSACTIONS, ACCOUNTS] {
        metric_becomes(&bank, service, "bank_interventions_open", "0").await;
    }
    let all = "/transactions/in-doubt?include=acknowledged";
    let all = admin.get_transactions(all).await.expect(200);
    assert_eq!(all["items"][0]["transaction_id"], id);
    assert!(all["items"][0]["hazards"][0]["acknowledged_at"].is_string());
    let trail = admin
        .get_transactions(&format!("/transactions/{id}/audit"))
        .await;
    let trail = trail.expect(200);
    assert_eq!(actions(&trail), ["ACKNOWLEDGED"]);
    assert_eq!(trail["items"][0]["reason"], "corrected by hand");
    let trail = admin.get_accounts(&format!("/branches/{id}/audit")).await;
    assert_eq!(actions(&trail.expect(200)), ["ACKNOWLEDGED"]);
    transfer.await.unwrap();
    bank.stop().await;
}

#[tokio::test]
async fn case_101_an_outcome_forced_against_the_decision_is_mixed_until_it_is_acknowledged() {
    let bank = that_does_not_ask(1).await;
    bank.arm(TRANSACTIONS, "before_decision_send", Failpoint::Pause)
        .await;
    let transfer = transfer_to(&bank, BOB).await;
    let item = listed(&bank, |item| item["status"] == "committed").await;
    let abort = means(&item, "force_abort", "bank-1").unwrap();
    assert!(
        abort.contains("the decision is COMMIT: that makes it MIXED"),
        "{abort}"
    );
    let id = item["transaction_id"].as_str().unwrap();
    let (ada, max) = (bank.admin().await, bank.actor("max-admin").await);
    let path = format!("/transactions/{id}/resolutions");
    let force = json!({"participant": "bank-1", "outcome": "abort", "reason": "by mistake"});
    let proposed = ada.post_transactions(&path, &force).await.expect(202);
    let resolution = proposed["resolution_id"].as_str().unwrap();
    let confirmation = format!("{path}/{resolution}/confirmations");
    let done = max.post_transactions(&confirmation, &json!({})).await;
    assert_eq!(done.expect(200)["result"], "HEURISTIC_ABORT");
    let forced = listed(&bank, |item| {
        item["branches"][0]["state"] == "HEURISTIC_ABORT"
    })
    .await;
    assert_eq!(forced["branches"][0]["hazard"], "HeuristicAbort");
    bank.disarm(TRANSACTIONS, "before_decision_send").await;
    let item = listed(&bank, |item| {
        item["phase"] == "done" && item["branches"][0]["state"] == "HEURISTIC_MIXED"
    })
    .await;
    assert!(
        trying(&item).contains("waits to be acknowledged"),
        "{}",
        trying(&item)
    );
    let correct = means(&item, "correct", "bank-1").unwrap();
    assert!(correct.contains("forced to ABORT"), "{correct}");
    for outcome in ["abort", "mixed"] {
        let line = format!("bank_heuristic_outcomes_total{{outcome=\"{outcome}\"}}");
        metric_becomes(&bank, ACCOUNTS, &line, "1").await;
    }
    acknowledge_all(&ada, &item).await;
    nothing_is_listed(&bank).await;
    let trail = ada
        .get_transactions(&format!("/transactions/{id}/audit"))
        .await;
    let trail = trail.expect(200);
    let expected = [
        "PROPOSED",
        "CONFIRMED",
        "FORCED",
        "RESULT",
        "ACKNOWLEDGED",
        "ACKNOWLEDGED",
    ];
    assert_eq!(actions(&trail), expected);
    assert_eq!(
        trail["items"][0]["evidence"],
        "coordinator=committed bank-1=PREPARED"
    );
    transfer.await.unwrap();
    bank.stop().await;
}

#[tokio::test]
async fn a_confirmation_is_refused_when_only_the_decision_has_changed() {
    let bank = that_does_not_ask(1).await;
    for point in ["before_decide", "before_decision_send"] {
        bank.arm(TRANSACTIONS, point, Failpoint::Pause).await;
    }
    let transfer = transfer_to(&bank, BOB).await;
    let item = listed(&bank, |item| item["branches"][0]["state"] == "PREPARED").await;
    let id = item["transaction_id"].as_str().unwrap();
    let (ada, max) = (bank.admin().await, bank.actor("max-admin").await);
    let path = format!("/transactions/{id}/resolutions");
    let force = json!({"participant": "bank-1", "outcome": "abort", "reason": "it takes long"});
    let proposed = ada.post_transactions(&path, &force).await.expect(202);
    let resolution = proposed["resolution_id"].as_str().unwrap();
    let confirmation = format!("{path}/{resolution}/confirmations");
    let own = ada.post_transactions(&confirmation, &json!({})).await;
    assert_eq!((own.status.as_u16(), own.code()), (403, "forbidden"));
    bank.disarm(TRANSACTIONS, "before_decide").await;
    listed(&bank, |item| item["status"] == "committed").await;
    assert_eq!(bank.branch(ACCOUNTS, id).await.as_deref(), Some("PREPARED"));
    let late = max.post_transactions(&confirmation, &json!({})).await;
    assert_eq!(
        (late.status.as_u16(), late.code()),
        (409, "evidence_changed")
    );
    assert_eq!(bank.branch(ACCOUNTS, id).await.as_deref(), Some("PREPARED"));
    let trail = ada
        .get_transactions(&format!("/transactions/{id}/audit"))
        .await;
    let trail = trail.expect(200);
    let expected = ["PROPOSED", "CONFIRMATION_REFUSED", "CONFIRMATION_REFUSED"];
    assert_eq!(actions(&trail), expected);
    assert_eq!(
        trail["items"][2]["evidence"],
        "coordinator=committed bank-1=PREPARED"
    );
    bank.disarm(TRANSACTIONS, "before_decision_send").await;
    transfer.await.unwrap();
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn a_confirmation_whose_answer_was_lost_is_repeated_by_the_same_admin() {
    let bank = that_does_not_ask(1).await;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let transfer = transfer_to(&bank, BOB).await;
    let item = listed(&bank, |item| item["branches"][0]["state"] == "PREPARED").await;
    let id = item["transaction_id"].as_str().unwrap();
    let (ada, max) = (bank.admin().await, bank.actor("max-admin").await);
    let path = format!("/transactions/{id}/resolutions");
    let force = json!({"participant": "bank-1", "outcome": "abort", "reason": "it takes long"});
    let proposed = ada.post_transactions(&path, &force).await.expect(202);
    let resolution = proposed["resolution_id"].as_str().unwrap();
    // As it stands when the coordinator dies between writing the confirmation and the bank's answer.
    let confirmed_by: uuid::Uuid =
        sqlx::query_scalar("SELECT login_id FROM logins WHERE username = 'max-admin'")
            .fetch_one(&bank.database(CUSTOMER).await)
            .await
            .unwrap();
    sqlx::query("UPDATE resolutions SET confirmed_by = $1, confirmed_at = now()")
        .bind(confirmed_by)
        .execute(&bank.database(TRANSACTIONS).await)
        .await
        .unwrap();
    let confirmation = format!("{path}/{resolution}/confirmations");
    let done = max.post_transactions(&confirmation, &json!({})).await;
    assert_eq!(done.expect(200)["result"], "HEURISTIC_ABORT");
    let again = max.post_transactions(&confirmation, &json!({})).await;
    assert_eq!(again.status, 409, "it has a result now");
    bank.disarm(TRANSACTIONS, "before_decide").await;
    transfer.await.unwrap();
    bank.stop().await;
}

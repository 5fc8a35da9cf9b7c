//! What cannot finish by itself is shown, with evidence, and resolved under four eyes.

use serde_json::{Value, json};
use tests::{ACCOUNTS, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

/// Leaves one prepared branch whose coordinator has forgotten it.
async fn forgotten(bank: &TestBank) -> String {
    let alice = bank.alice().await;
    bank.arm(TRANSACTIONS, "after_votes", Failpoint::Abort)
        .await;
    assert!(
        alice
            .transfer(ALICE, BOB, "100", "forgotten")
            .await
            .is_err()
    );
    bank.died(TRANSACTIONS).await;
    let (id, _) = bank.newest_transaction().await.unwrap();
    let database = bank.database(TRANSACTIONS).await;
    for table in ["transfer_legs", "transactions"] {
        let delete = format!("DELETE FROM {table} WHERE transaction_id = $1::uuid");
        sqlx::query(sqlx::AssertSqlSafe(delete))
            .bind(&id)
            .execute(&database)
            .await
            .unwrap();
    }
    bank.restart(TRANSACTIONS).await;
    id
}

async fn listed(bank: &TestBank, id: &str) -> Value {
    let admin = bank.admin().await;
    eventually("it is listed as in doubt", || async {
        let list = admin
            .get_transactions("/transactions/in-doubt")
            .await
            .expect(200);
        let items = list["items"].as_array()?.clone();
        items.into_iter().find(|item| item["transaction_id"] == id)
    })
    .await
}

#[tokio::test]
async fn case_99_an_id_everybody_forgot_is_a_hazard_and_nothing_is_aborted() {
    let bank = TestBank::start().await;
    let id = forgotten(&bank).await;
    let item = listed(&bank, &id).await;
    assert_eq!(
        item["status"],
        Value::Null,
        "the coordinator has no record of it"
    );
    assert_eq!(item["branches"][0]["state"], "PREPARED");
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("PREPARED")
    );
    bank.alarm(ACCOUNTS).await;
    let log = std::fs::read_to_string(bank.bank.process(ACCOUNTS).unwrap().log).unwrap();
    assert!(log.contains("MANUAL_INTERVENTION_REQUIRED"));
    bank.stop().await;
}

#[tokio::test]
async fn an_outcome_is_forced_by_two_admins_on_evidence_that_has_not_changed() {
    let bank = TestBank::start().await;
    let id = forgotten(&bank).await;
    listed(&bank, &id).await;
    let (ada, max) = (bank.admin().await, bank.actor("max-admin").await);
    let path = format!("/transactions/{id}/resolutions");
    let force =
        json!({"participant": "bank-1", "outcome": "abort", "reason": "its record is lost"});
    let teller = bank.teller().await;
    assert_eq!(teller.post_transactions(&path, &force).await.status, 403);
    let proposed = ada.post_transactions(&path, &force).await.expect(202);
    let resolution = proposed["resolution_id"].as_str().unwrap();
    let confirmation = format!("{path}/{resolution}/confirmations");
    let own = ada.post_transactions(&confirmation, &json!({})).await;
    assert_eq!(
        own.status, 403,
        "not by the one who proposed it: {}",
        own.body
    );
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("PREPARED")
    );
    let confirmed = max
        .post_transactions(&confirmation, &json!({}))
        .await
        .expect(200);
    assert_eq!(confirmed["result"], "HEURISTIC_ABORT");
    assert_eq!(
        bank.branch(ACCOUNTS, &id).await.as_deref(),
        Some("HEURISTIC_ABORT")
    );
    let again = max.post_transactions(&confirmation, &json!({})).await;
    assert_eq!(again.status, 409);
    let alice = teller
        .get_accounts(&format!("/accounts/{ALICE}"))
        .await
        .expect(200);
    assert_eq!(alice["pending_debits"], "0.00");
    assert_eq!(alice["balance"], "1000.00");
    let item = listed(&bank, &id).await;
    assert_eq!(
        item["proposed"][0]["result"], "HEURISTIC_ABORT",
        "the audit trail stays"
    );
    bank.stop().await;
}

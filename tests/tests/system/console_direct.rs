//! The coordinator is what is lost: operators see a bank's branches at the bank itself, force one
//! there, and what they did cannot be rewritten.

use serde_json::{Value, json};
use tests::{ACCOUNTS, Failpoint, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

async fn died_at(bank: &TestBank, point: &str) {
    let alice = bank.alice().await;
    bank.arm(TRANSACTIONS, point, Failpoint::Abort).await;
    assert!(alice.transfer(ALICE, BOB, "100", "direct").await.is_err());
    bank.died(TRANSACTIONS).await;
}

fn actions(trail: &Value) -> Vec<&str> {
    let items = trail["items"].as_array().unwrap().iter();
    items.map(|item| item["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn case_101_a_branch_forced_at_its_bank_while_the_coordinator_is_lost_may_turn_out_mixed() {
    let bank = TestBank::start().await;
    let (ada, max) = (bank.admin().await, bank.actor("max-admin").await);
    let teller = bank.teller().await;
    died_at(&bank, "after_decide").await;
    let item = eventually("the bank has found no coordinator", || async {
        let list = ada.get_accounts("/branches/in-doubt").await.expect(200);
        let item = list["items"][0].clone();
        let heard = item["coordinator"].as_str()?;
        heard.starts_with("does not answer").then_some(item)
    })
    .await;
    assert_eq!(item["state"], "PREPARED");
    let trying = item["trying"].as_str().unwrap();
    assert!(trying.contains("no coordinator answers"), "{trying}");
    assert_eq!(teller.get_accounts("/branches/in-doubt").await.status, 403);

    let id = item["transaction_id"].as_str().unwrap();
    let path = format!("/branches/{id}/resolutions");
    let post = |actor: &tests::Actor, path: &str, body: Value| {
        let (actor, path) = (actor.clone(), path.to_owned());
        async move {
            let sent = actor
                .accounts(reqwest::Method::POST, &path, None, &body)
                .await;
            sent.expect("an answer")
        }
    };
    let wish = json!({"outcome": "abort", "reason": "no coordinator is left"});
    assert_eq!(post(&teller, &path, wish.clone()).await.status, 403);
    let proposed = post(&ada, &path, wish).await.expect(202);
    let resolution = proposed["resolution_id"].as_str().unwrap();
    let confirmation = format!("{path}/{resolution}/confirmations");
    let own = post(&ada, &confirmation, json!({})).await;
    assert_eq!((own.status.as_u16(), own.code()), (403, "forbidden"));
    assert_eq!(bank.branch(ACCOUNTS, id).await.as_deref(), Some("PREPARED"));
    let done = post(&max, &confirmation, json!({})).await.expect(200);
    assert_eq!(done["result"], "HEURISTIC_ABORT");
    assert_eq!(post(&max, &confirmation, json!({})).await.status, 409);
    let alice = teller.get_accounts(&format!("/accounts/{ALICE}")).await;
    assert_eq!(alice.expect(200)["pending_debits"], "0.00");

    // The coordinator comes back, and its decision is the other one.
    bank.restart(TRANSACTIONS).await;
    let mixed = eventually("it is mixed", || async {
        let list = ada.get_transactions("/transactions/in-doubt").await;
        let item = list.expect(200)["items"][0].clone();
        (item["branches"][0]["state"] == "HEURISTIC_MIXED").then_some(item)
    })
    .await;
    assert_eq!(mixed["status"], "committed");
    let trail = ada.get_accounts(&format!("/branches/{id}/audit")).await;
    let trail = trail.expect(200);
    let steps = [
        "PROPOSED",
        "CONFIRMATION_REFUSED",
        "CONFIRMED",
        "FORCED",
        "RESULT",
    ];
    assert_eq!(actions(&trail), steps);
    assert_eq!(trail["items"][4]["detail"], "HEURISTIC_MIXED");
    assert_eq!(trail["items"][4]["actor"], Value::Null);
    nothing_can_be_rewritten(&bank).await;
    bank.stop().await;
}

/// Not by the service's own role, and four eyes not by the service's word alone.
async fn nothing_can_be_rewritten(bank: &TestBank) {
    let url = bank.bank.service_database_url(ACCOUNTS).unwrap();
    let service = sqlx::PgPool::connect(&url).await.unwrap();
    let superuser = bank.database(ACCOUNTS).await;
    for statement in [
        "UPDATE audit_trail SET reason = 'another'",
        "DELETE FROM audit_trail",
        "TRUNCATE audit_trail",
        "UPDATE proposals SET proposed_by = 'another'",
        "DELETE FROM resolutions",
    ] {
        for pool in [&service, &superuser] {
            let refused = sqlx::query(statement).execute(pool).await;
            assert!(refused.is_err(), "{statement}");
        }
    }
    let alone = "INSERT INTO resolutions (resolution_id, transaction_id, outcome, expected_state,
                                          resulting_state, proposed_by, confirmed_by, reason)
         SELECT gen_random_uuid(), transaction_id, outcome, 'PREPARED', 'HEURISTIC_ABORT', 'ada',
                'ada', reason
         FROM proposals LIMIT 1";
    let refused = sqlx::query(alone).execute(&service).await;
    assert!(refused.unwrap_err().to_string().contains("four_eyes"));
    // Another proposal, and a resolution of it that names somebody else as its proposer.
    let forged = "WITH proposed AS (
             INSERT INTO proposals (resolution_id, transaction_id, outcome, reason, evidence,
                                    proposed_by)
             SELECT gen_random_uuid(), transaction_id, outcome, reason, evidence, 'max'
             FROM proposals LIMIT 1 RETURNING *)
         SELECT resolution_id::text FROM proposed";
    let resolution: String = sqlx::query_scalar(forged)
        .fetch_one(&service)
        .await
        .unwrap();
    let carried_out = format!(
        "INSERT INTO resolutions (resolution_id, transaction_id, outcome, expected_state,
                                  resulting_state, proposed_by, confirmed_by, reason)
         SELECT resolution_id, transaction_id, outcome, 'PREPARED', 'HEURISTIC_ABORT', 'ada',
                'max', reason
         FROM proposals WHERE resolution_id = '{resolution}'"
    );
    let refused = sqlx::query(sqlx::AssertSqlSafe(carried_out))
        .execute(&service)
        .await;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("is not what was proposed"), "{words}");
    service.close().await;
}

#[tokio::test]
async fn a_branch_that_its_coordinator_does_not_list_is_shown_all_the_same() {
    let bank = TestBank::start_with(|options| {
        // The bank does not ask, so that the coordinator learns nothing of it by itself.
        options.setting("ACCOUNTS_IN_DOUBT_AFTER_MS", 600_000)
    })
    .await;
    died_at(&bank, "after_votes").await;
    let database = bank.database(TRANSACTIONS).await;
    for table in ["transfer_legs", "transactions"] {
        let delete = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(delete).execute(&database).await.unwrap();
    }
    bank.restart(TRANSACTIONS).await;
    let admin = bank.admin().await;
    let item = eventually("the bank's branch is listed", || async {
        let list = admin.get_transactions("/transactions/in-doubt").await;
        let item = list.expect(200)["items"][0].clone();
        item.is_object().then_some(item)
    })
    .await;
    assert_eq!(item["coordinator"], Value::Null);
    assert_eq!(item["hazards"], json!([]), "nobody has raised anything yet");
    assert_eq!(item["branches"][0]["state"], "PREPARED");
    assert_eq!(
        item["trying"],
        "nothing: the coordinator has no record of it"
    );
    let wait = item["choices"][0]["means"].as_str().unwrap();
    assert!(wait.contains("does not end by itself"), "{wait}");
    bank.stop().await;
}

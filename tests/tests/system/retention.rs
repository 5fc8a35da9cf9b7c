//! What is long finished is deleted at both sides, and nobody misses it.

use std::time::Duration;

use serde_json::{Value, json};
use service_kit::auth::Signer;
use service_kit::client::ServiceClient;
use stack::Options;
use tests::{ACCOUNTS, TRANSACTIONS, TestBank, eventually};
use two_phase::message::{Acknowledgement, Hazard, Outcome, Vote};
use types::TransactionId;

use crate::clocks::Clocks;
use crate::seed::{ALICE, BOB};

pub(crate) const DAY: i64 = 24 * 3_600;

/// A bank that looks for what is old all the time.
pub(crate) fn eager(options: Options) -> Options {
    ["ACCOUNTS", "TRANSACTIONS", "ORDERS"]
        .into_iter()
        .fold(options, |options, service| {
            options
                .setting(&format!("{service}_RETENTION_TICK_MS"), 50)
                .setting(&format!("{service}_RETENTION_PAUSE_MS"), 1)
        })
}

pub(crate) async fn count(bank: &TestBank, service: &str, table: &str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(&bank.database(service).await)
        .await
        .expect("a count")
}

pub(crate) async fn is_there(bank: &TestBank, service: &str, table: &str, id: &str) -> bool {
    let here = format!("{table} WHERE transaction_id = '{id}'");
    count(bank, service, &here).await > 0
}

/// Asks the coordinator, as the first bank.
async fn asks(bank: &TestBank, path: &str, id: &str) -> Value {
    let keys = bank.database(ACCOUNTS).await;
    let signer = Signer::new(keys, "bank-1").await.expect("its key");
    let (url, patience) = (bank.url(TRANSACTIONS), Duration::from_secs(10));
    let client = ServiceClient::new(TRANSACTIONS, &url, TRANSACTIONS, signer, patience);
    let question = json!({"participant": "bank-1", "items": [id]});
    client.post(path, &question).await.expect("an answer")
}

fn by(protocol: &str, amount: &str) -> Value {
    json!({"source_account_id": ALICE, "destination_account_id": BOB, "amount": amount,
        "protocol": protocol})
}

#[tokio::test]
async fn case_34_what_is_long_finished_is_deleted_everywhere_and_what_comes_late_changes_nothing() {
    let Some(clocks) = Clocks::find() else {
        return;
    };
    // Before anything is started: a process never makes an id that is older than its last one.
    clocks.set(-9 * DAY, -9 * DAY);
    let bank = TestBank::start_with(|options| clocks.wind(eager(options))).await;
    let alice = bank.alice().await;
    let send = async |protocol: &str, amount: &str, key: &str| {
        let sent = alice.transfer_of(&by(protocol, amount), key).await;
        sent.unwrap().transaction_id().to_owned()
    };
    let committed = send("2pc", "10", "first").await;
    let refused = send("2pc", "100000", "refused").await;
    let saga = send("saga", "20", "saga").await;
    // Operators have looked at this one, or may want to.
    let contradicted = send("2pc", "1", "contradicted").await;
    sqlx::query(
        "INSERT INTO hazards (transaction_id, participant, hazard) VALUES ($1::uuid, 'bank-1', 'x')",
    )
    .bind(&contradicted)
    .execute(&bank.database(TRANSACTIONS).await)
    .await
    .expect("a hazard");
    bank.settles().await;
    // So far everything is young.
    assert!(is_there(&bank, ACCOUNTS, "branches", &committed).await);
    assert!(is_there(&bank, TRANSACTIONS, "transactions", &saga).await);

    clocks.set(0, 0);
    bank.log_in_anew();
    let old = [&committed, &refused, &saga];
    eventually("what is old is gone at both sides", || async {
        for id in old {
            for (service, table) in [
                (TRANSACTIONS, "transactions"),
                (TRANSACTIONS, "transfer_legs"),
                (ACCOUNTS, "branches"),
                (ACCOUNTS, "saga_parts"),
                (ACCOUNTS, "saga_operations"),
            ] {
                if is_there(&bank, service, table, id).await {
                    return None;
                }
            }
        }
        let sagas = count(&bank, TRANSACTIONS, "saga_log").await;
        let keys = count(&bank, TRANSACTIONS, "idempotency_keys").await;
        (sagas == 0 && keys == 1).then_some(())
    })
    .await;
    assert!(is_there(&bank, TRANSACTIONS, "transactions", &contradicted).await);
    assert!(is_there(&bank, ACCOUNTS, "branches", &contradicted).await);
    assert_eq!(bank.teller().await.balance(ALICE).await, "969.00");

    // What comes late, from both sides.
    let entries = count(&bank, ACCOUNTS, "ledger_entries").await;
    let hazards = count(&bank, TRANSACTIONS, "hazards").await;
    let messenger = bank.messenger().await;
    let mut late = messenger.transfer(ALICE, BOB, "10");
    late.transaction_id = committed.parse::<TransactionId>().expect("an id");
    assert!(matches!(messenger.vote(&late).await, Vote::No { .. }));
    let aborted = messenger.decide(late.transaction_id, Outcome::Abort).await;
    assert_eq!(aborted, Acknowledgement::Done);
    let missing = Acknowledgement::Hazard {
        hazard: Hazard::BranchMissing,
    };
    let again = messenger.decide(late.transaction_id, Outcome::Commit).await;
    assert_eq!(again, missing);
    let asked = asks(&bank, "/internal/inquiries", &committed).await;
    assert_eq!(asked["items"][0]["answer"], "unknown", "{asked}");
    let asked = asks(&bank, "/internal/unfinished", &contradicted).await;
    assert_eq!(asked["items"], json!([contradicted]));
    assert!(!is_there(&bank, ACCOUNTS, "branches", &committed).await);
    assert!(!is_there(&bank, TRANSACTIONS, "transactions", &committed).await);
    assert_eq!(count(&bank, ACCOUNTS, "ledger_entries").await, entries);
    assert_eq!(count(&bank, TRANSACTIONS, "hazards").await, hazards);

    // The key names a new transfer, and the statement has both.
    let alice = bank.alice().await;
    let anew = alice.transfer(ALICE, BOB, "10", "first").await.unwrap();
    let anew = anew.expect(201);
    assert_ne!(anew["transaction_id"], json!(committed));
    bank.settles().await;
    assert_eq!(bank.teller().await.balance(ALICE).await, "959.00");
    let path = format!("/accounts/{ALICE}/entries");
    let statement = alice.get_accounts(&path).await.expect(200);
    let told = statement.to_string();
    assert!(told.contains(&committed) && told.contains(&saga), "{told}");
    bank.stop().await;
}

//! A bank that examines its own books finds what was damaged by hand.

use crate::bank::{ALICE, ALICE_1, BOB_1, Bank, transfer, yes};
use crate::sagas::{Credit, DONE, Debit, Saga};

async fn broken(bank: &Bank) -> Vec<String> {
    let reply = bank.admin().get("/ledger/check").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let checks = reply.body["checks"].as_array().expect("checks").clone();
    assert_eq!(checks.len(), 7);
    let broken = checks.iter().filter(|check| check["ok"] == false);
    let broken: Vec<String> = broken
        .map(|check| {
            assert!(!check["found"].as_array().expect("findings").is_empty());
            check["id"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(reply.body["ok"], broken.is_empty());
    broken
}

#[tokio::test]
async fn every_kind_of_damage_is_found_by_its_invariant() {
    let account = format!("account_id = '{ALICE_1}'");
    let unprotected =
        |statement: &str| format!("ALTER TABLE ledger_entries DISABLE TRIGGER USER; {statement}");
    let committed = "UPDATE branches SET state = 'COMMITTED', finished_at = now()";
    for (damage, invariants) in [
        (
            format!("UPDATE accounts SET balance = balance + 1 WHERE {account}"),
            &["I1", "I2"][..],
        ),
        (
            unprotected(&format!(
                "UPDATE ledger_entries SET balance_after = 7 WHERE {account}"
            )),
            &["I2"],
        ),
        (
            format!(
                "ALTER TABLE accounts DROP CONSTRAINT available_not_negative;
                 UPDATE accounts SET reserved_credits = 5000 WHERE {account}"
            ),
            &["I3", "I4"],
        ),
        (
            format!("UPDATE accounts SET pending_debits = 1 WHERE {account}"),
            &["I4"],
        ),
        ("DELETE FROM branches".to_owned(), &["I4"]),
        (committed.to_owned(), &["I4", "I5"]),
        (
            unprotected(&format!("DELETE FROM ledger_entries WHERE {account}")),
            &["I1", "I2", "I6", "I7"],
        ),
        (
            format!("UPDATE accounts SET version = 9 WHERE {account}"),
            &["I7"],
        ),
    ] {
        let bank = Bank::start().await;
        let wish = transfer(ALICE_1, BOB_1, "10");
        assert_eq!(bank.prepare(&wish).await, yes());
        assert_eq!(broken(&bank).await, Vec::<String>::new());
        bank.sql(&damage).await;
        let found = broken(&bank).await;
        // Some damage shows in more than one place; what is listed must be among it.
        for invariant in invariants {
            assert!(
                found.contains(&(*invariant).to_owned()),
                "{damage}: {found:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_lock_that_belongs_to_no_leg_is_found() {
    let bank = Bank::start().await;
    let exclusive = bank.open(ALICE, "10", "exclusive").await;
    let wish = transfer(&exclusive, BOB_1, "1");
    assert_eq!(bank.prepare(&wish).await, yes());
    assert_eq!(broken(&bank).await, Vec::<String>::new());
    bank.sql(
        "UPDATE accounts SET transaction_lock = gen_random_uuid() WHERE locking = 'exclusive'",
    )
    .await;
    assert_eq!(broken(&bank).await, ["I4"]);
}

#[tokio::test]
async fn what_contradicts_an_open_saga_is_found_by_its_invariant() {
    let unprotected =
        |statement: &str| format!("ALTER TABLE ledger_entries DISABLE TRIGGER USER; {statement}");
    let of_bob = format!("account_id = '{BOB_1}'");
    for (damage, invariants) in [
        (
            format!("UPDATE accounts SET reserved_credits = 39 WHERE {of_bob}"),
            &["I4"][..],
        ),
        (
            "UPDATE saga_parts SET state = 'RELEASED' WHERE state = 'CREDITED'".to_owned(),
            &["I4"],
        ),
        (
            "UPDATE saga_parts SET state = 'UNDONE' WHERE state = 'CREDITED'".to_owned(),
            &["I4", "I5"],
        ),
        (
            "UPDATE saga_parts SET state = 'CREDITED' WHERE state = 'DEBITED'".to_owned(),
            &["I4", "I5"],
        ),
        ("DELETE FROM saga_parts".to_owned(), &["I4", "I5"]),
        (
            unprotected(&format!(
                "DELETE FROM ledger_entries WHERE step = 2 AND {of_bob}"
            )),
            &["I1", "I2", "I5", "I7"],
        ),
        (
            unprotected(&format!(
                "UPDATE ledger_entries SET step = 1 WHERE step = 2 AND {of_bob};
                 INSERT INTO ledger_entries
                 SELECT account_id, version + 1, transaction_id, transfer_index, kind, change,
                        balance_after, description, created_at, 2
                 FROM ledger_entries WHERE step = 1 AND {of_bob}"
            )),
            &["I5", "I6"],
        ),
    ] {
        let bank = Bank::start().await;
        let credited = Saga(transfer(ALICE_1, BOB_1, "40"));
        let debited = Saga(transfer(ALICE_1, BOB_1, "7"));
        for step in [
            credited.step(Debit),
            credited.step(Credit),
            debited.step(Debit),
        ] {
            assert_eq!(bank.perform(step).await, DONE);
        }
        assert_eq!(broken(&bank).await, Vec::<String>::new());
        bank.sql(&damage).await;
        let found = broken(&bank).await;
        for invariant in invariants {
            assert!(
                found.contains(&(*invariant).to_owned()),
                "{damage}: {found:?}"
            );
        }
    }
}

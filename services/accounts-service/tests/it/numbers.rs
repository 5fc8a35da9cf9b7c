//! A bank's database against the coordinator's: what is compared, and what is refused until then.

use serde_json::json;
use two_phase::BranchState;
use two_phase::message::{Comparison, Numbers, PrepareList, Reconciliation};
use two_phase::numbers::Lanes;
use types::views::ParticipantState;
use types::{LoginId, ReconciliationId, TransactionId};

use crate::bank::{ALICE_1, BOB_1, Bank, bank_1, comparison, transfer};
use crate::sagas::{self, Debit, Saga};

/// As if PostgreSQL had been started anew, or the database failed over.
async fn becomes_another(bank: &Bank) {
    bank.sql(
        "UPDATE coordinator_pair SET own_incarnation = 'another';
         UPDATE coordinator_numbers SET incarnation = 'another'",
    )
    .await;
}

async fn session(bank: &Bank, said: Comparison) -> Numbers {
    let reply = bank.participant.compare(said).await.expect("an answer");
    assert_eq!(reply.state, ParticipantState::InStep);
    Numbers {
        session: reply.session,
        own: Lanes::from_row(&[5]),
        seen: reply.own,
    }
}

async fn prepare(bank: &Bank, numbers: &Numbers) -> (u16, String, TransactionId) {
    let wish = transfer(ALICE_1, BOB_1, "10");
    let id = wish.transaction_id;
    let list = PrepareList {
        participant: bank_1(),
        items: vec![wish],
        numbers: Some(numbers.clone()),
    };
    let list = serde_json::to_value(list).expect("JSON");
    let reply = bank.coordinator().post("/internal/prepare", &list).await;
    (reply.status, reply.body.to_string(), id)
}

#[tokio::test]
async fn saga_steps_of_another_session_are_refused_and_do_nothing() {
    let bank = Bank::start().await;
    let numbers = session(&bank, comparison(&bank_1(), &[], &[])).await;
    let saga = Saga(transfer(ALICE_1, BOB_1, "10"));
    let perform = async |step| {
        let mut list = sagas::list(&bank, vec![step]);
        list["numbers"] = serde_json::to_value(&numbers).expect("JSON");
        bank.coordinator().post("/internal/steps", &list).await
    };
    let reply = perform(saga.step(Debit)).await;
    assert_eq!(reply.body["items"][0]["answer"], "done");
    let raised = "SELECT sum(own)::bigint FROM coordinator_numbers";
    assert_eq!(bank.count(raised).await, 1);
    becomes_another(&bank).await;
    let reply = perform(saga.undo(Debit)).await;
    assert_eq!(reply.refusal(), (409, "comparison_needed"));
    assert_eq!(bank.in_transit().await, 10);
}

#[tokio::test]
async fn a_list_of_another_session_is_refused_and_does_nothing() {
    let bank = Bank::start().await;
    let numbers = session(&bank, comparison(&bank_1(), &[], &[])).await;
    let (status, body, _) = prepare(&bank, &numbers).await;
    assert_eq!(status, 200, "{body}");
    let raised = "SELECT sum(own)::bigint FROM coordinator_numbers";
    assert_eq!(bank.count(raised).await, 1);
    let recorded = "SELECT max(seen[1]) FROM coordinator_numbers";
    assert_eq!(bank.count(recorded).await, 5);

    let unknown = Numbers {
        session: None,
        ..numbers.clone()
    };
    let (status, body, id) = prepare(&bank, &unknown).await;
    assert!(
        status == 409 && body.contains("comparison_needed"),
        "{body}"
    );
    assert_eq!(bank.state(id).await, None);
    becomes_another(&bank).await;
    let (status, body, id) = prepare(&bank, &numbers).await;
    assert!(
        status == 409 && body.contains("comparison_needed"),
        "{body}"
    );
    assert_eq!(bank.state(id).await, None);
    assert_eq!(bank.count(raised).await, 1, "and no number is raised");

    let again = session(&bank, comparison(&bank_1(), &[5], &[1])).await;
    assert_ne!(again.session, numbers.session);
    assert_eq!(prepare(&bank, &again).await.0, 200);
    assert_eq!(prepare(&bank, &numbers).await.0, 409, "the old one is over");
}

#[tokio::test]
async fn case_27_a_bank_that_lacks_what_the_coordinator_saw_votes_on_nothing_until_reconciled() {
    let bank = Bank::start().await;
    let numbers = session(&bank, comparison(&bank_1(), &[], &[])).await;
    assert_eq!(prepare(&bank, &numbers).await.0, 200);
    let ahead = comparison(&bank_1(), &[5], &[0, 9]);
    let reply = bank.participant.compare(ahead.clone()).await.expect("one");
    assert_eq!(
        (reply.state, reply.session),
        (ParticipantState::Behind, None)
    );
    assert_eq!(prepare(&bank, &numbers).await.0, 409);

    let order = Reconciliation {
        reconciliation_id: ReconciliationId::generate(),
        comparison: ahead.clone(),
        proposed_by: LoginId::generate(),
        confirmed_by: LoginId::generate(),
        reason: "a test".parse().expect("a text"),
    };
    let mut alone = order.clone();
    alone.confirmed_by = alone.proposed_by;
    let path = "/internal/numbers/reconciliations";
    let body = serde_json::to_value(&alone).expect("JSON");
    let reply = bank.coordinator().post(path, &body).await;
    assert_eq!(reply.refusal(), (403, "forbidden"));
    let body = serde_json::to_value(&order).expect("JSON");
    for _ in 0..2 {
        let reply = bank.coordinator().post(path, &body).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert_eq!(bank.count("SELECT count(*) FROM reconciliations").await, 1);
    let again = session(&bank, ahead).await;
    assert_eq!(prepare(&bank, &again).await.0, 200);
}

#[tokio::test]
async fn a_database_that_may_have_lost_a_branch_writes_no_tombstone_for_a_peer() {
    let bank = Bank::start().await;
    let absent = TransactionId::generate();
    let question = json!({"participant": "bank-1", "items": [absent]});
    becomes_another(&bank).await;
    let path = "/internal/branches/terminate";
    let answer = bank.peer().post(path, &question).await;
    assert_eq!(answer.body["items"][0]["state"], json!(null));
    assert_eq!(bank.state(absent).await, None);
    session(&bank, comparison(&bank_1(), &[], &[])).await;
    bank.peer().post(path, &question).await;
    assert_eq!(bank.state(absent).await, Some(BranchState::Aborted));
}

//! A bank performs the steps of sagas.

use types::Code;

use crate::bank::{ALICE_1, BOB, BOB_1, Bank, CAROL_1, Setup, bank_1, bank_2, part, transfer};
use crate::sagas::{Credit, DONE, Debit, Release, Saga, list, not_now, refused, stands};
use serde_json::json;

#[tokio::test]
async fn a_transfer_by_saga_is_balanced_after_every_step() {
    let bank = Bank::start().await;
    let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
    bank.assert_sound().await;

    assert_eq!(bank.perform(saga.step(Debit)).await, DONE);
    assert_eq!(
        bank.reserved(ALICE_1).await,
        stands("960.00", "0.00", "960.00", 2)
    );
    assert_eq!(bank.in_transit().await, 40);
    bank.assert_sound().await;

    assert_eq!(bank.perform(saga.step(Credit)).await, DONE);
    assert_eq!(
        bank.reserved(BOB_1).await,
        stands("790.00", "40.00", "750.00", 2)
    );
    assert_eq!(bank.in_transit().await, 0);
    bank.assert_sound().await;

    assert_eq!(bank.perform(saga.step(Release)).await, DONE);
    assert_eq!(
        bank.reserved(BOB_1).await,
        stands("790.00", "0.00", "790.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_65_each_action_twice_has_one_effect() {
    let bank = Bank::start().await;
    let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
    for step in saga.steps() {
        assert_eq!(bank.perform(step.clone()).await, DONE);
        assert_eq!(bank.perform(step.clone()).await, DONE);
        let together = bank.participant.perform(vec![step.clone(), step]).await;
        assert_eq!(together, [Some(DONE); 2]);
    }
    assert_eq!(
        bank.reserved(ALICE_1).await,
        stands("960.00", "0.00", "960.00", 2)
    );
    assert_eq!(
        bank.reserved(BOB_1).await,
        stands("790.00", "0.00", "790.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_66_each_compensation_twice_has_one_effect_and_no_entry_is_deleted() {
    let bank = Bank::start().await;
    let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
    bank.perform(saga.step(Debit)).await;
    bank.perform(saga.step(Credit)).await;
    for step in [saga.undo(Credit), saga.undo(Debit)] {
        assert_eq!(bank.perform(step.clone()).await, DONE);
        bank.assert_sound().await;
        assert_eq!(bank.perform(step.clone()).await, DONE);
        let together = bank.participant.perform(vec![step.clone(), step]).await;
        assert_eq!(together, [Some(DONE); 2]);
    }
    assert_eq!(
        bank.reserved(ALICE_1).await,
        stands("1000.00", "0.00", "1000.00", 3)
    );
    assert_eq!(
        bank.reserved(BOB_1).await,
        stands("750.00", "0.00", "750.00", 3)
    );
    let statement = bank
        .alice()
        .get(&format!("/accounts/{ALICE_1}/entries"))
        .await;
    let kinds: Vec<_> = statement.body["items"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| (entry["kind"].clone(), entry["change"].clone()))
        .collect();
    let entry = |kind: &str, change: &str| (json!(kind), json!(change));
    assert_eq!(
        kinds,
        [
            entry("refund", "40.00"),
            entry("transfer", "-40.00"),
            entry("opening", "1000.00")
        ]
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_69_a_compensation_that_comes_first_is_recorded() {
    let bank = Bank::start().await;
    for step in [Debit, Credit] {
        let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
        assert_eq!(bank.perform(saga.undo(step)).await, DONE);
        let rows = format!(
            "SELECT count(*) FROM saga_operations WHERE transaction_id = '{}'",
            saga.0.transaction_id
        );
        assert_eq!(bank.count(&format!("{rows} AND outcome = 'DONE'")).await, 1);
        assert_eq!(
            bank.count(&format!("{rows} AND outcome = 'CLOSED'")).await,
            1
        );
    }
    let entries = "SELECT count(*) FROM ledger_entries WHERE step <> 0";
    assert_eq!(bank.count(entries).await, 0);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_70_the_late_action_after_it_has_no_effect() {
    let bank = Bank::start().await;
    for step in [Debit, Credit] {
        let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
        bank.perform(saga.undo(step)).await;
        let late = bank.perform(saga.step(step)).await;
        assert_eq!(late, refused(Code::OperationClosed));
        assert_eq!(bank.perform(saga.undo(step)).await, DONE);
        let late = bank.perform(saga.step(step)).await;
        assert_eq!(late, refused(Code::OperationClosed));
    }
    assert_eq!(
        bank.reserved(ALICE_1).await,
        stands("1000.00", "0.00", "1000.00", 1)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn two_banks_settle_when_the_money_is_credited_and_again_when_it_is_taken_back() {
    let first = Bank::start().await;
    let second = Bank::with(Setup {
        participant: bank_2(),
        peers: "bank-1=http://127.0.0.1:9".to_owned(),
        ..Setup::default()
    })
    .await;
    let there = second.open(BOB, "0", "escrow").await;
    let clearing = async |bank: &Bank| {
        let query = "SELECT coalesce(sum(balance), 0)::bigint FROM accounts
                     WHERE kind = 'clearing'";
        bank.count(query).await
    };
    for undone in [false, true] {
        let here = Saga(part(&bank_1(), &[(ALICE_1, "-30", 0)]));
        let mut elsewhere = Saga(part(&bank_2(), &[(&there, "30", 0)]));
        elsewhere.0.transaction_id = here.0.transaction_id;
        assert_eq!(first.perform(here.step(Debit)).await, DONE);
        assert_eq!(first.in_transit().await, 30);
        for (bank, saga) in [(&first, &here), (&second, &elsewhere)] {
            assert_eq!(bank.perform(saga.step(Credit)).await, DONE);
            assert_eq!(bank.in_transit().await, 0);
            bank.assert_sound().await;
        }
        let last = if undone {
            [here.undo(Credit), elsewhere.undo(Credit)]
        } else {
            [here.step(Release), elsewhere.step(Release)]
        };
        for (bank, step) in [&first, &second].into_iter().zip(last) {
            assert_eq!(bank.perform(step).await, DONE);
        }
        if undone {
            assert_eq!(first.perform(here.undo(Debit)).await, DONE);
            assert_eq!(second.perform(elsewhere.undo(Debit)).await, DONE);
        }
        assert_eq!((clearing(&first).await, clearing(&second).await), (30, -30));
        first.assert_at_rest().await;
        second.assert_at_rest().await;
    }
    assert_eq!(
        second.reserved(&there).await,
        stands("30.00", "0.00", "30.00", 3)
    );
}

#[tokio::test]
async fn other_content_under_the_same_saga_is_not_performed_and_an_alert() {
    let bank = Bank::start().await;
    let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
    bank.perform(saga.step(Debit)).await;
    let mut other = saga.clone();
    other.0.legs = transfer(ALICE_1, BOB_1, "41").legs;
    for step in [other.step(Debit), other.step(Credit), other.undo(Debit)] {
        assert_eq!(bank.perform(step).await, not_now(Code::Hazard));
    }
    let hazards = "SELECT count(*) FROM hazards WHERE kind = 'step_contradiction'";
    assert_eq!(bank.count(hazards).await, 1);
    assert_eq!(bank.perform(saga.undo(Debit)).await, DONE);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn a_release_whose_credit_was_lost_is_an_alarm_and_can_be_asked_again() {
    let bank = Bank::start().await;
    let saga = Saga(transfer(ALICE_1, BOB_1, "40"));
    assert_eq!(
        bank.perform(saga.step(Release)).await,
        not_now(Code::Hazard)
    );
    bank.perform(saga.step(Debit)).await;
    assert_eq!(
        bank.perform(saga.step(Release)).await,
        not_now(Code::Hazard)
    );
    bank.perform(saga.step(Credit)).await;
    assert_eq!(bank.perform(saga.step(Release)).await, DONE);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn of_a_list_each_step_has_its_own_fate() {
    let bank = Bank::start().await;
    let (fine, poor) = (
        Saga(transfer(ALICE_1, BOB_1, "40")),
        Saga(transfer(CAROL_1, BOB_1, "150.01")),
    );
    let coordinator = bank.coordinator();
    let items = vec![fine.step(Debit), poor.step(Debit), fine.step(Credit)];
    let ids: Vec<_> = items.iter().map(|item| item.operation_id).collect();
    let reply = coordinator
        .post("/internal/steps", &list(&bank, items))
        .await;
    assert_eq!(
        reply.body,
        json!({"participant": "bank-1", "items": [
            {"operation_id": ids[0], "answer": "done"},
            {"operation_id": ids[1], "answer": "refused", "code": "insufficient_funds"},
            {"operation_id": ids[2], "answer": "done"},
        ]})
    );
    let elsewhere = json!({"participant": "bank-2", "items": []});
    let reply = coordinator.post("/internal/steps", &elsewhere).await;
    assert_eq!(reply.refusal(), (421, "wrong_participant"));
    let reply = bank.teller().post("/internal/steps", &elsewhere).await;
    assert_eq!(reply.refusal(), (403, "forbidden"));
    assert_eq!(bank.perform(fine.step(Release)).await, DONE);
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn about_a_saga_that_is_forgotten_nothing_is_written_and_an_open_one_is_never_forgotten() {
    let bank = Bank::start().await;
    let begun = uuid::Timestamp::from_unix(uuid::NoContext, 1_700_000_000, 0);
    let old = |saga: &mut Saga| {
        saga.0.transaction_id = types::TransactionId::from_uuid(uuid::Uuid::new_v7(begun));
    };
    let mut unknown = Saga(transfer(ALICE_1, BOB_1, "40"));
    old(&mut unknown);
    let late = bank.perform(unknown.step(Debit)).await;
    assert_eq!(late, refused(Code::OperationClosed));
    assert_eq!(bank.perform(unknown.undo(Debit)).await, DONE);
    assert_eq!(bank.count("SELECT count(*) FROM saga_operations").await, 0);

    let mut stuck = Saga(transfer(ALICE_1, BOB_1, "40"));
    bank.perform(stuck.step(Debit)).await;
    let before = stuck.0.transaction_id;
    old(&mut stuck);
    let now = stuck.0.transaction_id;
    for table in ["saga_parts", "saga_operations"] {
        bank.sql(&format!(
            "UPDATE {table} SET transaction_id = '{now}' WHERE transaction_id = '{before}'"
        ))
        .await;
    }
    bank.sql(&format!(
        "ALTER TABLE ledger_entries DISABLE TRIGGER USER;
         UPDATE ledger_entries SET transaction_id = '{now}' WHERE transaction_id = '{before}';
         ALTER TABLE ledger_entries ENABLE TRIGGER USER;"
    ))
    .await;
    assert_eq!(bank.perform(stuck.step(Credit)).await, DONE);
    assert_eq!(bank.perform(stuck.step(Release)).await, DONE);
    bank.assert_at_rest().await;
}

//! What a saga in progress allows on its accounts, and what it waits for.

use serde_json::json;
use two_phase::message::Outcome;
use types::Code;

use crate::bank::{ALICE, ALICE_1, BOB, BOB_1, Bank, CAROL_1, no, transfer, yes};
use crate::sagas::{Credit, DONE, Debit, Release, Saga, not_now, refused, stands};

#[tokio::test]
async fn case_74_money_credited_by_an_unfinished_saga_is_not_spent() {
    let bank = Bank::start().await;
    let poor = bank.open(BOB, "0", "escrow").await;
    let saga = Saga(transfer(ALICE_1, &poor, "40"));
    bank.perform(saga.step(Debit)).await;
    bank.perform(saga.step(Credit)).await;
    assert_eq!(
        bank.reserved(&poor).await,
        stands("40.00", "40.00", "0.00", 1)
    );

    let spend = || transfer(&poor, CAROL_1, "0.01");
    let another = Saga(spend()).step(Debit);
    let answers = bank.participant.perform(vec![another]).await;
    assert_eq!(answers, [Some(refused(Code::InsufficientFunds))]);
    assert_eq!(bank.prepare(&spend()).await, no(Code::InsufficientFunds));
    let teller = bank.teller();
    let cash = json!({"amount": "0.01"});
    let withdrawal = teller
        .post(&format!("/accounts/{poor}/withdrawals"), &cash)
        .await;
    assert_eq!(withdrawal.refusal(), (422, "insufficient_funds"));
    let close = teller
        .patch(&format!("/accounts/{poor}"), &json!({"status": "closed"}))
        .await;
    assert_eq!(close.refusal(), (409, "account_not_empty"));

    bank.perform(saga.step(Release)).await;
    let spent = spend();
    assert_eq!(bank.prepare(&spent).await, yes());
    bank.decide(spent.transaction_id, Outcome::Commit).await;
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_116_a_step_on_an_exclusively_locked_account_is_told_not_now() {
    let bank = Bank::start().await;
    let exclusive = bank.open(ALICE, "100", "exclusive").await;
    let holder = transfer(&exclusive, BOB_1, "10");
    assert_eq!(bank.prepare(&holder).await, yes());

    let out = Saga(transfer(&exclusive, BOB_1, "5"));
    let locked = not_now(Code::AccountLocked);
    assert_eq!(bank.perform(out.step(Debit)).await, locked);
    let in_ = Saga(transfer(ALICE_1, &exclusive, "5"));
    assert_eq!(bank.perform(in_.step(Debit)).await, DONE);
    assert_eq!(bank.perform(in_.step(Credit)).await, locked);
    let rows = "SELECT count(*) FROM saga_operations";
    assert_eq!(bank.count(rows).await, 1, "a passing failure leaves no row");

    bank.decide(holder.transaction_id, Outcome::Commit).await;
    assert_eq!(bank.perform(out.step(Debit)).await, DONE);
    assert_eq!(bank.perform(in_.step(Credit)).await, DONE);

    // What only gives back does not wait for a lock that somebody has taken since.
    let holder = transfer(&exclusive, BOB_1, "10");
    assert_eq!(bank.prepare(&holder).await, yes());
    assert_eq!(bank.perform(out.undo(Debit)).await, DONE);
    assert_eq!(bank.perform(in_.step(Release)).await, DONE);
    bank.decide(holder.transaction_id, Outcome::Commit).await;
    assert_eq!(
        bank.reserved(&exclusive).await,
        stands("85.00", "0.00", "85.00", 6)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn frozen_refuses_debits_and_credits_and_never_a_refund_or_a_release() {
    let bank = Bank::start().await;
    let (one, two) = (
        bank.open(ALICE, "100", "escrow").await,
        bank.open(BOB, "0", "escrow").await,
    );
    let freeze = async |status: &str| {
        for id in [&one, &two] {
            let body = json!({"status": status});
            let reply = bank.teller().patch(&format!("/accounts/{id}"), &body).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
        }
    };
    let (finished, returned) = (
        Saga(transfer(&one, &two, "10")),
        Saga(transfer(&one, &two, "20")),
    );
    let halfway = Saga(transfer(&one, &two, "30"));
    for saga in [&finished, &returned] {
        assert_eq!(bank.perform(saga.step(Debit)).await, DONE);
        assert_eq!(bank.perform(saga.step(Credit)).await, DONE);
    }
    assert_eq!(bank.perform(halfway.step(Debit)).await, DONE);
    freeze("frozen").await;
    let frozen = refused(Code::AccountFrozen);
    assert_eq!(
        bank.perform(Saga(transfer(&one, BOB_1, "1")).step(Debit))
            .await,
        frozen
    );
    assert_eq!(bank.perform(halfway.step(Credit)).await, frozen);
    assert_eq!(bank.perform(halfway.undo(Credit)).await, DONE);
    assert_eq!(bank.perform(halfway.undo(Debit)).await, DONE);
    assert_eq!(bank.perform(returned.undo(Credit)).await, DONE);
    assert_eq!(bank.perform(returned.undo(Debit)).await, DONE);
    assert_eq!(bank.perform(finished.step(Release)).await, DONE);
    // A refusal is remembered, also when its reason is gone.
    freeze("active").await;
    assert_eq!(bank.perform(halfway.step(Credit)).await, frozen);
    assert_eq!(
        bank.reserved(&one).await,
        stands("90.00", "0.00", "90.00", 6)
    );
    assert_eq!(
        bank.reserved(&two).await,
        stands("10.00", "0.00", "10.00", 3)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn an_open_saga_keeps_its_accounts_from_being_closed() {
    let bank = Bank::start().await;
    let source = bank.open(ALICE, "40", "escrow").await;
    let target = bank.open(BOB, "0", "escrow").await;
    let close = async |id: &str| {
        let body = json!({"status": "closed"});
        bank.teller().patch(&format!("/accounts/{id}"), &body).await
    };
    let saga = Saga(transfer(&source, &target, "40"));
    bank.perform(saga.step(Debit)).await;
    for id in [&source, &target] {
        assert_eq!(close(id).await.refusal(), (409, "account_not_empty"));
    }
    bank.perform(saga.step(Credit)).await;
    bank.perform(saga.undo(Credit)).await;
    assert_eq!(close(&target).await.refusal(), (409, "account_not_empty"));
    bank.perform(saga.undo(Debit)).await;
    assert_eq!(close(&target).await.status, 200);
    assert_eq!(close(&source).await.refusal(), (409, "account_not_empty"));
    let late = Saga(transfer(ALICE_1, &target, "1"));
    bank.perform(late.step(Debit)).await;
    let closed = bank.perform(late.step(Credit)).await;
    assert_eq!(closed, refused(Code::AccountClosed));
    bank.perform(late.undo(Debit)).await;
    bank.assert_at_rest().await;
}

//! Saga steps, many at once, alone and beside two-phase commit.

use futures_util::future::join_all;
use two_phase::message::Outcome;
use two_phase::steps::StepAnswer;
use types::Code;

use crate::bank::{ALICE_1, ALICE_2, BOB, BOB_1, Bank, CAROL_1, transfer, yes};
use crate::sagas::{Credit, DONE, Debit, Release, Saga, refused, stands};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_lists_of_the_same_steps_at_once_have_one_effect() {
    let bank = Bank::start().await;
    let sagas: Vec<Saga> = (0..10)
        .map(|_| Saga(transfer(ALICE_1, BOB_1, "1")))
        .collect();
    for step in [Debit, Credit, Release] {
        let lists = (0..20).map(|n| {
            let participant = bank.participant.clone();
            let mut list: Vec<_> = sagas.iter().map(|saga| saga.step(step)).collect();
            list.rotate_left(n % 10);
            tokio::spawn(async move { participant.perform(list).await })
        });
        for answers in join_all(lists).await {
            assert_eq!(answers.expect("no panic"), [Some(DONE); 10]);
        }
        bank.assert_sound().await;
    }
    assert_eq!(
        bank.reserved(ALICE_1).await,
        stands("990.00", "0.00", "990.00", 11)
    );
    assert_eq!(
        bank.reserved(BOB_1).await,
        stands("760.00", "0.00", "760.00", 11)
    );
    bank.assert_at_rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_70_a_step_and_what_undoes_it_together_never_leave_money_in_transit() {
    let bank = Bank::start().await;
    for round in 0..50 {
        let pairs = (0..10).map(|n| {
            let saga = Saga(transfer(ALICE_1, BOB_1, "1"));
            let (one, two) = (bank.participant.clone(), bank.participant.clone());
            let (debit, refund) = (saga.step(Debit), saga.undo(Debit));
            let debit = async move { one.perform(vec![debit]).await[0] };
            let refund = async move { two.perform(vec![refund]).await[0] };
            async move {
                let (debit, refund) = (tokio::spawn(debit), tokio::spawn(refund));
                if n % 2 == 0 {
                    tokio::task::yield_now().await;
                }
                (debit.await, refund.await)
            }
        });
        for (debit, refund) in join_all(pairs).await {
            let debit = debit.expect("no panic").expect("an answer");
            let late = refused(Code::OperationClosed);
            assert!(debit == DONE || debit == late, "{debit:?}");
            assert_eq!(refund.expect("no panic"), Some(DONE), "round {round}");
        }
    }
    assert_eq!(bank.in_transit().await, 0);
    let figures = bank.reserved(ALICE_1).await;
    assert_eq!((&*figures.0, &*figures.1), ("1000.00", "0.00"));
    bank.assert_at_rest().await;
}

/// One saga, to its end: what it debited was there, and now and then it is given up half-way.
async fn run(bank: &Bank, saga: Saga, give_up: bool) -> StepAnswer {
    let perform = async |step| {
        let answers = bank.participant.perform(vec![step]).await;
        answers[0].expect("an answer")
    };
    let debit = perform(saga.step(Debit)).await;
    if debit != DONE {
        return debit;
    }
    assert_eq!(perform(saga.step(Credit)).await, DONE);
    if give_up {
        assert_eq!(perform(saga.undo(Credit)).await, DONE);
        assert_eq!(perform(saga.undo(Debit)).await, DONE);
    } else {
        assert_eq!(perform(saga.step(Release)).await, DONE);
    }
    debit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sagas_and_two_phase_commits_on_the_same_accounts_do_not_deadlock() {
    let bank = Bank::start().await;
    let before = "SELECT coalesce(sum(balance), 0)::bigint FROM accounts WHERE kind = 'customer'";
    let total = bank.count(before).await;
    let accounts = [ALICE_1, BOB_1, ALICE_2, CAROL_1];
    let crossing = |n: usize, k: usize| {
        let from = accounts[(n + k) % 4];
        let to = accounts[(n + k + 1 + k % 3) % 4];
        transfer(from, to, "0.01")
    };
    let sagas = (0..8).map(async |n| {
        for k in 0..15 {
            let saga = Saga(crossing(n, k));
            assert_eq!(run(&bank, saga, k % 4 == 0).await, DONE);
        }
    });
    let commits = (0..8).map(async |n| {
        for k in 0..15 {
            let list: Vec<_> = (0..5).map(|m| crossing(n + m, k)).collect();
            let ids = list.iter().map(|wish| wish.transaction_id);
            let decisions = ids.map(|id| (id, Outcome::Commit)).collect();
            let votes = bank.participant.prepare(list).await;
            assert_eq!(votes, [Some(yes()); 5]);
            bank.participant.decide(decisions).await;
        }
    });
    tokio::join!(join_all(sagas), join_all(commits));
    assert_eq!(bank.count(before).await, total);
    assert_eq!(bank.in_transit().await, 0);
    bank.assert_at_rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sagas_that_want_the_same_money_only_those_it_suffices_for_get_it() {
    let bank = Bank::start().await;
    let poor = bank.open(BOB, "10", "escrow").await;
    let wishes = (0..30).map(|_| run(&bank, Saga(transfer(&poor, CAROL_1, "3")), false));
    let answers = join_all(wishes).await;
    let done = answers.iter().filter(|answer| **answer == DONE).count();
    assert_eq!(done, 3, "{answers:?}");
    assert_eq!(
        bank.reserved(&poor).await,
        stands("1.00", "0.00", "1.00", 4)
    );
    bank.assert_at_rest().await;
}

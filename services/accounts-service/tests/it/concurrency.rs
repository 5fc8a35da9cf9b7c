//! Many at once.

use accounts_service::participant::Participant;
use accounts_service::{MIGRATIONS, seed};
use futures_util::future::join_all;
use service_kit::database::ByKey;
use service_kit::testing::TestDatabase;
use sqlx::{Connection, PgConnection};
use two_phase::message::Outcome;
use two_phase::{Acknowledgement, BranchState, Vote};

use crate::bank::{ALICE_1, ALICE_2, BOB, BOB_1, Bank, CAROL_1, bank_1, figures, transfer, yes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_40_prepare_and_abort_together_never_leave_a_prepared_branch() {
    let bank = Bank::start().await;
    for round in 0..100 {
        let pairs = (0..10).map(|n| {
            let wish = transfer(ALICE_1, BOB_1, "1");
            let id = wish.transaction_id;
            let (one, two) = (bank.participant.clone(), bank.participant.clone());
            let prepare = async move { one.prepare(vec![wish]).await[0] };
            let abort = async move { two.decide(vec![(id, Outcome::Abort)]).await[0] };
            async move {
                let (prepare, abort) = (tokio::spawn(prepare), tokio::spawn(abort));
                if n % 2 == 0 {
                    tokio::task::yield_now().await;
                }
                (id, prepare.await, abort.await)
            }
        });
        for (id, vote, answer) in join_all(pairs).await {
            let vote = vote.expect("no panic").expect("a vote");
            assert!(matches!(vote, Vote::Yes | Vote::No { .. }), "{vote:?}");
            let answer = answer.expect("no panic");
            assert_eq!(answer, Some(Acknowledgement::Done), "round {round}");
            assert_eq!(bank.state(id).await, Some(BranchState::Aborted));
        }
    }
    assert_eq!(bank.count("SELECT count(*) FROM branches").await, 1_000);
    bank.assert_at_rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_55_lists_that_cross_do_not_deadlock() {
    let bank = Bank::start().await;
    let tasks = (0..8).map(|n| {
        let participant = bank.participant.clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                let there_and_back = |k: usize| {
                    let accounts = [ALICE_1, BOB_1, ALICE_2];
                    let (from, to) = (accounts[(n + k) % 3], accounts[(n + 2 * k + 1) % 3]);
                    let to = if from == to { CAROL_1 } else { to };
                    transfer(from, to, "0.01")
                };
                let list: Vec<_> = (0..25).map(there_and_back).collect();
                let votes = participant.prepare(list.clone()).await;
                assert_eq!(votes, vec![Some(yes()); 25]);
                let decisions = list.iter().enumerate().map(|(k, wish)| {
                    let outcome = if k % 5 == 0 {
                        Outcome::Abort
                    } else {
                        Outcome::Commit
                    };
                    (wish.transaction_id, outcome)
                });
                let answers = participant.decide(decisions.rev().collect()).await;
                assert_eq!(answers, vec![Some(Acknowledgement::Done); 25]);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    assert_eq!(
        bank.count("SELECT count(*) FROM ledger_entries WHERE kind = 'transfer'")
            .await,
        8 * 5 * 20 * 2
    );
    bank.assert_at_rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_54_five_hundred_transfers_at_one_account_arrive_exactly() {
    let bank = Bank::start().await;
    let target = bank.open(BOB, "0", "escrow").await;
    let transfers = (0..500).map(|_| {
        let (participant, wish) = (
            bank.participant.clone(),
            transfer(ALICE_1, &target, "1.0001"),
        );
        async move {
            let id = wish.transaction_id;
            assert_eq!(participant.prepare(vec![wish]).await, [Some(yes())]);
            participant.decide(vec![(id, Outcome::Commit)]).await[0]
        }
    });
    for answer in join_all(transfers).await {
        assert_eq!(answer, Some(Acknowledgement::Done));
    }
    assert_eq!(
        bank.figures(&target).await,
        figures("500.05", "0.00", "0.00", 500)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn a_list_of_five_hundred_transfers_costs_a_handful_of_database_transactions() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    service_kit::database::migrate(&pool, &MIGRATIONS)
        .await
        .expect("migrations");
    seed::insert(&pool, &bank_1()).await.expect("seed data");
    let by_key = ByKey::beside(&pool);
    pool.close().await;

    let before = transactions_of(&database).await;
    let participant = Participant::new(by_key.clone(), bank_1());
    let list: Vec<_> = (0..500).map(|_| transfer(ALICE_1, BOB_1, "1")).collect();
    let decisions = list
        .iter()
        .map(|wish| (wish.transaction_id, Outcome::Commit));
    let decisions = decisions.collect();
    assert_eq!(participant.prepare(list).await, vec![Some(yes()); 500]);
    let answers = participant.decide(decisions).await;
    assert_eq!(answers, vec![Some(Acknowledgement::Done); 500]);
    by_key.close().await;
    let cost = transactions_of(&database).await - before;
    // Preparing a statement for the first time counts as one, and so does whoever vacuums.
    assert!((2..=30).contains(&cost), "{cost}");
}

/// How many database transactions a database has seen, asked from another one so as not to add to
/// them. A connection tells its numbers when it is closed, so all must be.
async fn transactions_of(database: &TestDatabase) -> i64 {
    let url = database.url().reveal();
    let (server, name) = url.rsplit_once('/').expect("a URL");
    let mut observer = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .expect("the server");
    loop {
        let (connections, committed): (i32, i64) = sqlx::query_as(
            "SELECT numbackends, xact_commit FROM pg_stat_database WHERE datname = $1",
        )
        .bind(name)
        .fetch_one(&mut observer)
        .await
        .expect("statistics");
        if connections == 0 {
            return committed;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_looks_while_transfers_are_booked_sees_half_of_one() {
    let bank = Bank::start().await;
    let booking = tokio::spawn({
        let participant = bank.participant.clone();
        async move {
            for _ in 0..100 {
                let wish = transfer(ALICE_1, BOB_1, "1");
                let id = wish.transaction_id;
                assert_eq!(participant.prepare(vec![wish]).await, [Some(yes())]);
                let done = participant.decide(vec![(id, Outcome::Commit)]).await;
                assert_eq!(done, [Some(Acknowledgement::Done)]);
            }
        }
    });
    let mut looks = 0;
    while !booking.is_finished() {
        bank.assert_sound().await;
        looks += 1;
    }
    booking.await.expect("no panic");
    assert!(looks > 1, "it was looked at while something happened");
    bank.assert_at_rest().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_61_a_list_whose_connection_dies_half_way_is_prepared_as_a_whole_or_not_at_all() {
    let bank = Bank::start().await;
    let mut blocker = bank.pool.begin().await.expect("a transaction");
    sqlx::query("SELECT FROM accounts WHERE account_id = $1::uuid FOR UPDATE")
        .bind(crate::bank::account(BOB_1).uuid())
        .execute(&mut *blocker)
        .await
        .expect("a lock");
    let list: Vec<_> = (0..50).map(|_| transfer(ALICE_1, BOB_1, "1")).collect();
    let preparing = tokio::spawn({
        let (participant, list) = (bank.participant.clone(), list.clone());
        async move { participant.prepare(list).await }
    });
    // The list has inserted its branches and waits for the account.
    let killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while bank.count(killed).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(preparing.await.expect("no panic"), vec![None; 50]);
    assert_eq!(bank.count("SELECT count(*) FROM branches").await, 0);
    blocker.rollback().await.expect("rolled back");
    let votes = bank.participant.prepare(list).await;
    assert_eq!(votes, vec![Some(yes()); 50]);
    bank.assert_sound().await;
}

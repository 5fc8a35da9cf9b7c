use std::sync::Arc;
use std::sync::atomic::Ordering;

use saga::recovery::{Pace, run as recovery};
use saga::testing::SimulatedClock;
use saga::{Direction, Options, SagaId, Status, Stopped};
use tokio::sync::watch;

use crate::bench::{Bench, How, recover, run};

#[tokio::test]
async fn case_71_of_two_executors_the_one_that_was_taken_over_from_changes_nothing() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(3, None, Options::default());
    let sleeping = bench.process(&definition);
    let saga = SagaId::generate();
    let owned = sleeping
        .begin(&[(saga, ())])
        .await
        .unwrap()
        .pop()
        .flatten()
        .unwrap();

    // It sleeps beyond its lease; another one takes its saga over and compensates it.
    sleeping.store().log.end_lease();
    bench.plan(2, Direction::Action, &[How::Refuse]);
    let other = bench.process(&definition);
    assert_eq!(recover(&other).await, 1);
    assert_eq!(bench.status(saga), Status::Compensated);
    let before = (bench.world().await, bench.log(saga));

    // It wakes, asks for its first step, and goes no further.
    let stopped = sleeping.drive(owned).await;
    assert!(matches!(stopped, Err(Stopped::TakenOver)), "{stopped:?}");
    assert_eq!((bench.world().await, bench.log(saga)), before);
}

#[tokio::test]
async fn case_71_while_a_lease_runs_nobody_takes_over() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(2, None, Options::default());
    let first = bench.process(&definition);
    let saga = SagaId::generate();
    let owned = first.begin(&[(saga, ())]).await.unwrap();
    assert_eq!(first.driven(), 1);
    let other = bench.process(&definition);
    assert_eq!(recover(&other).await, 0, "its owner lives");
    assert_eq!(recover(&first).await, 0, "it is driven");
    drop(owned);
    assert_eq!(first.driven(), 0);
    assert_eq!(recover(&first).await, 1, "it has lost its driver");
}

#[tokio::test]
async fn a_beginning_that_is_repeated_is_one_saga() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(2, None, Options::default());
    let executor = bench.process(&definition);
    let saga = SagaId::generate();
    let first = executor.begin(&[(saga, ())]).await.unwrap();
    let again = executor.begin(&[(saga, ())]).await.unwrap();
    assert!(again[0].is_some(), "the answer to the first was lost");
    drop((first, again));
    assert_eq!(recover(&executor).await, 1);
    let late = executor.begin(&[(saga, ())]).await.unwrap();
    assert!(
        late[0].is_none(),
        "two drivers under one epoch could not be told apart"
    );
    assert_eq!(bench.world().await.count, [1, 1, 0, 0]);
}

#[tokio::test]
async fn the_loop_takes_over_what_is_left_behind_until_it_is_stopped() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(2, None, Options::default());
    let mut sagas = Vec::new();
    for _ in 0..5 {
        let (saga, died) = run(&bench.process_that_dies(&definition, 1, true)).await;
        assert!(died.is_err());
        sagas.push(saga);
    }
    let executor = bench.process(&definition);
    let (stop, stopped) = watch::channel(false);
    let (done, mut finished) = tokio::sync::mpsc::unbounded_channel();
    let driver = executor.clone();
    let spawn = move |owned| {
        let (driver, done) = (driver.clone(), done.clone());
        tokio::spawn(async move { done.send(driver.drive(owned).await.unwrap().status) });
    };
    // Fewer in one go than there are.
    let pace = Pace {
        limit: 2,
        ..Pace::default()
    };
    let running =
        tokio::spawn(async move { recovery(&executor, pace, spawn, |_| (), stopped).await });
    for _ in &sagas {
        assert_eq!(finished.recv().await, Some(Status::Committed));
    }
    stop.send_replace(true);
    running.await.unwrap();
    assert_eq!(bench.world().await.count, [5, 5, 0, 0]);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_repeated_and_is_one_write() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(2, None, Options::default());
    let executor = bench.process(&definition);
    executor.store().lost_answers.store(3, Ordering::SeqCst);
    let (saga, finished) = run(&executor).await;
    assert_eq!(finished.unwrap().status, Status::Committed);
    assert_eq!(bench.world().await.count, [1, 1, 0, 0]);
    assert_eq!(bench.log(saga).len(), 5, "each line once");
}

#[tokio::test]
async fn an_executor_lets_go_when_its_log_does_not_answer() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(2, None, Options::default());
    let executor = bench.process(&definition);
    executor.store().lost_answers.store(100, Ordering::SeqCst);
    let (saga, stopped) = run(&executor).await;
    assert!(matches!(stopped, Err(Stopped::Log(_))), "{stopped:?}");
    assert_eq!(
        bench.world().await.count,
        [1, 0, 0, 0],
        "nothing that may not be in the log"
    );
    executor.store().lost_answers.store(0, Ordering::SeqCst);
    assert_eq!(recover(&executor).await, 1, "its own, without a driver");
    assert_eq!(bench.status(saga), Status::Committed);
}

/// A thousand at once, on one executor.
#[tokio::test]
async fn many_sagas_are_driven_side_by_side() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(3, Some(1), Options::default());
    let executor = bench.process(&definition);
    let sagas: Vec<_> = (0..1_000).map(|_| (SagaId::generate(), ())).collect();
    let begun = executor.begin(&sagas).await.unwrap();
    let executor = Arc::new(executor);
    let drivers: Vec<_> = begun
        .into_iter()
        .map(|owned| {
            let executor = Arc::clone(&executor);
            tokio::spawn(async move { executor.drive(owned.unwrap()).await.unwrap().status })
        })
        .collect();
    for driver in drivers {
        assert_eq!(driver.await.unwrap(), Status::Committed);
    }
    assert_eq!(executor.driven(), 0);
    assert_eq!(bench.database.writes(), 4_000);
}

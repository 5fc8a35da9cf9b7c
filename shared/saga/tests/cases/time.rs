use std::time::Duration;

use saga::decide::TIMED_OUT;
use saga::testing::SimulatedClock;
use saga::{Direction, Options, Status};

use crate::bench::{Bench, How, recover, run};

#[tokio::test]
async fn case_75_a_step_that_timed_out_although_it_happened_is_undone() {
    let bench = Bench::new(SimulatedClock::impatient());
    bench.plan(1, Direction::Action, &[How::HangAfter; 4]);
    let definition = bench.definition(3, None, Options::default());
    let (_, finished) = run(&bench.process(&definition)).await;
    assert_eq!(finished.unwrap().status, Status::Compensated);
    let world = bench.world().await;
    assert_eq!(world.count, [0; 4]);
    assert!(
        world.effects.contains(&(1, Direction::Action)),
        "it did happen"
    );
}

#[tokio::test]
async fn a_saga_that_takes_too_long_goes_back() {
    let bench = Bench::new(SimulatedClock::impatient());
    bench.plan(2, Direction::Action, &[How::HangAfter; 100]);
    let options = Options {
        timeout: Duration::from_secs(3),
        retries: 1_000,
        ..Options::default()
    };
    let definition = bench.definition(3, None, options);
    let (_, finished) = run(&bench.process(&definition)).await;
    let finished = finished.unwrap();
    assert_eq!(
        (finished.status, finished.reason),
        (Status::Compensated, Some(TIMED_OUT))
    );
    assert_eq!(bench.world().await.count, [0; 4]);
}

#[tokio::test]
async fn a_saga_that_takes_too_long_and_may_not_go_back_is_stuck() {
    let bench = Bench::new(SimulatedClock::impatient());
    bench.plan(1, Direction::Action, &[How::HangAfter; 100]);
    let options = Options {
        timeout: Duration::from_secs(3),
        compensate_on_timeout: false,
        retries: 1_000,
        ..Options::default()
    };
    let definition = bench.definition(2, None, options);
    let (_, finished) = run(&bench.process(&definition)).await;
    let finished = finished.unwrap();
    assert_eq!(
        (finished.status, finished.reason),
        (Status::Stuck, Some(TIMED_OUT))
    );
}

#[tokio::test]
async fn a_saga_is_as_old_as_its_log_and_not_as_its_executor() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(3, None, Options::default());
    let dying = bench.process_that_dies(&definition, 1, false);
    let (saga, _) = run(&dying).await;
    bench.clock.advance(definition.options().timeout);
    recover(&bench.process(&definition)).await;
    assert_eq!(bench.status(saga), Status::Compensated);
    assert_eq!(bench.world().await.count, [0; 4]);
}

/// With tokio's clock: a performer that never answers is not waited for for ever.
#[tokio::test]
async fn an_attempt_ends_when_its_time_is_over() {
    let bench = Bench::new(SimulatedClock::patient());
    bench.plan(0, Direction::Action, &[How::HangAfter]);
    let options = Options {
        attempt_timeout: Duration::from_millis(5),
        ..Options::default()
    };
    let definition = bench.definition(1, None, options);
    let store = std::sync::Arc::new(bench.database.start_process());
    let executor = saga::Executor::new(definition, store);
    let saga = saga::SagaId::generate();
    let owned = executor
        .begin(&[(saga, ())])
        .await
        .unwrap()
        .pop()
        .flatten()
        .unwrap();
    assert_eq!(
        executor.drive(owned).await.unwrap().status,
        Status::Committed
    );
    assert_eq!(bench.world().await.count, [1, 0, 0, 0]);
}

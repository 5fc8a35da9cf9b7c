use saga::machine::IllegalEvent;
use saga::operator::CommandError;
use saga::testing::SimulatedClock;
use saga::{Command, Direction, Event, Options, Reason, SagaId, Status};

use crate::bench::{Bench, How, R, run};

const OPERATOR: Reason = Reason::fixed("teller-1: booked by hand");

fn options() -> Options {
    Options {
        compensation_retries: 2,
        ..Options::default()
    }
}

#[tokio::test]
async fn case_68_a_compensation_that_fails_for_ever_is_stuck_until_somebody_mends_it() {
    let bench = Bench::new(SimulatedClock::patient());
    bench.plan(2, Direction::Action, &[How::Refuse]);
    bench.plan(1, Direction::Compensation, &[How::LoseRequest; 3]);
    let definition = bench.definition(3, None, options());
    let executor = bench.process(&definition);
    let (saga, finished) = run(&executor).await;
    assert_eq!(finished.unwrap().status, Status::Stuck);
    assert_eq!(
        bench.log(saga).last(),
        Some(&Event::Stuck { step: 1, reason: R })
    );
    assert_eq!(bench.world().await.count, [1, 1, 0, 0]);
    assert!(
        executor.take_over(10).await.unwrap().is_empty(),
        "recovery leaves it to a person"
    );

    let owned = executor
        .command(saga, &Command::Retry, OPERATOR)
        .await
        .unwrap();
    assert!(
        bench
            .log(saga)
            .contains(&Event::Retried { reason: OPERATOR })
    );
    assert_eq!(
        executor.drive(owned).await.unwrap().status,
        Status::Compensated
    );
    assert_eq!(bench.world().await.count, [0; 4]);
}

#[tokio::test]
async fn case_68_an_operator_who_skips_a_compensation_leaves_the_others_to_be_done() {
    let bench = Bench::new(SimulatedClock::patient());
    bench.plan(2, Direction::Action, &[How::Refuse]);
    bench.plan(1, Direction::Compensation, &[How::Refuse]);
    let definition = bench.definition(3, None, options());
    let executor = bench.process(&definition);
    let (saga, _) = run(&executor).await;
    assert_eq!(
        bench.status(saga),
        Status::Stuck,
        "a refused compensation needs no retries"
    );
    let owned = executor
        .command(saga, &Command::Skip, OPERATOR)
        .await
        .unwrap();
    assert_eq!(
        executor.drive(owned).await.unwrap().status,
        Status::Compensated
    );
    assert_eq!(
        bench.world().await.count,
        [0, 1, 0, 0],
        "as the operator wanted it"
    );
    let skipped = Event::Skipped {
        step: 1,
        reason: OPERATOR,
    };
    assert!(bench.log(saga).contains(&skipped));
}

#[tokio::test]
async fn nothing_turns_back_behind_the_pivot_not_even_an_operator() {
    let bench = Bench::new(SimulatedClock::patient());
    bench.plan(1, Direction::Action, &[How::Refuse]);
    let definition = bench.definition(2, Some(0), options());
    let executor = bench.process(&definition);
    let (saga, _) = run(&executor).await;
    let refused = executor.command(saga, &Command::TurnBack, OPERATOR).await;
    let illegal = matches!(
        refused,
        Err(CommandError::Illegal(IllegalEvent::BehindThePivot(_)))
    );
    assert!(illegal, "{refused:?}");
    assert_eq!(bench.status(saga), Status::Stuck);
}

#[tokio::test]
async fn a_saga_that_is_not_stuck_takes_no_commands() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(2, None, options());
    let executor = bench.process(&definition);
    let (saga, _) = run(&executor).await;
    for saga in [saga, SagaId::generate()] {
        let refused = executor.command(saga, &Command::Retry, OPERATOR).await;
        assert!(
            matches!(refused, Err(CommandError::NotStuck)),
            "{refused:?}"
        );
    }
}

use saga::testing::SimulatedClock;
use saga::{Command, Direction, Event, Options, Reason, Status};

use crate::bench::{Bench, How, recover, run};

#[tokio::test]
async fn case_73_behind_the_pivot_a_saga_only_goes_forward() {
    for how in [How::Refuse, How::NotNow, How::LoseRequest, How::LoseAnswer] {
        let bench = Bench::new(SimulatedClock::patient());
        bench.plan(2, Direction::Action, &[how; 4]);
        let definition = bench.definition(4, Some(1), Options::default());
        let executor = bench.process(&definition);
        let (saga, finished) = run(&executor).await;
        assert_eq!(finished.unwrap().status, Status::Stuck, "{how:?}");
        if how == How::Refuse {
            // The performer remembers its refusal; the operator has done it by hand.
            let owned = executor
                .command(saga, &Command::Skip, Reason::new("done"))
                .await
                .unwrap();
            assert_eq!(
                executor.drive(owned).await.unwrap().status,
                Status::Committed
            );
            assert_eq!(bench.world().await.count, [1, 1, 0, 1]);
        } else {
            let owned = executor
                .command(saga, &Command::Retry, Reason::new("mended"))
                .await
                .unwrap();
            assert_eq!(
                executor.drive(owned).await.unwrap().status,
                Status::Committed
            );
            assert_eq!(bench.world().await.count, [1; 4]);
        }
    }
}

#[tokio::test]
async fn case_73_a_pivot_that_may_have_happened_is_asked_for_until_somebody_knows() {
    for lost in [How::LoseRequest, How::LoseAnswer] {
        let bench = Bench::new(SimulatedClock::patient());
        let hows: Vec<_> = std::iter::once(lost).chain([How::NotNow; 60]).collect();
        bench.plan(1, Direction::Action, &hows);
        let definition = bench.definition(3, Some(1), Options::default());
        let (saga, finished) = run(&bench.process(&definition)).await;
        assert_eq!(finished.unwrap().status, Status::Committed);
        assert_eq!(bench.world().await.count, [1, 1, 1, 0]);
        assert!(
            bench.clock.passed() > definition.options().timeout,
            "it had far longer than the saga"
        );
        let turned = |event: &Event| matches!(event, Event::TurnedBack { .. });
        assert!(!bench.log(saga).iter().any(turned));
    }
}

#[tokio::test]
async fn case_73_whoever_takes_over_at_the_pivot_is_in_doubt_about_it() {
    let bench = Bench::new(SimulatedClock::patient());
    // Asked for by the process that dies before it can write what came of it.
    let definition = bench.definition(
        2,
        Some(0),
        Options {
            retries: 0,
            ..Options::default()
        },
    );
    let dying = bench.process_that_dies(&definition, 1, false);
    let (saga, _) = run(&dying).await;
    bench.plan(0, Direction::Action, &[How::NotNow; 5]);
    assert_eq!(recover(&bench.process(&definition)).await, 1);
    assert_eq!(bench.status(saga), Status::Committed);
    assert_eq!(bench.world().await.count, [1, 1, 0, 0]);
}

#[tokio::test]
async fn case_73_a_refused_pivot_is_undone() {
    let bench = Bench::new(SimulatedClock::patient());
    bench.plan(1, Direction::Action, &[How::LoseRequest, How::Refuse]);
    let definition = bench.definition(3, Some(1), Options::default());
    let (_, finished) = run(&bench.process(&definition)).await;
    assert_eq!(finished.unwrap().status, Status::Compensated);
    assert_eq!(bench.world().await.count, [0; 4]);
}

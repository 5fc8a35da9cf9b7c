use saga::testing::SimulatedClock;
use saga::{Direction, Event, Options, Status, Stopped};

use crate::bench::{Bench, How, recover, run};

#[tokio::test]
async fn case_63_a_crash_before_or_after_any_write_of_the_log_is_gone_on_from() {
    // Three steps: the beginning, which the trials kill at too, and three writes.
    for write in 1..=3 {
        for after in [false, true] {
            let bench = Bench::new(SimulatedClock::patient());
            let definition = bench.definition(3, None, Options::default());
            let dying = bench.process_that_dies(&definition, write, after);
            let (saga, died) = run(&dying).await;
            assert!(matches!(died, Err(Stopped::Interrupted(_))), "{died:?}");
            let finished = write == 3 && after;
            assert_eq!(bench.status(saga).is_final(), finished, "{write} {after}");

            let other = bench.process(&definition);
            assert_eq!(
                recover(&other).await,
                usize::from(!finished),
                "{write} {after}"
            );
            assert_eq!(bench.status(saga), Status::Committed);
            assert_eq!(bench.world().await.count, [1, 1, 1, 0], "{write} {after}");
        }
    }
}

#[tokio::test]
async fn case_72_a_crash_while_compensating_never_leads_forward_again() {
    // Forward: two writes, then the one that turns back; then three for what is undone.
    for write in 3..=5 {
        for after in [false, true] {
            let bench = Bench::new(SimulatedClock::patient());
            bench.plan(3, Direction::Action, &[How::Refuse]);
            let definition = bench.definition(4, None, Options::default());
            let dying = bench.process_that_dies(&definition, write + 1, after);
            let (saga, died) = run(&dying).await;
            assert!(matches!(died, Err(Stopped::Interrupted(_))), "{died:?}");

            let other = bench.process(&definition);
            recover(&other).await;
            assert_eq!(bench.status(saga), Status::Compensated, "{write} {after}");
            assert_eq!(bench.world().await.count, [0; 4]);
            let log = bench.log(saga);
            let turned = log
                .iter()
                .position(|event| matches!(event, Event::TurnedBack { .. }));
            let forward = |event: &Event| matches!(event, Event::ActionStarted { .. });
            assert!(!log[turned.unwrap()..].iter().any(forward), "{log:?}");
        }
    }
}

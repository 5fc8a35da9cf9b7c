use saga::testing::SimulatedClock;
use saga::{Answer, Direction, Options, Status};

use crate::bench::{Bench, How, NAMES, run};

#[tokio::test]
async fn case_65_an_action_asked_for_twice_has_one_effect() {
    for step in 0..3 {
        let bench = Bench::new(SimulatedClock::patient());
        bench.plan(step, Direction::Action, &[How::LoseAnswer, How::LoseAnswer]);
        let definition = bench.definition(3, None, Options::default());
        let (_, finished) = run(&bench.process(&definition)).await;
        assert_eq!(finished.unwrap().status, Status::Committed);
        assert_eq!(bench.world().await.count, [1, 1, 1, 0]);
        let calls = bench.calls.lock().unwrap().clone();
        let ids: Vec<_> = calls
            .iter()
            .filter(|call| call.0 == step)
            .map(|call| call.2.operation_id)
            .collect();
        assert_eq!(ids.len(), 3);
        assert!(ids.iter().all(|id| *id == ids[0]), "the same operation");
        let attempts: Vec<_> = calls
            .iter()
            .filter(|call| call.0 == step)
            .map(|call| call.2.attempt)
            .collect();
        assert_eq!(attempts, [1, 2, 3]);
    }
}

#[tokio::test]
async fn case_66_a_compensation_asked_for_twice_has_one_effect() {
    for step in 0..2 {
        let bench = Bench::new(SimulatedClock::patient());
        bench.plan(2, Direction::Action, &[How::Refuse]);
        bench.plan(
            step,
            Direction::Compensation,
            &[How::LoseAnswer, How::LoseAnswer],
        );
        let definition = bench.definition(3, None, Options::default());
        let (_, finished) = run(&bench.process(&definition)).await;
        assert_eq!(finished.unwrap().status, Status::Compensated);
        assert_eq!(bench.world().await.count, [0; 4]);
    }
}

#[tokio::test]
async fn a_refusal_is_remembered_and_a_passing_failure_is_not() {
    let bench = Bench::new(SimulatedClock::patient());
    bench.plan(0, Direction::Action, &[How::NotNow, How::NotNow]);
    bench.plan(1, Direction::Action, &[How::Refuse]);
    let definition = bench.definition(2, None, Options::default());
    let (_, finished) = run(&bench.process(&definition)).await;
    assert_eq!(finished.unwrap().status, Status::Compensated);
    let calls = bench.calls.lock().unwrap().clone();
    let refused = &calls.iter().find(|call| call.0 == 1).unwrap().2;
    // The performer would do it now, and may not.
    let again = bench.perform(1, Direction::Action, refused, false).await;
    assert_eq!(again, Answer::Refused(crate::bench::R));
    assert_eq!(bench.world().await.count, [0; 4]);
}

#[tokio::test]
async fn a_saga_costs_one_write_for_each_step_and_one_to_begin() {
    let bench = Bench::new(SimulatedClock::patient());
    let definition = bench.definition(NAMES.len(), Some(1), Options::default());
    let (_, finished) = run(&bench.process(&definition)).await;
    assert_eq!(finished.unwrap().status, Status::Committed);
    assert_eq!(bench.database.writes(), NAMES.len() + 1);
}

use saga::testing::SimulatedClock;
use saga::{Direction, Event, Options, Status};

use crate::bench::{Bench, How, R, run};

#[tokio::test]
async fn case_64_whichever_step_fails_those_before_it_are_undone_in_reverse() {
    for failing in 0..4 {
        let bench = Bench::new(SimulatedClock::patient());
        bench.plan(failing, Direction::Action, &[How::Refuse]);
        let definition = bench.definition(4, None, Options::default());
        let (saga, finished) = run(&bench.process(&definition)).await;
        let finished = finished.unwrap();
        assert_eq!(
            (finished.status, finished.reason),
            (Status::Compensated, Some(R))
        );
        let world = bench.world().await;
        assert_eq!(world.count, [0; 4]);
        let forward = (0..failing).map(|step| (step, Direction::Action));
        let back = (0..failing)
            .rev()
            .map(|step| (step, Direction::Compensation));
        assert_eq!(world.effects, forward.chain(back).collect::<Vec<_>>());
        assert_eq!(bench.log(saga).last(), Some(&Event::Compensated));
    }
}

#[tokio::test]
async fn case_67_a_compensation_that_fails_and_then_works_is_done() {
    for how in [How::NotNow, How::LoseRequest, How::LoseAnswer] {
        let bench = Bench::new(SimulatedClock::patient());
        bench.plan(1, Direction::Action, &[How::Refuse]);
        bench.plan(0, Direction::Compensation, &[how; 5]);
        let definition = bench.definition(2, None, Options::default());
        let (_, finished) = run(&bench.process(&definition)).await;
        assert_eq!(finished.unwrap().status, Status::Compensated, "{how:?}");
        assert_eq!(bench.world().await.count, [0; 4], "{how:?}");
    }
}

/// Before its action, and however late the action then comes.
#[tokio::test]
async fn case_69_and_70_a_compensation_that_overtakes_its_action_keeps_it_out() {
    let bench = Bench::new(SimulatedClock::patient());
    // Every request of the second step is under way when it is compensated.
    bench.plan(1, Direction::Action, &[How::LoseRequest; 4]);
    let definition = bench.definition(3, None, Options::default());
    let (saga, finished) = run(&bench.process(&definition)).await;
    assert_eq!(finished.unwrap().status, Status::Compensated);
    let undone = Event::CompensationDone { step: 1 };
    assert!(
        bench.log(saga).contains(&undone),
        "recorded, although there was nothing to undo"
    );
    let before = bench.world().await;
    assert_eq!(before.count, [0; 4]);

    let calls = bench.calls.lock().unwrap().clone();
    let late: Vec<_> = calls.iter().filter(|(step, ..)| *step == 1).collect();
    assert_eq!(late.len(), 5, "four actions and a compensation");
    for (step, direction, call) in late {
        let answer = bench.perform(*step, *direction, call, false).await;
        let expected = match direction {
            Direction::Action => saga::Answer::Refused(saga::barrier::CLOSED),
            Direction::Compensation => saga::Answer::Done,
        };
        assert_eq!(answer, expected);
    }
    assert_eq!(bench.world().await, before);
}

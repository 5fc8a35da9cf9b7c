use proptest::prelude::*;

use super::*;

const R: Reason = Reason::fixed("because");

fn shape(steps: usize, pivot: Option<usize>, undoable: bool) -> Shape {
    Shape {
        steps,
        pivot,
        pivot_can_be_undone: undoable,
    }
}

/// The steps before `step` are done, and it is asked for.
fn asked(shape: Shape, step: usize) -> Snapshot {
    (0..step).fold(begin(shape).unwrap().snapshot, |saga, _| {
        match react(shape, &saga, &Verdict::Done, Circumstances::default()).unwrap() {
            Reaction::Log(written) => written.snapshot,
            Reaction::Retry => panic!("done is not retried"),
        }
    })
}

fn events(
    shape: Shape,
    saga: &Snapshot,
    verdict: &Verdict,
    circumstances: Circumstances,
) -> Vec<Event> {
    match react(shape, saga, verdict, circumstances).unwrap() {
        Reaction::Retry => Vec::new(),
        Reaction::Log(written) => written.events,
    }
}

const EXHAUSTED: Circumstances = Circumstances {
    may_retry: false,
    timed_out: false,
    in_doubt: false,
    compensate_on_timeout: true,
};
const LATE: Circumstances = Circumstances {
    may_retry: true,
    timed_out: true,
    ..EXHAUSTED
};

#[test]
fn one_write_does_for_a_step_that_is_done_and_the_next_that_is_asked_for() {
    let shape = shape(2, None, false);
    let first = begin(shape).unwrap();
    assert_eq!(first.events, [Event::ActionStarted { step: 0 }]);
    assert_eq!(
        events(
            shape,
            &first.snapshot,
            &Verdict::Done,
            Circumstances::default()
        ),
        [
            Event::ActionDone { step: 0 },
            Event::ActionStarted { step: 1 }
        ]
    );
    assert_eq!(
        events(
            shape,
            &asked(shape, 1),
            &Verdict::Done,
            Circumstances::default()
        ),
        [Event::ActionDone { step: 1 }, Event::Committed]
    );
}

#[test]
fn a_refused_step_is_not_undone_but_those_before_it_are() {
    let shape = shape(3, None, false);
    assert_eq!(
        events(
            shape,
            &asked(shape, 2),
            &Verdict::Refused(R),
            Circumstances::default()
        ),
        [
            Event::ActionFailed { step: 2, reason: R },
            Event::TurnedBack { reason: R },
            Event::CompensationStarted { step: 1 },
        ]
    );
    assert_eq!(
        events(
            shape,
            &asked(shape, 0),
            &Verdict::Refused(R),
            Circumstances::default()
        ),
        [
            Event::ActionFailed { step: 0, reason: R },
            Event::TurnedBack { reason: R },
            Event::Compensated,
        ]
    );
}

#[test]
fn a_step_that_was_refused_in_part_is_undone_itself() {
    let before = shape(2, None, false);
    let verdict = Verdict::RefusedInPart(R);
    assert_eq!(
        events(
            before,
            &asked(before, 1),
            &verdict,
            Circumstances::default()
        ),
        [
            Event::TurnedBack { reason: R },
            Event::CompensationStarted { step: 1 }
        ]
    );
    for undoable in [false, true] {
        let pivot = shape(2, Some(1), undoable);
        assert_eq!(events(pivot, &asked(pivot, 1), &verdict, LATE), []);
    }
    let behind = shape(2, Some(0), false);
    assert_eq!(
        events(
            behind,
            &asked(behind, 1),
            &verdict,
            Circumstances::default()
        ),
        [Event::Stuck { step: 1, reason: R }]
    );
}

#[test]
fn what_is_late_is_undone_for_the_reason_that_made_it_late_where_somebody_knows_it() {
    let shape = shape(2, None, false);
    for (verdict, reason) in [(Verdict::NotNow(R), R), (Verdict::Unknown(R), TIMED_OUT)] {
        assert_eq!(
            events(shape, &asked(shape, 1), &verdict, LATE),
            [
                Event::TurnedBack { reason },
                Event::CompensationStarted { step: 1 }
            ]
        );
    }
}

#[test]
fn a_step_of_which_nobody_knows_is_undone_too() {
    let shape = shape(2, None, false);
    for verdict in [Verdict::Unknown(R), Verdict::NotNow(R)] {
        assert_eq!(
            events(shape, &asked(shape, 1), &verdict, EXHAUSTED),
            [
                Event::TurnedBack { reason: R },
                Event::CompensationStarted { step: 1 }
            ]
        );
        assert_eq!(
            events(shape, &asked(shape, 1), &verdict, Circumstances::default()),
            []
        );
    }
}

#[test]
fn a_late_saga_turns_back_between_steps_but_not_behind_its_pivot_or_at_its_end() {
    let before = shape(3, Some(2), false);
    assert_eq!(
        events(before, &asked(before, 0), &Verdict::Done, LATE),
        [
            Event::ActionDone { step: 0 },
            Event::TurnedBack { reason: TIMED_OUT },
            Event::CompensationStarted { step: 0 },
        ]
    );
    let pivot = shape(2, Some(0), true);
    assert_eq!(
        events(pivot, &asked(pivot, 0), &Verdict::Done, LATE),
        [
            Event::ActionDone { step: 0 },
            Event::ActionStarted { step: 1 }
        ]
    );
    let last = shape(1, None, false);
    assert_eq!(
        events(last, &asked(last, 0), &Verdict::Done, LATE),
        [Event::ActionDone { step: 0 }, Event::Committed]
    );
}

#[test]
fn a_late_saga_that_may_not_compensate_is_an_operators() {
    let shape = shape(2, None, false);
    let circumstances = Circumstances {
        compensate_on_timeout: false,
        ..LATE
    };
    assert_eq!(
        events(shape, &asked(shape, 1), &Verdict::Unknown(R), circumstances),
        [Event::Stuck {
            step: 1,
            reason: TIMED_OUT
        }]
    );
    assert_eq!(
        events(shape, &asked(shape, 0), &Verdict::Done, circumstances),
        [
            Event::ActionDone { step: 0 },
            Event::ActionStarted { step: 1 }
        ]
    );
}

#[test]
fn a_pivot_is_given_up_only_when_it_surely_has_not_happened() {
    let turned = [
        Event::TurnedBack { reason: R },
        Event::CompensationStarted { step: 0 },
    ];
    let doubt = Circumstances {
        in_doubt: true,
        ..EXHAUSTED
    };
    for (undoable, verdict, circumstances, expected) in [
        (true, Verdict::NotNow(R), EXHAUSTED, &turned[..]),
        (true, Verdict::NotNow(R), doubt, &[]),
        (true, Verdict::Unknown(R), EXHAUSTED, &[]),
        (false, Verdict::NotNow(R), EXHAUSTED, &[]),
        (
            true,
            Verdict::Unknown(R),
            Circumstances {
                timed_out: true,
                ..doubt
            },
            &[],
        ),
    ] {
        let shape = shape(2, Some(0), undoable);
        assert_eq!(
            events(shape, &asked(shape, 0), &verdict, circumstances),
            expected,
            "{verdict:?}"
        );
    }
}

#[test]
fn behind_the_pivot_what_fails_is_stuck() {
    let shape = shape(2, Some(0), false);
    let stuck = [Event::Stuck { step: 1, reason: R }];
    assert_eq!(
        events(shape, &asked(shape, 1), &Verdict::Refused(R), LATE),
        stuck
    );
    assert_eq!(
        events(shape, &asked(shape, 1), &Verdict::Unknown(R), EXHAUSTED),
        stuck
    );
    assert_eq!(
        events(shape, &asked(shape, 1), &Verdict::Unknown(R), LATE),
        []
    );
}

#[test]
fn a_skipped_compensation_leaves_the_others_to_be_undone() {
    let shape = shape(3, None, false);
    let back = events(shape, &asked(shape, 2), &Verdict::Refused(R), EXHAUSTED);
    let back = asked(shape, 2).apply_all(shape, &back).unwrap();
    let stuck = back
        .apply_all(
            shape,
            &events(shape, &back, &Verdict::Refused(R), EXHAUSTED),
        )
        .unwrap();
    let skipped = command(shape, &stuck, &Command::Skip, R).unwrap();
    assert_eq!(
        skipped.events,
        [
            Event::Skipped { step: 1, reason: R },
            Event::CompensationStarted { step: 0 }
        ]
    );
    assert!(command(shape, &stuck, &Command::TurnBack, R).is_err());
    assert!(
        command(shape, &back, &Command::Retry, R).is_err(),
        "it is not stuck"
    );
    assert!(
        command(shape, &asked(shape, 1), &Command::TurnBack, R).is_err(),
        "it is not stuck"
    );
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Done),
        1 => Just(Verdict::Refused(R)),
        1 => Just(Verdict::RefusedInPart(R)),
        1 => Just(Verdict::NotNow(R)),
        1 => Just(Verdict::Unknown(R)),
    ]
}

fn any_circumstances() -> impl Strategy<Value = Circumstances> {
    any::<[bool; 4]>().prop_map(|[may_retry, timed_out, in_doubt, compensate_on_timeout]| {
        Circumstances {
            may_retry,
            timed_out,
            in_doubt,
            compensate_on_timeout,
        }
    })
}

fn any_shape() -> impl Strategy<Value = Shape> {
    (1_usize..6, any::<bool>()).prop_flat_map(|(steps, undoable)| {
        proptest::option::of(0..steps).prop_map(move |pivot| shape(steps, pivot, undoable))
    })
}

proptest! {
    /// Whatever comes back, every write is legal, ends with something to ask for or at an end, and
    /// the saga never asks forward after it has asked back.
    #[test]
    fn every_history_is_legal_and_never_waits_for_nothing(
        shape in any_shape(),
        answers in proptest::collection::vec((any_verdict(), any_circumstances()), 0..60),
    ) {
        let mut saga = begin(shape).unwrap().snapshot;
        let mut log = vec![Event::ActionStarted { step: 0 }];
        let mut has_turned = false;
        for (verdict, circumstances) in answers {
            if saga.status.is_final() {
                break;
            }
            let written = if saga.status == Status::Stuck {
                command(shape, &saga, &Command::Retry, R).unwrap()
            } else {
                match react(shape, &saga, &verdict, circumstances).unwrap() {
                    Reaction::Retry => continue,
                    Reaction::Log(written) => written,
                }
            };
            prop_assert!(!written.events.is_empty());
            prop_assert_eq!(&saga.apply_all(shape, &written.events).unwrap(), &written.snapshot);
            for event in &written.events {
                has_turned |= matches!(event, Event::TurnedBack { .. });
                let forward = matches!(event, Event::ActionStarted { .. } | Event::Committed);
                prop_assert!(!(has_turned && forward), "{:?}", written);
            }
            log.extend(written.events);
            saga = written.snapshot;
            let waits = matches!(saga.status, Status::Started | Status::Compensating);
            prop_assert_eq!(waits, saga.ask() != Ask::Nothing);
        }
        prop_assert_eq!(Snapshot::new(shape).apply_all(shape, &log).unwrap(), saga);
    }
}

use super::*;
use crate::answer::Reason;

const R: Reason = Reason::fixed("because");

fn shape(steps: usize, pivot: Option<usize>) -> Shape {
    Shape {
        steps,
        pivot,
        pivot_can_be_undone: false,
    }
}

fn events(steps: usize) -> Vec<Event> {
    let mut events = vec![
        Event::TurnedBack { reason: R },
        Event::Retried { reason: R },
        Event::Committed,
        Event::Compensated,
    ];
    // One step more than there is.
    for step in 0..=steps {
        events.extend([
            Event::ActionStarted { step },
            Event::ActionDone { step },
            Event::ActionFailed { step, reason: R },
            Event::CompensationStarted { step },
            Event::CompensationDone { step },
            Event::Stuck { step, reason: R },
            Event::Skipped { step, reason: R },
        ]);
    }
    events
}

/// Every snapshot of a saga, possible or not.
fn snapshots(steps: usize) -> Vec<Snapshot> {
    let mut all = vec![Vec::new()];
    for _ in 0..steps {
        let longer = |shorter: &Vec<StepState>| {
            let shorter = shorter.clone();
            StepState::ALL
                .into_iter()
                .map(move |state| [shorter.clone(), vec![state]].concat())
        };
        all = all.iter().flat_map(longer).collect();
    }
    let with = |status| {
        all.iter().map(move |steps| Snapshot {
            status,
            steps: steps.clone(),
        })
    };
    Status::ALL.into_iter().flat_map(with).collect()
}

/// Every snapshot that some legal history leads to.
fn reachable(shape: Shape) -> Vec<Snapshot> {
    let mut found = vec![Snapshot::new(shape)];
    let mut next = 0;
    while let Some(snapshot) = found.get(next).cloned() {
        for event in events(shape.steps) {
            if let Ok(after) = snapshot.apply(shape, &event)
                && !found.contains(&after)
            {
                found.push(after);
            }
        }
        next += 1;
    }
    found
}

fn saga(status: Status, steps: &[StepState]) -> Snapshot {
    Snapshot {
        status,
        steps: steps.to_vec(),
    }
}

#[test]
fn statuses_change_only_as_listed() {
    use Status::{Committed, Compensated, Compensating, Started, Stuck};
    let mut seen = std::collections::BTreeSet::new();
    for pivot in [None, Some(0), Some(1)] {
        for before in snapshots(2) {
            for event in events(2) {
                if let Ok(after) = before.apply(shape(2, pivot), &event)
                    && after.status != before.status
                {
                    seen.insert((before.status, after.status));
                }
            }
        }
    }
    let listed = [
        (Started, Compensating),
        (Started, Stuck),
        (Started, Committed),
        (Compensating, Stuck),
        (Compensating, Compensated),
        (Stuck, Started),
        (Stuck, Compensating),
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), {
        let mut listed = listed.to_vec();
        listed.sort_unstable();
        listed
    });
}

#[test]
fn steps_change_only_as_listed() {
    use StepState::{Compensated, Compensating, Done, Failed, Pending, Running, Skipped};
    let mut seen = std::collections::BTreeSet::new();
    for before in snapshots(2) {
        for event in events(2) {
            if let Ok(after) = before.apply(shape(2, None), &event) {
                let pairs = before.steps.iter().zip(&after.steps);
                seen.extend(
                    pairs
                        .filter(|(from, to)| from != to)
                        .map(|(from, to)| (*from, *to)),
                );
            }
        }
    }
    let listed = [
        (Pending, Running),
        (Running, Done),
        (Running, Failed),
        (Running, Compensating),
        (Done, Compensating),
        (Compensating, Compensated),
        (Running, Skipped),
        (Compensating, Skipped),
    ];
    let mut listed = listed.to_vec();
    listed.sort_unstable();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), listed);
}

#[test]
fn what_is_final_never_changes() {
    for before in snapshots(2)
        .into_iter()
        .filter(|saga| saga.status.is_final())
    {
        for event in events(2) {
            assert!(
                before.apply(shape(2, None), &event).is_err(),
                "{before:?} {event:?}"
            );
        }
    }
}

#[test]
fn a_saga_that_has_turned_back_never_asks_for_an_action() {
    for pivot in [None, Some(0), Some(1), Some(2)] {
        let shape = shape(3, pivot);
        for before in reachable(shape) {
            let turned = before.goes_back() || before.status == Status::Compensating;
            for event in events(3).iter().filter(|_| turned) {
                if let Ok(after) = before.apply(shape, event) {
                    assert!(!matches!(after.ask(), Ask::Act(_)), "{before:?} {event:?}");
                    assert_ne!(after.status, Status::Committed, "{before:?} {event:?}");
                }
            }
        }
    }
}

#[test]
fn a_saga_behind_its_pivot_never_turns_back() {
    let shape = shape(3, Some(1));
    for before in reachable(shape) {
        let happened = before.steps[1] == StepState::Done;
        for event in events(3).iter().filter(|_| happened) {
            if let Ok(after) = before.apply(shape, event) {
                assert_ne!(after.status, Status::Compensating, "{before:?} {event:?}");
                assert_ne!(after.status, Status::Compensated, "{before:?} {event:?}");
            }
        }
    }
}

#[test]
fn what_ends_has_nothing_open() {
    for pivot in [None, Some(1)] {
        for saga in reachable(shape(3, pivot)) {
            let all = |states: &[StepState]| saga.steps.iter().all(|step| states.contains(step));
            use StepState::{Compensated, Done, Failed, Pending, Skipped};
            match saga.status {
                Status::Committed => assert!(all(&[Done, Skipped]), "{saga:?}"),
                Status::Compensated => {
                    assert!(all(&[Pending, Failed, Compensated, Skipped]), "{saga:?}")
                }
                Status::Started | Status::Compensating | Status::Stuck => {}
            }
        }
    }
}

#[test]
fn a_pivot_that_may_have_happened_is_neither_stuck_nor_skipped_nor_undone() {
    let asked = saga(Status::Started, &[StepState::Done, StepState::Running]);
    let shape = shape(2, Some(1));
    let stuck = Event::Stuck { step: 1, reason: R };
    assert_eq!(asked.apply(shape, &stuck), Err(IllegalEvent::PivotInDoubt));
    let back = Event::TurnedBack { reason: R };
    assert_eq!(
        asked.apply(shape, &back),
        Err(IllegalEvent::BehindThePivot(back.clone()))
    );
    let undoable = Shape {
        pivot_can_be_undone: true,
        ..shape
    };
    assert!(asked.apply(undoable, &back).is_ok());
    let imagined = saga(Status::Stuck, &[StepState::Done, StepState::Running]);
    let skipped = Event::Skipped { step: 1, reason: R };
    assert_eq!(
        imagined.apply(shape, &skipped),
        Err(IllegalEvent::PivotInDoubt)
    );
}

#[test]
fn steps_are_done_in_order_and_undone_in_reverse() {
    use StepState::{Done, Pending};
    let shape = shape(3, None);
    let early = Event::ActionStarted { step: 1 };
    let fresh = saga(Status::Started, &[Pending; 3]);
    assert_eq!(fresh.apply(shape, &early), Err(IllegalEvent::Order(early)));
    let back = saga(Status::Compensating, &[Done, Done, Pending]);
    let wrong = Event::CompensationStarted { step: 0 };
    assert_eq!(back.apply(shape, &wrong), Err(IllegalEvent::Order(wrong)));
    assert!(
        back.apply(shape, &Event::CompensationStarted { step: 1 })
            .is_ok()
    );
}

#[test]
fn at_most_one_thing_is_asked_for() {
    for pivot in [None, Some(1)] {
        for saga in reachable(shape(3, pivot)) {
            let open =
                |step: &&StepState| matches!(step, StepState::Running | StepState::Compensating);
            assert!(saga.steps.iter().filter(open).count() <= 1, "{saga:?}");
        }
    }
}

//! What is to happen next: the one place where a saga's way is decided.
//!
//! [`react`] turns an answer into the events of one write. They always end with what is asked for
//! next, so that one forced write does for "step 1 is done" and "step 2 is asked for", and a saga
//! read back from its log knows from the snapshot alone what to ask.
//!
//! ```
//! use saga::decide::{Circumstances, Reaction, react};
//! use saga::machine::{Event, Shape, Snapshot};
//! use saga::Verdict;
//!
//! let shape = Shape { steps: 2, pivot: None, pivot_can_be_undone: false };
//! let asked = saga::decide::begin(shape)?;
//! let next = react(shape, &asked.snapshot, &Verdict::Done, Circumstances::default())?;
//! let Reaction::Log(written) = next else { panic!("there is something to write") };
//! assert_eq!(written.events, [Event::ActionDone { step: 0 }, Event::ActionStarted { step: 1 }]);
//! # Ok::<(), saga::machine::IllegalEvent>(())
//! ```

use crate::answer::{Reason, Verdict};
use crate::machine::{Ask, Event, IllegalEvent, Shape, Snapshot, Status, StepState};

#[cfg(test)]
mod tests;

/// Reason of a saga that took longer than it may.
pub const TIMED_OUT: Reason = Reason::fixed("saga_timed_out");

/// What a decision depends on beside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Circumstances {
    /// The step may be asked for again.
    pub may_retry: bool,
    /// The saga has taken longer than it may.
    pub timed_out: bool,
    /// Some attempt at this step may have had an effect that nobody has reported: its answer was
    /// [`Verdict::Unknown`], or its asker is gone. Never forgotten until the step is settled.
    pub in_doubt: bool,
    /// A saga that takes too long goes back; otherwise it is an operator's.
    pub compensate_on_timeout: bool,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self {
            may_retry: true,
            timed_out: false,
            in_doubt: false,
            compensate_on_timeout: true,
        }
    }
}

/// The events of one write, and the saga as it then stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Written {
    /// In order; never empty.
    pub events: Vec<Event>,
    /// The saga after them.
    pub snapshot: Snapshot,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// Wait, and ask for the same again. Nothing is written.
    Retry,
    /// Write this, and only then ask for what it says.
    Log(Written),
}

/// The first write of a saga: its first action is about to be asked for.
///
/// # Errors
/// [`IllegalEvent::NoSuchStep`] where the shape has no steps.
pub fn begin(shape: Shape) -> Result<Written, IllegalEvent> {
    follow(
        shape,
        &Snapshot::new(shape),
        vec![Event::ActionStarted { step: 0 }],
    )
}

/// Takes in the answer to what was asked for.
///
/// # Errors
/// [`IllegalEvent`] where nothing was asked for.
pub fn react(
    shape: Shape,
    saga: &Snapshot,
    verdict: &Verdict,
    circumstances: Circumstances,
) -> Result<Reaction, IllegalEvent> {
    let events = match saga.ask() {
        Ask::Act(step) => action_answered(shape, step, verdict, circumstances),
        Ask::Compensate(step) => compensation_answered(step, verdict, circumstances),
        Ask::Nothing => {
            let unasked = Event::Stuck {
                step: 0,
                reason: Reason::fixed("nothing was asked for"),
            };
            return Err(IllegalEvent::Status(saga.status, unasked));
        }
    };
    match events {
        None => Ok(Reaction::Retry),
        Some(events) => Ok(Reaction::Log(follow(shape, saga, events)?)),
    }
}

/// What an operator can have a stuck saga do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Command {
    /// Try again, in the direction it was going.
    Retry,
    /// Leave the step that is stuck as it is, and go on behind it.
    Skip,
    /// Give up going forward; only before the pivot.
    TurnBack,
}

/// Carries out an operator's command on a stuck saga.
///
/// # Errors
/// [`IllegalEvent`]: it is not stuck, or the command would go back behind the pivot.
pub fn command(
    shape: Shape,
    saga: &Snapshot,
    command: &Command,
    reason: Reason,
) -> Result<Written, IllegalEvent> {
    let event = match command {
        Command::Retry => Event::Retried { reason },
        Command::Skip => Event::Skipped {
            step: saga.current().unwrap_or(shape.steps),
            reason,
        },
        Command::TurnBack if saga.status == Status::Stuck => Event::TurnedBack { reason },
        // Only an answer or a time-out may turn a saga that somebody is driving.
        Command::TurnBack => {
            return Err(IllegalEvent::Status(
                saga.status,
                Event::TurnedBack { reason },
            ));
        }
    };
    follow(shape, saga, vec![event])
}

/// `None`: ask again.
fn action_answered(
    shape: Shape,
    step: usize,
    verdict: &Verdict,
    circumstances: Circumstances,
) -> Option<Vec<Event>> {
    let done = Event::ActionDone { step };
    let position = Position::of(shape, step);
    let late = circumstances.timed_out && circumstances.compensate_on_timeout;
    match (verdict, position) {
        // Late, and there is more to do that need not be begun. The last step is the end: done.
        (Verdict::Done, Position::Before) if late && step + 1 < shape.steps => {
            Some(vec![done, Event::TurnedBack { reason: TIMED_OUT }])
        }
        (Verdict::Done, _) => Some(vec![done]),
        (Verdict::Refused(reason), Position::Before | Position::Pivot) => Some(vec![
            Event::ActionFailed {
                step,
                reason: reason.clone(),
            },
            Event::TurnedBack {
                reason: reason.clone(),
            },
        ]),
        // The step stays as it is asked for, so it is undone like those before it.
        (Verdict::RefusedInPart(reason), Position::Before) => Some(vec![Event::TurnedBack {
            reason: reason.clone(),
        }]),
        // A pivot of which a part may have happened.
        (Verdict::RefusedInPart(_), Position::Pivot) => None,
        (Verdict::Refused(reason) | Verdict::RefusedInPart(reason), Position::After) => {
            Some(stuck(step, reason))
        }
        (Verdict::NotNow(reason) | Verdict::Unknown(reason), position) => {
            let unknown = matches!(verdict, Verdict::Unknown(_)) || circumstances.in_doubt;
            // Whoever could say why it is late has said so.
            let why_late = match verdict {
                Verdict::NotNow(reason) => reason.clone(),
                _ => TIMED_OUT,
            };
            match position {
                Position::Before if circumstances.timed_out => Some(if late {
                    vec![Event::TurnedBack { reason: why_late }]
                } else {
                    stuck(step, &why_late)
                }),
                // A pivot that may have happened is asked for until somebody knows.
                Position::Pivot if unknown || !shape.pivot_can_be_undone => None,
                Position::Pivot if late => Some(vec![Event::TurnedBack { reason: why_late }]),
                Position::Before | Position::Pivot | Position::After if circumstances.may_retry => {
                    None
                }
                Position::Before | Position::Pivot => Some(vec![Event::TurnedBack {
                    reason: reason.clone(),
                }]),
                Position::After => Some(stuck(step, reason)),
            }
        }
    }
}

/// `None`: ask again.
fn compensation_answered(
    step: usize,
    verdict: &Verdict,
    circumstances: Circumstances,
) -> Option<Vec<Event>> {
    match verdict {
        Verdict::Done => Some(vec![Event::CompensationDone { step }]),
        Verdict::Refused(reason) | Verdict::RefusedInPart(reason) => Some(stuck(step, reason)),
        Verdict::NotNow(_) | Verdict::Unknown(_) if circumstances.may_retry => None,
        Verdict::NotNow(reason) | Verdict::Unknown(reason) => Some(stuck(step, reason)),
    }
}

fn stuck(step: usize, reason: &Reason) -> Vec<Event> {
    vec![Event::Stuck {
        step,
        reason: reason.clone(),
    }]
}

/// Applies `events` and what they entail: the next thing to ask for, or the end.
fn follow(shape: Shape, saga: &Snapshot, mut events: Vec<Event>) -> Result<Written, IllegalEvent> {
    let mut snapshot = saga.apply_all(shape, &events)?;
    if let Some(event) = entailed(&snapshot) {
        snapshot = snapshot.apply(shape, &event)?;
        events.push(event);
    }
    Ok(Written { events, snapshot })
}

fn entailed(saga: &Snapshot) -> Option<Event> {
    if saga.ask() != Ask::Nothing {
        return None;
    }
    let mut steps = saga.steps.iter();
    match saga.status {
        Status::Started => Some(match steps.position(|step| *step == StepState::Pending) {
            Some(step) => Event::ActionStarted { step },
            None => Event::Committed,
        }),
        Status::Compensating => {
            let open = |step: &StepState| matches!(step, StepState::Running | StepState::Done);
            Some(match steps.rposition(open) {
                Some(step) => Event::CompensationStarted { step },
                None => Event::Compensated,
            })
        }
        Status::Stuck | Status::Committed | Status::Compensated => None,
    }
}

/// Where a step stands with respect to the pivot. Without a pivot every step can be undone.
#[derive(Clone, Copy)]
enum Position {
    Before,
    Pivot,
    After,
}

impl Position {
    fn of(shape: Shape, step: usize) -> Self {
        match shape.pivot {
            Some(pivot) if step == pivot => Self::Pivot,
            Some(pivot) if step > pivot => Self::After,
            Some(_) | None => Self::Before,
        }
    }
}

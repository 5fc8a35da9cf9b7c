//! The states of a saga and of its steps, and the one total function that changes them.
//!
//! [`Snapshot::apply`] is the whole of it: an event that it does not list for a state is an
//! [`IllegalEvent`], and nothing changes. Which event is to happen is decided in [`crate::decide`].
//!
//! ```text
//! saga  STARTED ──────────────▶ COMMITTED        step  PENDING ─▶ RUNNING ─▶ DONE
//!          │  ▲                                                     │ │        │
//!          │  └────── STUCK ◀──┐                           FAILED ◀─┘ └────────┤
//!          ▼            │      │                                               ▼
//!       COMPENSATING ◀──┘ ─────┘                          COMPENSATED ◀─ COMPENSATING
//!          └──────────────────▶ COMPENSATED         (SKIPPED: by an operator, where stuck)
//! ```

use serde::{Deserialize, Serialize};

mod events;
mod states;
#[cfg(test)]
mod tests;

pub use events::Event;
pub use states::{Status, StepState};

/// What of a definition the machine has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// How many steps there are; at least one.
    pub steps: usize,
    /// The step after which the saga only goes forward.
    pub pivot: Option<usize>,
    /// The pivot has a compensation, so it may be given up while it surely has not happened.
    pub pivot_can_be_undone: bool,
}

/// The event makes no sense in this state. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// The saga's status does not admit it.
    #[error("a saga that is {0:?} does not admit {1:?}")]
    Status(Status, Event),
    /// The step's state does not admit it.
    #[error("a step that is {0:?} does not admit {1:?}")]
    Step(StepState, Event),
    /// Steps are done in order and undone in the reverse order.
    #[error("{0:?} is out of order")]
    Order(Event),
    /// The pivot has happened, or may have: there is no way back.
    #[error("{0:?} would go back behind the pivot")]
    BehindThePivot(Event),
    /// Whether the pivot has happened decides everything else: it is asked for until that is known.
    #[error("whether the pivot has happened has to be found out")]
    PivotInDoubt,
    /// There is no such step.
    #[error("there is no step {0}")]
    NoSuchStep(usize),
}

/// What is asked for, and has been since the last line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The action of this step.
    Act(usize),
    /// The compensation of this step.
    Compensate(usize),
    /// Nothing: it is at its end, or stuck.
    Nothing,
}

/// A saga as its log says it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// The saga's status.
    pub status: Status,
    /// The state of each step, in order.
    pub steps: Vec<StepState>,
}

impl Snapshot {
    /// A saga of which nothing has been asked for.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            status: Status::Started,
            steps: vec![StepState::Pending; shape.steps],
        }
    }

    /// What is asked for now. After a crash it is asked for again, under the same operation id.
    #[must_use]
    pub fn ask(&self) -> Ask {
        let at = |state| self.steps.iter().position(|step| *step == state);
        match self.status {
            Status::Started => at(StepState::Running).map_or(Ask::Nothing, Ask::Act),
            Status::Compensating => {
                at(StepState::Compensating).map_or(Ask::Nothing, Ask::Compensate)
            }
            Status::Stuck | Status::Committed | Status::Compensated => Ask::Nothing,
        }
    }

    /// The step that is asked for or stuck.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        let is_current =
            |step: &StepState| matches!(step, StepState::Running | StepState::Compensating);
        self.steps.iter().position(is_current)
    }

    /// Whether it has turned back: some step is being undone, or was.
    fn goes_back(&self) -> bool {
        self.status == Status::Compensating
            || self.steps.iter().any(|step| {
                matches!(
                    step,
                    StepState::Compensating | StepState::Compensated | StepState::Failed
                )
            })
    }

    /// Whether the pivot has happened, or may have and cannot be undone.
    #[must_use]
    pub fn is_behind_pivot(&self, shape: Shape) -> bool {
        let Some(pivot) = shape.pivot.and_then(|pivot| self.steps.get(pivot)) else {
            return false;
        };
        match pivot {
            StepState::Done | StepState::Skipped => true,
            StepState::Running => !shape.pivot_can_be_undone,
            StepState::Pending
            | StepState::Failed
            | StepState::Compensating
            | StepState::Compensated => false,
        }
    }

    /// The saga after `event`. Total: what is not listed here is refused.
    ///
    /// # Errors
    /// [`IllegalEvent`].
    pub fn apply(&self, shape: Shape, event: &Event) -> Result<Self, IllegalEvent> {
        use StepState as Step;
        let mut next = self.clone();
        let illegal_status = || IllegalEvent::Status(self.status, event.clone());
        match (self.status, event) {
            (Status::Started, Event::ActionStarted { step }) => {
                self.require(*step, &[Step::Pending], event)?;
                let before = &self.steps[..*step];
                if !before
                    .iter()
                    .all(|step| matches!(step, Step::Done | Step::Skipped))
                {
                    return Err(IllegalEvent::Order(event.clone()));
                }
                next.steps[*step] = Step::Running;
            }
            (Status::Started, Event::ActionDone { step }) => {
                self.require(*step, &[Step::Running], event)?;
                next.steps[*step] = Step::Done;
            }
            (Status::Started, Event::ActionFailed { step, .. }) => {
                self.require(*step, &[Step::Running], event)?;
                if shape.pivot.is_some_and(|pivot| *step > pivot) {
                    return Err(IllegalEvent::BehindThePivot(event.clone()));
                }
                next.steps[*step] = Step::Failed;
            }
            (Status::Started | Status::Stuck, Event::TurnedBack { .. }) => {
                if self.status == Status::Stuck && self.goes_back() {
                    return Err(illegal_status());
                }
                if self.is_behind_pivot(shape) {
                    return Err(IllegalEvent::BehindThePivot(event.clone()));
                }
                next.status = Status::Compensating;
            }
            (Status::Compensating, Event::CompensationStarted { step }) => {
                self.require(*step, &[Step::Running, Step::Done], event)?;
                let settled =
                    |step: &Step| !step.may_have_happened() && *step != Step::Compensating;
                if !self.steps[step + 1..].iter().all(settled) {
                    return Err(IllegalEvent::Order(event.clone()));
                }
                next.steps[*step] = Step::Compensating;
            }
            (Status::Compensating, Event::CompensationDone { step }) => {
                self.require(*step, &[Step::Compensating], event)?;
                next.steps[*step] = Step::Compensated;
            }
            (Status::Started, Event::Stuck { step, .. }) => {
                self.require(*step, &[Step::Running], event)?;
                if shape.pivot == Some(*step) {
                    return Err(IllegalEvent::PivotInDoubt);
                }
                next.status = Status::Stuck;
            }
            (Status::Compensating, Event::Stuck { step, .. }) => {
                self.require(*step, &[Step::Compensating], event)?;
                next.status = Status::Stuck;
            }
            (Status::Stuck, Event::Retried { .. }) => next.status = self.direction(),
            (Status::Stuck, Event::Skipped { step, .. }) => {
                if shape.pivot == Some(*step) && !self.goes_back() {
                    return Err(IllegalEvent::PivotInDoubt);
                }
                let stuck = if self.goes_back() {
                    Step::Compensating
                } else {
                    Step::Running
                };
                self.require(*step, &[stuck], event)?;
                next.steps[*step] = Step::Skipped;
                next.status = self.direction();
            }
            (Status::Started, Event::Committed) => {
                let finished = |step: &Step| matches!(step, Step::Done | Step::Skipped);
                if !self.steps.iter().all(finished) {
                    return Err(IllegalEvent::Order(event.clone()));
                }
                next.status = Status::Committed;
            }
            (Status::Compensating, Event::Compensated) => {
                let open = |step: &Step| step.may_have_happened() || *step == Step::Compensating;
                if self.steps.iter().any(open) {
                    return Err(IllegalEvent::Order(event.clone()));
                }
                next.status = Status::Compensated;
            }
            (
                Status::Started,
                Event::CompensationStarted { .. }
                | Event::CompensationDone { .. }
                | Event::Retried { .. }
                | Event::Skipped { .. }
                | Event::Compensated,
            )
            | (
                Status::Compensating,
                Event::ActionStarted { .. }
                | Event::ActionDone { .. }
                | Event::ActionFailed { .. }
                | Event::TurnedBack { .. }
                | Event::Retried { .. }
                | Event::Skipped { .. }
                | Event::Committed,
            )
            | (
                Status::Stuck,
                Event::ActionStarted { .. }
                | Event::ActionDone { .. }
                | Event::ActionFailed { .. }
                | Event::CompensationStarted { .. }
                | Event::CompensationDone { .. }
                | Event::Stuck { .. }
                | Event::Committed
                | Event::Compensated,
            )
            | (Status::Committed | Status::Compensated, _) => return Err(illegal_status()),
        }
        Ok(next)
    }

    /// Applies the events of one write, in order.
    ///
    /// # Errors
    /// The first [`IllegalEvent`].
    pub fn apply_all(&self, shape: Shape, events: &[Event]) -> Result<Self, IllegalEvent> {
        events
            .iter()
            .try_fold(self.clone(), |saga, event| saga.apply(shape, event))
    }

    /// Where a stuck saga goes on: a step being undone shows that it was going back.
    fn direction(&self) -> Status {
        if self.goes_back() {
            Status::Compensating
        } else {
            Status::Started
        }
    }

    fn require(
        &self,
        step: usize,
        states: &[StepState],
        event: &Event,
    ) -> Result<(), IllegalEvent> {
        let state = self.steps.get(step).ok_or(IllegalEvent::NoSuchStep(step))?;
        if states.contains(state) {
            Ok(())
        } else {
            Err(IllegalEvent::Step(*state, event.clone()))
        }
    }
}

//! A saga of a certain shape, with a certain number of faults: what one exploration covers.

use saga::machine::{Shape, Snapshot};
use saga::{Direction, Verdict, decide};
use stateright::{Model, Property};

use crate::mistakes::Mistake;
use crate::state::{
    Action, Faults, Finding, Message, Network, Patience, Performed, Row, State, Work,
};
use crate::{performer, process, properties};

#[derive(Debug, Clone)]
pub struct Scenario {
    pub shape: Shape,
    pub faults: Faults,
    /// Steps that may be refused.
    pub refused: &'static [usize],
    /// Steps whose actions may be told to come again.
    pub locked: &'static [usize],
    pub may_be_late: bool,
    /// Compensations may keep failing.
    pub may_get_stuck: bool,
    pub mistake: Mistake,
}

const fn shape(steps: usize, pivot: Option<usize>, pivot_can_be_undone: bool) -> Shape {
    Shape {
        steps,
        pivot,
        pivot_can_be_undone,
    }
}

const ONE_OF_EACH: Faults = Faults {
    crashes: 1,
    lost_leases: 1,
    retries: 0,
};

impl Scenario {
    pub fn two_steps() -> Self {
        Self {
            shape: shape(2, None, false),
            faults: Faults {
                crashes: 1,
                lost_leases: 0,
                retries: 0,
            },
            refused: &[1],
            locked: &[],
            may_be_late: false,
            may_get_stuck: false,
            mistake: Mistake::None,
        }
    }

    pub fn pivot() -> Self {
        Self {
            shape: shape(2, Some(1), false),
            ..Self::two_steps()
        }
    }

    #[cfg(not(debug_assertions))]
    pub fn three_steps() -> Self {
        Self {
            shape: shape(3, None, false),
            faults: ONE_OF_EACH,
            refused: &[2],
            ..Self::two_steps()
        }
    }

    /// Debit, credit, release: the credit is the pivot.
    #[cfg(not(debug_assertions))]
    pub fn transfer() -> Self {
        Self {
            shape: shape(3, Some(1), false),
            faults: ONE_OF_EACH,
            ..Self::two_steps()
        }
    }

    /// One step, which is the pivot and may be told to come again.
    pub fn undoable_pivot() -> Self {
        Self {
            shape: shape(1, Some(0), true),
            locked: &[0],
            refused: &[0],
            ..Self::two_steps()
        }
    }

    #[cfg(not(debug_assertions))]
    pub fn undoable_pivot_after_a_step() -> Self {
        Self {
            shape: shape(2, Some(1), true),
            locked: &[1],
            ..Self::two_steps()
        }
    }

    #[cfg(not(debug_assertions))]
    pub fn stuck() -> Self {
        Self {
            faults: Faults {
                retries: 1,
                ..ONE_OF_EACH
            },
            may_get_stuck: true,
            ..Self::two_steps()
        }
    }

    #[cfg(not(debug_assertions))]
    pub fn late() -> Self {
        Self {
            faults: ONE_OF_EACH,
            may_be_late: true,
            ..Self::two_steps()
        }
    }

    pub fn stale_owner() -> Self {
        Self {
            faults: ONE_OF_EACH,
            ..Self::two_steps()
        }
    }

    #[cfg(not(debug_assertions))]
    pub fn two_crashes() -> Self {
        Self {
            faults: Faults {
                crashes: 2,
                ..ONE_OF_EACH
            },
            ..Self::two_steps()
        }
    }
}

impl Model for Scenario {
    type State = State;
    type Action = Action;

    /// The saga has just begun.
    fn init_states(&self) -> Vec<State> {
        let begun = decide::begin(self.shape).expect("it has steps");
        let mut state = State {
            row: Row {
                snapshot: Snapshot::new(self.shape),
                sequence: 0,
                epoch: 1,
                owner: 0,
                lease_is_over: false,
                asked: Vec::new(),
                has_turned: false,
                turned_behind_pivot: false,
            },
            processes: [None, None],
            performers: vec![Performed::default(); self.shape.steps],
            network: Network::new(!self.locked.is_empty()),
            faults: self.faults,
        };
        process::write(&mut state.row, &begun);
        let work = Work {
            epoch: 1,
            snapshot: begun.snapshot,
            sequence: state.row.sequence,
            in_doubt: false,
            writing: None,
        };
        process::ask(&mut state.network, &work.snapshot);
        state.processes[0] = Some(work);
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for message in state.network.messages() {
            match message {
                Message::Request(step, direction) => {
                    let mut finds =
                        |finding| actions.push(Action::Performs(*step, *direction, finding));
                    finds(Finding::Possible);
                    let is_action = *direction == Direction::Action;
                    if is_action && self.refused.contains(step) {
                        finds(Finding::Refused);
                    }
                    if (is_action && self.locked.contains(step))
                        || (!is_action && self.may_get_stuck)
                    {
                        finds(Finding::Locked);
                    }
                }
                Message::Answer(step, direction, verdict) => {
                    for process in 0..2 {
                        if process::waits_for(state, process, *step, *direction) {
                            self.hears(process, verdict, actions);
                        }
                    }
                }
                Message::Write(..) => actions.push(Action::Logs(message.clone())),
            }
        }
        for process in 0..2 {
            actions.extend([
                Action::GivesUp(process, Patience::Left),
                Action::GivesUp(process, Patience::Exhausted),
                Action::Confirms(process),
                Action::Claims(process),
                Action::Crashes(process),
                Action::Retried(process),
            ]);
            if self.may_be_late {
                actions.push(Action::GivesUp(process, Patience::Late));
            }
        }
        actions.push(Action::LeaseRunsOut);
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Performs(step, direction, finding) => {
                performer::perform(self, &mut state, step, direction, finding);
            }
            action => process::perform(self, &mut state, &action),
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

impl Scenario {
    fn hears(&self, process: usize, verdict: &Verdict, actions: &mut Vec<Action>) {
        let mut with = |patience| actions.push(Action::Hears(process, verdict.clone(), patience));
        with(Patience::Left);
        if matches!(verdict, Verdict::NotNow(_)) {
            with(Patience::Exhausted);
        }
        if self.may_be_late {
            with(Patience::Late);
        }
    }
}

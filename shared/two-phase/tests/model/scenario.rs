//! A bank of a certain size, with a certain number of faults: what one exploration covers.

use std::sync::Arc;

use stateright::{Model, Property};

use crate::state::{Action, Branch, Faults, Memory, Network, Participant, Site, State, Transfer};
use crate::{coordinator, participant, properties};

/// One exploration.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    /// The balance each participant's one account starts with.
    pub opening: Vec<i64>,
    /// The change each transfer makes at each participant; 0 where it takes no part.
    pub transfers: Vec<Vec<i64>>,
    /// Accounts admit one prepared branch at a time.
    pub exclusive: bool,
    /// Participants in doubt ask each other too, not only coordinators.
    pub peers_may_be_asked: bool,
    pub faults: Faults,
}

/// Two of them, on one database.
const PROCESSES: usize = 2;

impl Scenario {
    /// Who takes part in a transfer.
    pub fn sites(&self, transfer: Transfer) -> impl Iterator<Item = Site> + '_ {
        let changes = self.transfers[transfer].iter().enumerate();
        changes
            .filter(|(_, change)| **change != 0)
            .map(|(site, _)| site)
    }
}

impl Model for Scenario {
    type State = State;
    type Action = Action;

    /// All transfers have been begun, each by another process, and no message was delivered.
    fn init_states(&self) -> Vec<State> {
        let transfers = self.transfers.len();
        let participant = |balance: &i64| {
            Arc::new(Participant {
                up: true,
                balance: *balance,
                pending_debits: 0,
                pending_credits: 0,
                branches: vec![Branch::default(); transfers],
            })
        };
        let memory = Arc::new(Memory {
            up: true,
            work: vec![None; transfers],
        });
        let mut state = State {
            rows: Vec::new(),
            processes: vec![memory; PROCESSES],
            participants: self.opening.iter().map(participant).collect(),
            network: Network::default(),
            told: vec![None; transfers],
            outcome_changed: false,
            faults: self.faults,
        };
        for transfer in 0..transfers {
            coordinator::begin(self, &mut state, transfer % PROCESSES, transfer);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        coordinator::actions(state, actions);
        participant::actions(state, actions);
    }

    /// `None` where nothing changes, so that a state in which nothing can change is an end.
    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        coordinator::perform(self, &mut state, action);
        participant::perform(self, &mut state, action);
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

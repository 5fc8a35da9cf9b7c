//! A bank of a certain size, with a certain number of faults: what one exploration covers.

use std::collections::BTreeMap;
use std::sync::Arc;

use stateright::{Model, Property};
use types::ParticipantId;

use crate::account::Accounts;
use crate::part::{Account, Leg, Part, parts};
use crate::state::{Action, Branch, Faults, Memory, Network, Participant, Site, State, Transfer};
use crate::{bank, coordinator, participant, properties};

/// One exploration.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    /// The banks' names; their order is the order of the indexes.
    pub banks: Vec<ParticipantId>,
    /// The accounts of each bank as they are when nothing has happened yet.
    pub opening: Vec<Accounts>,
    /// What falls to each bank of each transaction; nothing where it takes no part.
    pub parts: Vec<BTreeMap<Site, Part>>,
    /// Participants in doubt ask each other too, not only coordinators.
    pub peers_may_be_asked: bool,
    pub faults: Faults,
}

/// Two of them, on one database.
const PROCESSES: usize = 2;

impl Scenario {
    /// Nothing goes wrong but messages.
    pub fn calm(name: &'static str, accounts: &[Account], transactions: &[Vec<Leg>]) -> Self {
        let sites = accounts.iter().map(|account| account.site + 1).max();
        let sites = sites.expect("there are accounts");
        let banks: Vec<ParticipantId> = (0..sites)
            .map(|site| format!("bank-{site}").parse().expect("a legal name"))
            .collect();
        let opening = (0..sites)
            .map(|site| {
                let here = accounts.iter().enumerate();
                here.filter(|(_, account)| account.site == site)
                    .map(|(number, account)| account.opened(number))
                    .map(|account| (account.account_id, account))
                    .collect()
            })
            .collect();
        let transactions = transactions.iter().enumerate();
        Self {
            name,
            parts: transactions
                .map(|(number, legs)| parts(&banks, accounts, number, legs))
                .collect(),
            banks,
            opening,
            peers_may_be_asked: false,
            faults: Faults::NONE,
        }
    }

    /// The same, with participants that ask each other.
    pub fn with_peers(self) -> Self {
        Self {
            peers_may_be_asked: true,
            ..self
        }
    }

    /// The same, with these faults.
    pub fn with(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Who takes part in a transaction.
    pub fn sites(&self, transfer: Transfer) -> impl Iterator<Item = Site> + '_ {
        self.parts[transfer].keys().copied()
    }

    /// The bank of this name.
    pub fn site(&self, name: &ParticipantId) -> Site {
        let found = self.banks.iter().position(|bank| bank == name);
        found.expect("a bank of this scenario")
    }

    /// Whether durable data may be lost, so that decision and branch may contradict each other.
    pub const fn may_forget(&self) -> bool {
        self.faults.lost_branches > 0
    }
}

impl Model for Scenario {
    type State = State;
    type Action = Action;

    /// All transfers have been begun, each by another process, and no message was delivered.
    fn init_states(&self) -> Vec<State> {
        let transfers = self.parts.len();
        let participant = |accounts: &Accounts| {
            Arc::new(Participant {
                up: true,
                accounts: bank::opening(accounts),
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

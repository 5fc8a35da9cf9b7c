//! Decisions of a list: what is done about each branch.
//!
//! The race it survives: two COMMITs of one branch arrive together, or a COMMIT and an operator's
//! force. Whoever writes has locked the branch's row before it looked at its state, or finishes it
//! only if it is still prepared; so the second sees what the first made of it and books nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{PgConnection, PgPool};
use two_phase::message::{Acknowledgement, Hazard, Outcome};
use two_phase::participant::on_decision;
use two_phase::{BranchState, Effect};
use types::{AccountId, ParticipantId, TransactionId};

use super::alarm::{self, HazardKind};
use super::is_forgotten;
use crate::account::SystemAccount;
use crate::branch::{Branch, Content};
use crate::ledger::{Book, CannotFinish};
use crate::store::branches::Transition;
use crate::store::hazards::NewHazard;
use crate::store::{StoreError, branches};

type Item = (TransactionId, Outcome);

/// The database refuses what was promised: that is on record before it is said.
pub(super) async fn cannot_apply(
    pool: &PgPool,
    id: TransactionId,
    error: &StoreError,
) -> Option<Acknowledgement> {
    let hazard = Hazard::CannotApply;
    let found = HazardKind::Decision(hazard).of(id, Some(error.to_string()));
    match alarm::raise(pool, vec![found]).await {
        Ok(()) => Some(Acknowledgement::Hazard { hazard }),
        Err(error) => {
            tracing::error!(event = "HAZARD_NOT_RECORDED", transaction_id = %id, %error);
            None
        }
    }
}

/// What is known of a branch.
#[derive(Default)]
struct Known {
    state: Option<BranchState>,
    content: Option<Content>,
    /// The tombstone was written just now.
    is_new: bool,
}

/// The decisions of a list, each of another transaction, and what comes of them.
pub(super) struct Decisions {
    items: Vec<Item>,
    known: HashMap<TransactionId, Known>,
    answers: HashMap<TransactionId, Acknowledgement>,
    transitions: BTreeMap<TransactionId, Transition>,
    hazards: Vec<NewHazard>,
    /// For the log.
    moved: Vec<(TransactionId, &'static str)>,
    /// Decisions that met a branch which had been forced, and what it is then.
    results: Vec<(TransactionId, Outcome, BranchState)>,
}

/// Writes tombstones for aborts that came first.
pub(super) async fn insert(
    connection: &mut PgConnection,
    items: Vec<Item>,
) -> Result<Decisions, StoreError> {
    let leaves_tombstone = matches!(on_decision(None, Outcome::Abort).effect, Effect::Tombstone);
    let tombstones: BTreeSet<TransactionId> = items
        .iter()
        .filter(|(id, outcome)| {
            leaves_tombstone && *outcome == Outcome::Abort && !is_forgotten(*id)
        })
        .map(|(id, _)| *id)
        .collect();
    let tombstones: Vec<TransactionId> = tombstones.into_iter().collect();
    let written = branches::insert_tombstones(connection, &tombstones).await?;
    let known = written.into_iter().map(|id| {
        let known = Known {
            is_new: true,
            ..Known::default()
        };
        (id, known)
    });
    Ok(Decisions {
        known: known.collect(),
        ..Decisions::of(items)
    })
}

impl Decisions {
    /// Nothing is known of their branches yet.
    pub(super) fn of(items: Vec<Item>) -> Self {
        Self {
            items,
            known: HashMap::new(),
            answers: HashMap::new(),
            transitions: BTreeMap::new(),
            hazards: Vec::new(),
            moved: Vec::new(),
            results: Vec::new(),
        }
    }

    /// Every branch is prepared, as it nearly always is.
    pub(super) fn are_usual(&self) -> bool {
        self.items.iter().all(|(id, _)| {
            let known = self.known.get(id);
            known.is_some_and(|known| known.state == Some(BranchState::Prepared))
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Those whose branches have to be looked at.
    pub(super) fn known(&self) -> impl Iterator<Item = TransactionId> {
        let ids = self.items.iter().map(|(id, _)| *id);
        ids.filter(|id| !self.known.contains_key(id))
    }

    /// Takes note of a branch that was there.
    pub(super) fn found(&mut self, branch: Branch) {
        let found = Known {
            state: Some(branch.state),
            content: branch.content,
            is_new: false,
        };
        self.known.insert(branch.transaction_id, found);
    }

    /// What is done to the branches that are known, each with what it holds.
    fn effects(&self) -> impl Iterator<Item = (Effect, &Content)> {
        self.items.iter().filter_map(|(id, outcome)| {
            let known = self.known.get(id)?;
            let effect = on_decision(known.state, *outcome).effect;
            Some((effect, known.content.as_ref()?))
        })
    }

    /// The clearing accounts that are booked on.
    pub(super) fn clearing(&self, own: &ParticipantId) -> BTreeSet<SystemAccount> {
        let applied = self
            .effects()
            .filter(|(effect, _)| *effect == Effect::Apply);
        let clearing = applied.flat_map(|(_, content)| content.clearing(own));
        clearing.map(|(account, _)| account).collect()
    }

    /// The accounts whose holds are released.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let finished = self
            .effects()
            .filter(|(effect, _)| matches!(effect, Effect::Apply | Effect::Release));
        let legs = finished.flat_map(|(_, content)| &content.legs);
        legs.map(|leg| leg.account_id)
    }

    /// Carries them out on the accounts, in memory.
    pub(super) fn carry_out(&mut self, book: &mut Book, own: &ParticipantId) {
        for item in std::mem::take(&mut self.items) {
            let acknowledgement = self.decide(item, book, own);
            self.answers.insert(item.0, acknowledgement);
            self.items.push(item);
        }
    }

    pub(super) fn acknowledgement(&self, id: TransactionId) -> Option<Acknowledgement> {
        self.answers.get(&id).copied()
    }

    /// The branches' new states.
    pub(super) fn transitions(&self) -> Vec<Transition> {
        self.transitions.values().copied().collect()
    }

    /// What contradicts.
    pub(super) fn hazards(&self) -> impl Iterator<Item = NewHazard> {
        self.hazards.iter().cloned()
    }

    /// Decisions that met a branch which had been forced, and what it is then.
    pub(super) fn results(&self) -> Vec<(TransactionId, Outcome, BranchState)> {
        self.results.clone()
    }

    /// Logs and counts what was done: it is durable.
    pub(super) fn report(&self) {
        for (transaction_id, event) in &self.moved {
            tracing::info!(event, %transaction_id);
            metrics::counter!("bank_branches_finished_total", "event" => *event).increment(1);
        }
    }

    fn decide(
        &mut self,
        (id, outcome): Item,
        book: &mut Book,
        own: &ParticipantId,
    ) -> Acknowledgement {
        let known = self.known.entry(id).or_default();
        let step = on_decision(known.state, outcome);
        let content = known.content.as_ref();
        let done = match (step.effect, content) {
            (Effect::Nothing | Effect::Tombstone, _) => Ok(()),
            (Effect::Apply, Some(content)) => book.apply(id, content, own),
            (Effect::Release, Some(content)) => book.release(id, content),
            (Effect::Apply | Effect::Release, None) => Err(CannotFinish::NoLegs),
        };
        if let Err(problem) = done {
            let hazard = Hazard::CannotApply;
            let found = HazardKind::Decision(hazard).of(id, Some(problem.to_string()));
            self.hazards.push(found);
            return Acknowledgement::Hazard { hazard };
        }
        match step.acknowledgement {
            Acknowledgement::Done => {}
            Acknowledgement::Mixed => self.hazards.push(HazardKind::Mixed.of(id, None)),
            Acknowledgement::Hazard { hazard } => {
                let state = known.state.map(|state| format!("the branch is {state}"));
                self.hazards
                    .push(HazardKind::Decision(hazard).of(id, state));
            }
        }
        if let (Some(before), Some(state)) = (known.state, step.next)
            && before.is_heuristic()
        {
            self.results.push((id, outcome, state));
        }
        let written = step.effect == Effect::Tombstone;
        if let Some(state) = step.next.filter(|next| known.state != Some(*next)) {
            // A tombstone was inserted as such, or is of an id that nobody writes about.
            if !written {
                let transition = Transition {
                    transaction_id: id,
                    state,
                    reason: None,
                };
                self.transitions.insert(id, transition);
            }
            if !written || known.is_new {
                self.moved.push((id, event(state)));
            }
        }
        step.acknowledgement
    }
}

const fn event(state: BranchState) -> &'static str {
    match state {
        BranchState::Committed => "BRANCH_COMMITTED",
        BranchState::HeuristicMixed => "BRANCH_MIXED",
        _ => "BRANCH_ABORTED",
    }
}

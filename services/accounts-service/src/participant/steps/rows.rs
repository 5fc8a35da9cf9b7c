//! The rows of a list of operations: inserted first, read in a later statement, written at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use saga::Direction;
use saga::barrier::Recorded;
use sqlx::PgConnection;
use two_phase::steps::StepKind;
use types::{OperationId, ParticipantId, TransactionId};

use super::operation::{Operation, PartState, debits};
use super::work::KnownPart;
use crate::branch::Content;
use crate::store::{StoreError, parts, steps};

/// The barrier as a list found it.
pub(super) struct Barrier {
    /// Inserted just now.
    new: BTreeSet<OperationId>,
    recorded: HashMap<OperationId, Recorded>,
}

impl Barrier {
    /// Inserts the row of every operation, and of what it undoes, then reads what was there.
    pub(super) async fn pass(
        connection: &mut PgConnection,
        items: &[Operation],
        forgotten: &BTreeSet<TransactionId>,
    ) -> Result<Self, StoreError> {
        let mut wanted = BTreeMap::new();
        let mut all = BTreeSet::new();
        for item in items {
            for id in [Some(item.id), item.undoes].into_iter().flatten() {
                all.insert(id);
                if !forgotten.contains(&item.transaction_id) {
                    wanted.insert(id, item.transaction_id);
                }
            }
        }
        let new: BTreeSet<OperationId> = steps::insert(connection, &wanted)
            .await?
            .into_iter()
            .collect();
        let known: Vec<OperationId> = all.difference(&new).copied().collect();
        let recorded = steps::read(connection, &known).await?;
        Ok(Self {
            new,
            recorded: recorded.into_iter().collect(),
        })
    }

    /// Whether nothing was recorded of it.
    pub(super) fn is_new(&self, id: OperationId) -> bool {
        self.new.contains(&id)
    }

    /// What was recorded before this list.
    pub(super) fn before(&self) -> HashMap<OperationId, Recorded> {
        self.recorded.clone()
    }

    /// Gives new rows what is recorded of them, and takes back those of which nothing may stay.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        now: &HashMap<OperationId, Recorded>,
    ) -> Result<(), StoreError> {
        let (mut other, mut nothing) = (Vec::new(), Vec::new());
        for id in &self.new {
            match now.get(id) {
                // As it was inserted.
                Some(Recorded::Done) => {}
                Some(recorded) => other.push((*id, recorded)),
                None => nothing.push(*id),
            }
        }
        steps::settle(connection, &other).await?;
        steps::take_back(connection, &nothing).await
    }
}

/// The parts of a list's transactions as it found them.
pub(super) struct Parts {
    /// Inserted just now, in the state that they have if all goes well.
    new: BTreeMap<TransactionId, PartState>,
    known: HashMap<TransactionId, KnownPart>,
}

impl Parts {
    /// Inserts the parts that begin with this list, then locks and reads the others.
    pub(super) async fn find(
        connection: &mut PgConnection,
        items: &[Operation],
        barrier: &Barrier,
        own: &ParticipantId,
    ) -> Result<Self, StoreError> {
        let mut wanted: BTreeMap<TransactionId, (PartState, &Content)> = BTreeMap::new();
        let begin = items.iter().filter(|item| barrier.is_new(item.id));
        for item in begin.filter(|item| item.defect(own).is_none()) {
            if let Some(state) = begins_as(item) {
                wanted
                    .entry(item.transaction_id)
                    .or_insert((state, &item.content));
            }
        }
        let inserted = parts::insert(connection, &wanted).await?;
        let mut new = BTreeMap::new();
        let mut known = HashMap::new();
        for id in inserted {
            let Some((state, content)) = wanted.get(&id) else {
                continue;
            };
            new.insert(id, *state);
            let part = KnownPart {
                state: None,
                content: Some((*content).clone()),
            };
            known.insert(id, part);
        }
        let rest: BTreeSet<TransactionId> = items
            .iter()
            .map(|item| item.transaction_id)
            .filter(|id| !new.contains_key(id))
            .collect();
        for (id, state, content) in parts::lock(connection, &rest).await? {
            let part = KnownPart {
                state: Some(state),
                content: Some(content),
            };
            known.insert(id, part);
        }
        Ok(Self { new, known })
    }

    /// What was known before this list.
    pub(super) fn before(&self) -> HashMap<TransactionId, KnownPart> {
        self.known.clone()
    }

    /// Gives the parts their states, and takes back those that have not begun after all.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        now: &HashMap<TransactionId, KnownPart>,
    ) -> Result<(), StoreError> {
        let (mut changed, mut nothing) = (Vec::new(), Vec::new());
        for (id, part) in now {
            let inserted = self.new.get(id).copied();
            let stands = inserted.or_else(|| self.known.get(id)?.state);
            match part.state {
                Some(state) if stands != Some(state) => changed.push((*id, state)),
                None if inserted.is_some() => nothing.push(*id),
                _ => {}
            }
        }
        parts::set_states(connection, &changed).await?;
        parts::take_back(connection, &nothing).await
    }
}

/// The state in which an operation begins a part, where it may.
fn begins_as(operation: &Operation) -> Option<PartState> {
    let has_debits = debits(&operation.content).next().is_some();
    match (operation.direction(), operation.step) {
        (Direction::Action, StepKind::Debit) => Some(PartState::Debited),
        (Direction::Action, StepKind::Credit) if !has_debits => Some(PartState::Credited),
        _ => None,
    }
}

//! Has this database, or the coordinator's, lost its last commits?
//!
//! The race it survives: a database is put back to an earlier state, or fails over to a copy without
//! its last commits, behind the back of processes that go on. Every list of the coordinator's raises
//! a number here and names the session of the last comparison, in the database transaction that
//! does the list's work; that statement finds nothing to raise once this database is another one
//! than it was when the two were compared. Then the coordinator has to compare again
//! ([`two_phase::numbers`]), and unless both are in step nothing moves between them.
//!
//! A comparison locks every lane first, so it waits for lists of the session before, and sees what
//! they have put on record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_kit::database::{retry_transient, spawned};
use two_phase::message::{Comparison, ComparisonReply, Numbers, Reconciliation};
use two_phase::numbers::{Lanes, Standing, compare};
use types::SessionId;
use types::views::ParticipantState;

use super::{Participant, alarm};
use crate::store::StoreError;
use crate::store::numbers::{self, Pair, Statement};
use crate::store::written::Raise;

/// Lanes of the table: as many lists as are written at once, and one to spare.
const LANES: usize = 8;

/// The list belongs to no comparison that still counts: nothing of it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the two databases have to be compared first")]
pub struct NotInStep;

/// The lanes that are free, and the numbers that are durable and may be said.
#[derive(Clone)]
pub(super) struct OwnNumbers(Arc<Mutex<Inner>>);

struct Inner {
    free: Vec<usize>,
    own: Lanes,
    seen: Lanes,
}

impl OwnNumbers {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            free: (0..LANES).rev().collect(),
            own: Lanes::default(),
            seen: Lanes::default(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane of its own for one list. When none is free two lists share one, and wait.
    pub(super) fn lane(&self) -> Lane {
        let taken = self.inner().free.pop();
        Lane {
            numbers: self.clone(),
            number: taken.unwrap_or(0),
            taken: taken.is_some(),
        }
    }

    /// What may be said to the coordinator under this session.
    pub(super) fn say(&self, session: Option<SessionId>) -> Numbers {
        let inner = self.inner();
        Numbers {
            session,
            own: inner.own.clone(),
            seen: inner.seen.clone(),
        }
    }
}

/// One lane, given back when it is dropped.
pub(super) struct Lane {
    numbers: OwnNumbers,
    number: usize,
    taken: bool,
}

impl Lane {
    /// Raises this lane's number as a part of the caller's database transaction.
    pub(super) async fn raise(
        &self,
        connection: &mut sqlx::PgConnection,
        heard: Option<&Numbers>,
    ) -> Result<Raised, StoreError> {
        let Some(heard) = heard else {
            return Ok(Raised(None));
        };
        match numbers::raise(connection, self.number, heard).await? {
            Some(own) => Ok(Raised(Some((self.number, own, heard.own.clone())))),
            None => Err(StoreError::NotInStep(NotInStep)),
        }
    }

    /// What raises this lane's number in a statement that does the list's work as well.
    pub(super) fn raising(&self, heard: Option<&Numbers>) -> Option<Raise> {
        heard.map(|heard| numbers::raising(self.number, heard))
    }

    /// What such a statement has raised.
    pub(super) fn raised(&self, own: Option<i64>, heard: Option<&Numbers>) -> Raised {
        let own = own.and_then(|own| u64::try_from(own).ok());
        Raised(
            own.zip(heard)
                .map(|(own, heard)| (self.number, own, heard.own.clone())),
        )
    }

    /// Lets the number be said: the database transaction is committed.
    pub(super) fn committed(&self, raised: Raised) {
        if let Some((lane, own, seen)) = raised.0 {
            let mut inner = self.numbers.inner();
            inner.own.raise(lane, own);
            inner.seen.merge(&seen);
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if self.taken {
            self.numbers.inner().free.push(self.number);
        }
    }
}

/// A number that was raised and is not yet committed.
#[must_use = "it may be said after the commit"]
pub(super) struct Raised(Option<(usize, u64, Lanes)>);

impl Participant {
    /// What this database says of itself, in answer to a message that said `heard`.
    #[must_use]
    pub fn numbers(&self, heard: Option<&Numbers>) -> Option<Numbers> {
        heard.map(|heard| self.numbers.say(heard.session))
    }

    /// What this database says of itself when it asks. Without a session when it was started,
    /// replaced or filled anew since the last comparison.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn numbers_to_ask_with(&self) -> Result<Numbers, StoreError> {
        let pool = self.pool.clone();
        let pair = spawned(async move {
            let mut connection = pool.acquire().await?;
            numbers::pair(&mut connection).await
        });
        let session = pair.await?.filter(|pair| pair.is_current);
        Ok(self.numbers.say(session.and_then(|pair| pair.session)))
    }

    /// Compares this database with the coordinator's. What is answered is durable: the session of
    /// two that are in step, or that nothing moves between them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn compare(&self, theirs: Comparison) -> Result<ComparisonReply, StoreError> {
        let participant = self.clone();
        spawned(async move { retry_transient(|| participant.compare_once(&theirs)).await }).await
    }

    async fn compare_once(&self, theirs: &Comparison) -> Result<ComparisonReply, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let ours = numbers::lock(&mut transaction).await?;
        let known = numbers::pair(&mut transaction).await?;
        let found = judge(&ours, known.as_ref(), theirs);
        if known.as_ref() != Some(&found) {
            numbers::write_pair(&mut transaction, &found).await?;
        }
        let open = alarm::count(&mut transaction).await?;
        transaction.commit().await?;
        alarm::show(open);
        if known.is_none_or(|known| known.state != found.state) {
            announce(found.state);
        }
        Ok(self.reply(&found, ours))
    }

    /// Accepts what one of the two databases has lost, by order of two operators. Durable when it
    /// returns: this database's numbers, and a record of who accepted it and why. The same order
    /// again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reconcile(&self, order: Reconciliation) -> Result<ComparisonReply, StoreError> {
        let participant = self.clone();
        spawned(async move { retry_transient(|| participant.reconcile_once(&order)).await }).await
    }

    async fn reconcile_once(&self, order: &Reconciliation) -> Result<ComparisonReply, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mut ours = numbers::lock(&mut transaction).await?;
        let known = numbers::pair(&mut transaction).await?;
        let state = known.as_ref().map_or_else(Default::default, |k| k.state);
        if numbers::accept(&mut transaction, order, &ours.own, state).await? {
            ours.own.merge(&order.comparison.seen);
            if let Some(mut pair) = known.clone() {
                // Another database of the coordinator's counts as the one we know from here on.
                pair.database_id = order.comparison.database_id;
                numbers::write_pair(&mut transaction, &pair).await?;
            }
            tracing::warn!(
                event = "DATABASES_RECONCILED",
                reconciliation_id = %order.reconciliation_id,
                by = %order.confirmed_by,
            );
        }
        transaction.commit().await?;
        let pair = known.unwrap_or_else(|| unknown(&order.comparison));
        Ok(self.reply(&pair, ours))
    }

    fn reply(&self, pair: &Pair, ours: Statement) -> ComparisonReply {
        ComparisonReply {
            participant: self.own.clone(),
            state: pair.state,
            session: pair.session.filter(|_| pair.is_current),
            own: ours.own,
            seen: ours.seen,
        }
    }
}

/// A pair that was never in step.
fn unknown(theirs: &Comparison) -> Pair {
    Pair {
        database_id: theirs.database_id,
        coordinator_incarnation: None,
        own_incarnation: None,
        session: None,
        state: ParticipantState::NotCompared,
        is_current: false,
    }
}

/// How the two databases stand to each other.
fn judge(ours: &Statement, known: Option<&Pair>, theirs: &Comparison) -> Pair {
    let mut pair = known.cloned().unwrap_or_else(|| unknown(theirs));
    let same_database = pair.database_id == theirs.database_id;
    let judged = same_database
        && pair.state == ParticipantState::InStep
        && pair.coordinator_incarnation.as_ref() == Some(&theirs.incarnation);
    // Its database is what it was when it was judged: what seems to be missing is what its other
    // processes have told us since it made this statement.
    let told = if judged { &ours.seen } else { &theirs.own };
    pair.state = match compare(&ours.own, &theirs.seen, told, &ours.seen) {
        Standing::WeAreBehind => ParticipantState::Behind,
        // A database we have never dealt with knows nothing of what we have done for the other.
        Standing::InStep if !same_database => ParticipantState::CoordinatorBehind,
        Standing::TheyAreBehind => ParticipantState::CoordinatorBehind,
        Standing::InStep => ParticipantState::InStep,
    };
    if pair.state != ParticipantState::InStep {
        pair.session = None;
        pair.is_current = false;
        return pair;
    }
    let unchanged = judged && pair.own_incarnation.as_ref() == Some(&ours.incarnation);
    pair.session = pair.session.filter(|_| unchanged);
    pair.session = pair.session.or_else(|| Some(SessionId::generate()));
    pair.coordinator_incarnation = Some(theirs.incarnation.clone());
    pair.own_incarnation = Some(ours.incarnation.clone());
    pair.is_current = true;
    pair
}

fn announce(state: ParticipantState) {
    if state.is_parked() {
        tracing::error!(
            event = "MANUAL_INTERVENTION_REQUIRED",
            hazard = "databases_not_in_step",
            state = state.as_str()
        );
    } else {
        tracing::info!(event = "DATABASES_IN_STEP", state = state.as_str());
    }
}

#[cfg(test)]
mod tests;

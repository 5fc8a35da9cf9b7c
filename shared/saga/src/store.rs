//! The saga log, as an executor sees it. Whoever runs sagas implements [`SagaStore`] over a
//! database of its own.

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decide;
use crate::ids::SagaId;
use crate::machine::{Event, IllegalEvent, Shape, Snapshot};

/// A saga's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Status and steps.
    pub snapshot: Snapshot,
    /// Number of the last line of the log.
    pub sequence: u32,
    /// The typed state as JSON.
    pub state: String,
}

/// One numbered line of the log. Numbers start at 1 and have no gaps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number within the saga.
    pub sequence: u32,
    /// What it says.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    pub(crate) fn number(first: u32, events: Vec<Event>) -> Vec<Self> {
        (first..)
            .zip(events)
            .map(|(sequence, event)| Self { sequence, event })
            .collect()
    }

    pub(crate) fn last(entries: &[Self]) -> u32 {
        entries.last().map_or(0, |entry| entry.sequence)
    }
}

/// A saga that is to begin. Its first action is in the log from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSaga {
    /// Its id.
    pub saga_id: SagaId,
    /// The definition it belongs to.
    pub kind: &'static str,
    /// Its row.
    pub record: Record,
    /// Its first lines.
    pub entries: Vec<Entry>,
}

impl NewSaga {
    /// The first rows of a saga whose steps are told apart by their number alone.
    ///
    /// # Errors
    /// [`IllegalEvent::NoSuchStep`] where the shape has no steps.
    pub fn new(
        saga_id: SagaId,
        kind: &'static str,
        shape: Shape,
        state: String,
    ) -> Result<Self, IllegalEvent> {
        let written = decide::begin(shape)?;
        let entries = Entry::number(1, written.events);
        Ok(Self {
            saga_id,
            kind,
            record: Record {
                snapshot: written.snapshot,
                sequence: Entry::last(&entries),
                state,
            },
            entries,
        })
    }
}

/// One write: some lines of one saga's log and the row they lead to, together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogWrite {
    /// The saga.
    pub saga_id: SagaId,
    /// The writer's epoch; the row must carry it.
    pub epoch: i32,
    /// [`Record::sequence`] of the row before; the row must carry it.
    pub after: u32,
    /// The row's new status and steps.
    pub snapshot: Snapshot,
    /// The row's new state as JSON, where it has changed.
    pub state: Option<String>,
    /// How often this executor has asked for what the first line settles; 0 for an operator's
    /// command. For people to read.
    pub attempts: u32,
    /// The lines; never empty. The last one's number is the row's new sequence.
    pub entries: Vec<Entry>,
}

impl LogWrite {
    /// The row's new sequence.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        Entry::last(&self.entries)
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteResult {
    /// It is durable. Also when it already was: the row carries the write's epoch *and* its new
    /// sequence, so an earlier attempt whose answer was lost has written it.
    Written,
    /// Somebody else has taken the saga over. Nothing was written.
    Fenced,
    /// There is no such saga. Nothing was written.
    Gone,
}

/// A saga that an executor owns from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The saga.
    pub saga_id: SagaId,
    /// The owner's epoch.
    pub epoch: i32,
    /// The row.
    pub record: Record,
    /// How long ago it began, by the store's clock.
    pub age: Duration,
}

/// The log did not answer: whether the write is there is unknown, and repeating it is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the saga log did not answer: {0}")]
pub struct StoreError(pub String);

/// A test or a demonstration wants the executor to stop here, as if its process had died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// A saga log, seen by one process. Everything comes in lists, so that an implementation can put
/// what arrives together into one database transaction.
///
/// A process owns what it begins and what it claims, as long as its lease runs; each change of
/// owner raises the saga's epoch by one. A lease that ends under a living owner costs work, never
/// an effect: the epoch in [`SagaStore::write`] tells the two apart.
pub trait SagaStore: Send + Sync {
    /// Begins sagas, all or none, and gives the epoch of each. Durable when it returns: rows, first
    /// lines, our ownership.
    ///
    /// Repeated for an id that has begun, it changes nothing and gives the epoch again, but only
    /// while the saga is still ours, at its first epoch and its first lines; otherwise `None`,
    /// because two drivers under one epoch could not be told apart.
    fn begin(
        &self,
        sagas: Vec<NewSaga>,
    ) -> impl Future<Output = Result<Vec<Option<i32>>, StoreError>> + Send;

    /// Writes, each item by itself and in the order given. For each item that is
    /// [`WriteResult::Written`] the lines and the row are durable when it returns.
    ///
    /// One compare-and-set on the row: `… WHERE id = $1 AND epoch = $2 AND sequence = $3`. Where it
    /// changes no row, see [`WriteResult`].
    fn write(
        &self,
        writes: Vec<LogWrite>,
    ) -> impl Future<Output = Vec<Result<WriteResult, StoreError>>> + Send;

    /// Renews our lease, then takes over at most `limit` sagas of this kind that are neither final
    /// nor stuck and that nobody drives: their owner's lease is over, or they are ours, not among
    /// `driven`, and older than the moment in which `driven` was looked up. Durable when it returns: our ownership, under epochs of one more.
    ///
    /// With `FOR UPDATE SKIP LOCKED`, or two processes that recover at once wait for each other.
    fn claim(
        &self,
        kind: &str,
        driven: Vec<SagaId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Claimed>, StoreError>> + Send;

    /// Takes one stuck saga of this kind, for an operator's command, whoever owns it. Durable when
    /// it returns: our ownership, under an epoch of one more. `None`: there is none, or it is not
    /// stuck.
    fn take_stuck(
        &self,
        kind: &str,
        saga_id: SagaId,
    ) -> impl Future<Output = Result<Option<Claimed>, StoreError>> + Send;

    /// The failpoint `saga_before_log`: called before each write that an executor makes.
    ///
    /// # Errors
    /// [`Interrupted`]: the executor lets go of the saga, with nothing written.
    fn before_log(
        &self,
        _write: &LogWrite,
    ) -> impl Future<Output = Result<(), Interrupted>> + Send {
        async { Ok(()) }
    }

    /// The failpoint `saga_after_log`: called when a write is durable, before what it asks for.
    ///
    /// # Errors
    /// [`Interrupted`]: the executor lets go of the saga, with the write durable.
    fn after_log(&self, _write: &LogWrite) -> impl Future<Output = Result<(), Interrupted>> + Send {
        async { Ok(()) }
    }
}

//! A saga log and performers in memory, for tests, examples and as models of a service's own.

mod performer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::clock::Clock;
use crate::ids::SagaId;
use crate::machine::Status;
use crate::store::{Claimed, Entry, LogWrite, NewSaga, Record, SagaStore, StoreError, WriteResult};

pub use performer::MemoryPerformer;

const FIRST_EPOCH: i32 = 1;

#[derive(Debug)]
struct Row {
    kind: &'static str,
    owner: u32,
    epoch: i32,
    record: Record,
    log: Vec<Entry>,
    began: Instant,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<SagaId, Row>,
    processes: u32,
    /// Processes whose lease runs.
    alive: BTreeSet<u32>,
    writes: usize,
}

/// The database.
#[derive(Debug, Clone)]
pub struct MemoryDatabase {
    tables: Arc<Mutex<Tables>>,
    clock: Arc<dyn Clock>,
}

/// The database as one process sees it.
#[derive(Debug)]
pub struct MemoryStore {
    database: MemoryDatabase,
    process: u32,
}

impl MemoryDatabase {
    /// An empty one.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            tables: Arc::default(),
            clock,
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process that starts. Its lease runs until [`MemoryStore::end_lease`].
    #[must_use]
    pub fn start_process(&self) -> MemoryStore {
        let mut tables = self.tables();
        tables.processes += 1;
        let process = tables.processes;
        tables.alive.insert(process);
        MemoryStore {
            database: self.clone(),
            process,
        }
    }

    /// A saga's row.
    #[must_use]
    pub fn record(&self, saga_id: SagaId) -> Option<Record> {
        self.tables()
            .rows
            .get(&saga_id)
            .map(|row| row.record.clone())
    }

    /// A saga's log, from its first line.
    #[must_use]
    pub fn log(&self, saga_id: SagaId) -> Vec<Entry> {
        self.tables()
            .rows
            .get(&saga_id)
            .map(|row| row.log.clone())
            .unwrap_or_default()
    }

    /// How many writes there were, the beginnings included.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.tables().writes
    }
}

impl MemoryStore {
    /// The process is taken for dead, whether it is or not.
    pub fn end_lease(&self) {
        self.database.tables().alive.remove(&self.process);
    }
}

fn take(row: &mut Row, saga_id: SagaId, process: u32, now: Instant) -> Claimed {
    row.owner = process;
    row.epoch += 1;
    Claimed {
        saga_id,
        epoch: row.epoch,
        record: row.record.clone(),
        age: now.duration_since(row.began),
    }
}

impl SagaStore for MemoryStore {
    async fn begin(&self, sagas: Vec<NewSaga>) -> Result<Vec<Option<i32>>, StoreError> {
        let began = self.database.clock.now();
        let mut tables = self.database.tables();
        let mut epochs = Vec::with_capacity(sagas.len());
        for saga in sagas {
            tables.writes += 1;
            let sequence = saga.record.sequence;
            let row = tables.rows.entry(saga.saga_id).or_insert_with(|| Row {
                kind: saga.kind,
                owner: self.process,
                epoch: FIRST_EPOCH,
                record: saga.record,
                log: saga.entries,
                began,
            });
            let is_ours = row.owner == self.process
                && row.epoch == FIRST_EPOCH
                && row.record.sequence == sequence;
            epochs.push(is_ours.then_some(FIRST_EPOCH));
        }
        Ok(epochs)
    }

    async fn write(&self, writes: Vec<LogWrite>) -> Vec<Result<WriteResult, StoreError>> {
        let mut tables = self.database.tables();
        writes
            .into_iter()
            .map(|write| {
                tables.writes += 1;
                let Some(row) = tables.rows.get_mut(&write.saga_id) else {
                    return Ok(WriteResult::Gone);
                };
                let sequence = write.sequence();
                if row.epoch != write.epoch {
                    return Ok(WriteResult::Fenced);
                }
                if row.record.sequence == sequence {
                    return Ok(WriteResult::Written);
                }
                if row.record.sequence != write.after {
                    return Ok(WriteResult::Fenced);
                }
                row.record.snapshot = write.snapshot;
                row.record.sequence = sequence;
                if let Some(state) = write.state {
                    row.record.state = state;
                }
                row.log.extend(write.entries);
                Ok(WriteResult::Written)
            })
            .collect()
    }

    async fn claim(
        &self,
        kind: &str,
        driven: Vec<SagaId>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let now = self.database.clock.now();
        let mut tables = self.database.tables();
        let Tables { rows, alive, .. } = &mut *tables;
        alive.insert(self.process);
        let left_behind = rows.iter_mut().filter(|(saga_id, row)| {
            let open = matches!(
                row.record.snapshot.status,
                Status::Started | Status::Compensating
            );
            let driven = if row.owner == self.process {
                driven.contains(saga_id)
            } else {
                alive.contains(&row.owner)
            };
            open && row.kind == kind && !driven
        });
        Ok(left_behind
            .take(limit)
            .map(|(saga_id, row)| take(row, *saga_id, self.process, now))
            .collect())
    }

    async fn take_stuck(&self, kind: &str, saga_id: SagaId) -> Result<Option<Claimed>, StoreError> {
        let now = self.database.clock.now();
        let mut tables = self.database.tables();
        let row = tables.rows.get_mut(&saga_id);
        let row = row.filter(|row| row.kind == kind && row.record.snapshot.status == Status::Stuck);
        Ok(row.map(|row| take(row, saga_id, self.process, now)))
    }
}

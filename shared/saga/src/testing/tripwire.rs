//! A saga log at which a process dies, or is taken over from while it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Subject;
use super::trial::Run;
use crate::ids::SagaId;
use crate::memory::MemoryStore;
use crate::store::{Claimed, Interrupted, LogWrite, NewSaga, SagaStore, StoreError, WriteResult};

/// What happens to a process at one of its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Crash {
    /// Counted from 0, which is the beginning of the saga, for the process that begins it; a
    /// process that takes it over writes from 1.
    pub(super) write: usize,
    pub(super) when: When,
    pub(super) manner: Manner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum When {
    Before,
    After,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Manner {
    /// It is gone.
    Dies,
    /// It is stopped; another one drives the saga to its end; it wakes and goes on.
    Sleeps,
}

pub(super) struct Tripwire<T: Subject> {
    run: Arc<Run<T>>,
    log: MemoryStore,
    crash: Option<Crash>,
    writes: AtomicUsize,
    taken_over: AtomicBool,
}

impl<T: Subject> Tripwire<T> {
    pub(super) fn new(run: &Arc<Run<T>>, crash: Option<Crash>) -> Self {
        Self {
            run: Arc::clone(run),
            log: run.database().start_process(),
            crash,
            writes: AtomicUsize::new(0),
            taken_over: AtomicBool::new(false),
        }
    }

    pub(super) fn end_lease(&self) {
        self.taken_over.store(true, Ordering::SeqCst);
        self.log.end_lease();
    }

    pub(super) fn was_taken_over(&self) -> bool {
        self.taken_over.load(Ordering::SeqCst)
    }

    async fn reached(&self, write: usize, when: When) -> Result<(), Interrupted> {
        match self.crash {
            Some(crash) if crash.write == write && crash.when == when => match crash.manner {
                Manner::Dies => Err(Interrupted),
                Manner::Sleeps => {
                    self.end_lease();
                    // A failure of the others shows in how the saga ends.
                    drop(self.run.process().await);
                    Ok(())
                }
            },
            _ => Ok(()),
        }
    }
}

impl<T: Subject> SagaStore for Tripwire<T> {
    async fn begin(&self, sagas: Vec<NewSaga>) -> Result<Vec<Option<i32>>, StoreError> {
        self.log.begin(sagas).await
    }

    async fn write(&self, writes: Vec<LogWrite>) -> Vec<Result<WriteResult, StoreError>> {
        self.log.write(writes).await
    }

    async fn claim(
        &self,
        kind: &str,
        driven: Vec<SagaId>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.log.claim(kind, driven, limit).await
    }

    async fn take_stuck(&self, kind: &str, saga_id: SagaId) -> Result<Option<Claimed>, StoreError> {
        self.log.take_stuck(kind, saga_id).await
    }

    async fn before_log(&self, _: &LogWrite) -> Result<(), Interrupted> {
        let write = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        self.reached(write, When::Before).await
    }

    async fn after_log(&self, _: &LogWrite) -> Result<(), Interrupted> {
        self.reached(self.writes.load(Ordering::SeqCst), When::After)
            .await
    }
}

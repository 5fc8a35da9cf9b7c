//! A whole saga log, for owners that write nothing else beside it.

use saga::store::{Claimed, Interrupted, LogWrite, NewSaga, StoreError, WriteResult};
use saga::{SagaId, SagaStore};
use service_kit::database::{retry_transient, spawned};
use service_kit::failpoints;
use service_kit::halving::{Part, halve};
use service_kit::lists::{Limits, ListQueue};

use crate::lease::Lease;
use crate::{begin_in, claim, take_stuck, write_in};

/// As for a coordinator's lists: beyond 500 a list costs more latency than it saves commits, and of
/// two lists one forms its statement while the other waits for the disk.
const LIMITS: Limits = Limits {
    max_items: 500,
    max_waiting: 20_000,
    workers: 2,
};

/// The log of one process.
pub struct PgSagaLog {
    lease: Lease,
    writes: ListQueue<LogWrite, Result<WriteResult, StoreError>>,
}

/// The log did not answer.
pub fn store_error(error: impl std::fmt::Display) -> StoreError {
    StoreError(error.to_string())
}

impl PgSagaLog {
    /// The log of the process whose lease this is.
    #[must_use]
    pub fn new(lease: Lease) -> Self {
        let pool = lease.pool().clone();
        let writes = ListQueue::new("saga_log", LIMITS, move |writes: Vec<LogWrite>| {
            let pool = pool.clone();
            async move {
                let parts = halve(&writes, |writes| {
                    let pool = pool.clone();
                    async move {
                        let mut database_transaction = pool.begin().await?;
                        let wrote = write_in(&mut database_transaction, &writes).await?;
                        database_transaction.commit().await?;
                        Ok::<_, sqlx::Error>(wrote)
                    }
                });
                let mut results = Vec::with_capacity(writes.len());
                for (length, part) in parts.await {
                    match part {
                        Part::Done(wrote) => {
                            results.extend(wrote.into_iter().map(|wrote| Ok(wrote.into())));
                        }
                        Part::Refused(error) | Part::Unknown(error) => {
                            results.extend((0..length).map(|_| Err(store_error(&error))));
                        }
                    }
                }
                results
            }
        });
        Self { lease, writes }
    }

    /// The lease, for whoever stops the process.
    #[must_use]
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }
}

impl SagaStore for PgSagaLog {
    async fn begin(&self, sagas: Vec<NewSaga>) -> Result<Vec<Option<i32>>, StoreError> {
        let lease = self.lease.clone();
        let begun = spawned(async move {
            retry_transient(|| async {
                let mut database_transaction = lease.pool().begin().await?;
                let epochs = begin_in(&mut database_transaction, lease.executor(), &sagas).await?;
                database_transaction.commit().await?;
                Ok::<_, sqlx::Error>(epochs)
            })
            .await
        });
        begun.await.map_err(store_error)
    }

    async fn write(&self, writes: Vec<LogWrite>) -> Vec<Result<WriteResult, StoreError>> {
        let answers = self.writes.submit_all(writes).await;
        let flat = |answer: Result<_, _>| answer.map_err(store_error)?;
        answers.into_iter().map(flat).collect()
    }

    async fn claim(
        &self,
        kind: &str,
        driven: Vec<SagaId>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        let (lease, kind) = (self.lease.clone(), kind.to_owned());
        let claimed = spawned(async move { claim(&lease, &kind, &driven, limit).await });
        claimed.await.map_err(store_error)
    }

    async fn take_stuck(&self, kind: &str, saga_id: SagaId) -> Result<Option<Claimed>, StoreError> {
        let (lease, kind) = (self.lease.clone(), kind.to_owned());
        let taken = spawned(async move { take_stuck(&lease, &kind, saga_id).await });
        taken.await.map_err(store_error)
    }

    async fn before_log(&self, _: &LogWrite) -> Result<(), Interrupted> {
        failpoints::hit("saga_before_log")
            .await
            .map_err(|_| Interrupted)
    }

    async fn after_log(&self, _: &LogWrite) -> Result<(), Interrupted> {
        failpoints::hit("saga_after_log")
            .await
            .map_err(|_| Interrupted)
    }
}

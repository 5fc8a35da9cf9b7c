//! What is long finished here is deleted: branches, parts of sagas, what was recorded of their steps,
//! and requests with their keys. The ledger stays.
//!
//! The race it survives: a decision that is old and not delivered everywhere is sent once more, or a
//! transaction that operators look at is asked about, after its branch was deleted for its age; that
//! would look like lost data. So the coordinator is asked first, and names those that it is not done
//! with ([`two_phase::retention`]); when it does not answer, or one of the two databases may have
//! lost its last commits, nothing is deleted. And a message that is older than all this meets the
//! deletion itself: the row is locked by one of them, and whoever comes second finds it gone, and an
//! id that is so old that nothing is written about it.

use std::collections::BTreeSet;
use std::time::Duration;

use service_kit::client::ServiceClient;
use service_kit::database::{retry_transient, spawned};
use service_kit::retention::{BATCH, Deleted, Sweeper, first_id_since, since_1970};
use sqlx::PgPool;
use two_phase::message::InquiryList;
use two_phase::retention::{Unfinished, age};
use types::TransactionId;
use uuid::Uuid;

use super::Participant;
use crate::store::StoreError;
use crate::store::retention::{self as store, Old};

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum NotDeleted {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No coordinator says what it is done with.
    #[error("no coordinator says what it is done with: {0}")]
    Silence(String),
}

/// What the coordinator is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Branches,
    Sagas,
}

impl Kind {
    /// Transactions of one batch. A saga has a part here and up to six operations.
    const fn most(self) -> usize {
        match self {
            Self::Branches => BATCH,
            Self::Sagas => BATCH / 7,
        }
    }

    async fn find(self, pool: PgPool, old: Old, last: Uuid) -> Result<Ids, StoreError> {
        spawned(async move {
            let mut connection = pool.acquire().await?;
            let most = limit(self.most());
            match self {
                Self::Branches => store::old_branches(&mut connection, &old, last, most).await,
                Self::Sagas => store::old_sagas(&mut connection, &old, last, most).await,
            }
        })
        .await
    }

    async fn delete(self, pool: PgPool, old: Old, ids: Ids) -> Result<Deleted, StoreError> {
        spawned(async move { retry_transient(|| self.delete_once(&pool, &old, &ids)).await }).await
    }

    async fn delete_once(
        self,
        pool: &PgPool,
        old: &Old,
        ids: &[TransactionId],
    ) -> Result<Deleted, StoreError> {
        let mut transaction = pool.begin().await?;
        let deleted = match self {
            Self::Branches => {
                let rows = store::delete_branches(&mut transaction, old, ids).await?;
                Deleted::of("branches", rows)
            }
            Self::Sagas => {
                // A step that is asked for meanwhile looks for the part first.
                let parts = store::delete_parts(&mut transaction, old, ids).await?;
                let rows = store::delete_operations(&mut transaction, old, ids).await?;
                Deleted::of("saga_parts", parts).and("saga_operations", rows)
            }
        };
        transaction.commit().await?;
        Ok(deleted)
    }
}

type Ids = Vec<TransactionId>;

/// How far a sweep has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Requests,
    /// Behind this transaction.
    Of(Kind, Uuid),
    Over,
}

impl Stage {
    /// After a batch of transactions: the next of their kind, or the next kind.
    fn after(kind: Kind, found: &[TransactionId]) -> Self {
        match (found.last(), kind) {
            (Some(last), _) if found.len() >= kind.most() => Self::Of(kind, last.uuid()),
            (_, Kind::Branches) => Self::Of(Kind::Sagas, Uuid::nil()),
            (_, Kind::Sagas) => Self::Over,
        }
    }
}

/// Deletes what is old, batch by batch.
pub struct Cleaner {
    participant: Participant,
    coordinators: Vec<ServiceClient>,
    kept_for: Duration,
    stage: Stage,
}

impl Cleaner {
    /// Deletes what was finished longer than `kept_for` ago, asking any of `coordinators`, which all
    /// stand on one database.
    #[must_use]
    pub const fn new(
        participant: Participant,
        coordinators: Vec<ServiceClient>,
        kept_for: Duration,
    ) -> Self {
        Self {
            participant,
            coordinators,
            kept_for,
            stage: Stage::Requests,
        }
    }

    fn pool(&self) -> PgPool {
        self.participant.pool().clone()
    }

    async fn requests(&self, old: Old) -> Result<u64, StoreError> {
        let pool = self.pool();
        spawned(async move {
            let mut connection = pool.acquire().await?;
            store::delete_requests(&mut connection, &old, limit(BATCH)).await
        })
        .await
    }

    /// Those that the coordinator is done with, too; asked of the first one that answers.
    async fn done(&self, ids: Ids) -> Result<Ids, NotDeleted> {
        let now = since_1970();
        let is_old = |id: &TransactionId| age(*id, now).is_some_and(|age| age > self.kept_for);
        let asked: Ids = ids.into_iter().filter(is_old).collect();
        if asked.is_empty() {
            return Ok(asked);
        }
        let question = InquiryList {
            participant: self.participant.name().clone(),
            items: asked.clone(),
            numbers: Some(self.participant.numbers_to_ask_with().await?),
        };
        let mut silence = "none is configured".to_owned();
        for coordinator in &self.coordinators {
            let answer = coordinator.post("/internal/unfinished", &question).await;
            match answer {
                Ok(unfinished) => return Ok(without(asked, unfinished)),
                Err(error) => silence = error.to_string(),
            }
        }
        Err(NotDeleted::Silence(silence))
    }
}

fn without(asked: Ids, unfinished: Unfinished) -> Ids {
    let kept: BTreeSet<TransactionId> = unfinished.items.into_iter().collect();
    asked.into_iter().filter(|id| !kept.contains(id)).collect()
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

impl Sweeper for Cleaner {
    type Error = NotDeleted;

    async fn batch(&mut self) -> Result<Option<Deleted>, NotDeleted> {
        let old = Old::new(first_id_since(self.kept_for), self.kept_for)?;
        // Whatever fails, the next batch is the first one of a new sweep.
        match std::mem::replace(&mut self.stage, Stage::Requests) {
            Stage::Requests => {
                let rows = self.requests(old).await?;
                if rows < BATCH as u64 {
                    self.stage = Stage::Of(Kind::Branches, Uuid::nil());
                }
                Ok(Some(Deleted::of("idempotency_keys", rows)))
            }
            Stage::Of(kind, last) => {
                let found = kind.find(self.pool(), old.clone(), last).await?;
                let next = Stage::after(kind, &found);
                let done = self.done(found).await?;
                let deleted = kind.delete(self.pool(), old, done).await?;
                self.stage = next;
                Ok(Some(deleted))
            }
            Stage::Over => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(count: usize) -> Ids {
        (0..count).map(|_| TransactionId::generate()).collect()
    }

    #[test]
    fn a_sweep_goes_on_behind_a_full_batch_even_when_nothing_of_it_may_be_deleted() {
        let full = ids(BATCH);
        let last = full[BATCH - 1].uuid();
        let next = Stage::after(Kind::Branches, &full);
        assert_eq!(next, Stage::Of(Kind::Branches, last));
        let next = Stage::after(Kind::Branches, &full[1..]);
        assert_eq!(next, Stage::Of(Kind::Sagas, Uuid::nil()));
        assert_eq!(Stage::after(Kind::Sagas, &[]), Stage::Over);
    }

    #[test]
    fn what_the_coordinator_is_not_done_with_is_kept() {
        let asked = ids(3);
        let unfinished = Unfinished {
            items: vec![asked[1], TransactionId::generate()],
            numbers: None,
        };
        let done = without(asked.clone(), unfinished);
        assert_eq!(done, [asked[0], asked[2]]);
    }
}

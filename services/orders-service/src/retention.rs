//! What is long finished is deleted: keys, and what was recorded of the steps of sagas that are over.
//! Orders stay, with their sagas, which a cancellation begins from.
//!
//! The race it survives: a saga that was stuck for weeks is tried again while what was recorded of
//! its steps is deleted, and a step happens twice. A saga that is not over keeps its rows; they are
//! named by their ids, which follow from the saga's and the steps' names. And a step of a saga that
//! is over, asked for by a process that slept for a week, finds the order in a state that the step
//! does not begin from.

use std::time::Duration;

use service_kit::database::spawned;
use service_kit::retention::{BATCH, Deleted, Sweeper, first_id_since};
use sqlx::PgPool;

use crate::error::Error;
use crate::store::retention as store;

/// How far a sweep has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Keys,
    Operations,
    Over,
}

/// Deletes what is old, batch by batch.
pub(crate) struct Cleaner {
    pool: PgPool,
    steps: Vec<&'static str>,
    kept_for: Duration,
    stage: Stage,
}

impl Cleaner {
    /// Deletes what is older than `kept_for`. `steps`: the names of the steps of all sagas.
    pub(crate) const fn new(pool: PgPool, steps: Vec<&'static str>, kept_for: Duration) -> Self {
        Self {
            pool,
            steps,
            kept_for,
            stage: Stage::Keys,
        }
    }

    async fn keys(&self) -> Result<u64, Error> {
        let (pool, kept_for) = (self.pool.clone(), self.kept_for);
        spawned(async move {
            let before = first_id_since(kept_for);
            Ok(store::delete_keys(&pool, before, kept_for, limit()).await?)
        })
        .await
    }

    async fn operations(&self) -> Result<u64, Error> {
        let (pool, kept_for, steps) = (self.pool.clone(), self.kept_for, self.steps.clone());
        spawned(async move {
            let mut transaction = pool.begin().await?;
            let open = store::open_operations(&mut transaction, &steps).await?;
            let rows = store::delete_operations(&mut transaction, &open, kept_for, limit()).await?;
            transaction.commit().await?;
            Ok(rows)
        })
        .await
    }
}

fn limit() -> i64 {
    i64::try_from(BATCH).unwrap_or(i64::MAX)
}

impl Sweeper for Cleaner {
    type Error = Error;

    async fn batch(&mut self) -> Result<Option<Deleted>, Error> {
        // Whatever fails, the next batch is the first one of a new sweep.
        let stage = std::mem::replace(&mut self.stage, Stage::Keys);
        let (table, rows, next) = match stage {
            Stage::Keys => ("idempotency_keys", self.keys().await?, Stage::Operations),
            Stage::Operations => ("order_operations", self.operations().await?, Stage::Over),
            Stage::Over => return Ok(None),
        };
        self.stage = if rows < BATCH as u64 { next } else { stage };
        Ok(Some(Deleted::of(table, rows)))
    }
}

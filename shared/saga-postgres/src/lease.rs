//! Which processes are alive: one lease each, by the database's clock, for every saga it owns.
//!
//! A lease only makes things finish. That two processes believe they own a saga costs work, not an
//! effect: the epoch in the compare-and-set tells them apart.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

/// A process that runs sagas, from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExecutorId(Uuid);

impl ExecutorId {
    /// For the column `owner`.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// An executor's lease. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lease {
    pool: PgPool,
    executor: ExecutorId,
    name: String,
    length: Duration,
}

pub(crate) fn interval(length: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX),
    }
}

impl Lease {
    /// Registers a process that starts, and ends the lease of its former self: a process of the same
    /// name that starts again knows that the one before is gone.
    ///
    /// Durable when it returns: both.
    ///
    /// # Errors
    /// Any database error.
    pub async fn register(pool: PgPool, name: &str, length: Duration) -> Result<Self, sqlx::Error> {
        let executor = ExecutorId(Uuid::now_v7());
        let mut database_transaction = pool.begin().await?;
        sqlx::query(
            "UPDATE saga_executors SET lease_until = now() - interval '1 hour' WHERE name = $1",
        )
        .bind(name)
        .execute(&mut *database_transaction)
        .await?;
        sqlx::query(
            "INSERT INTO saga_executors (executor_id, name, lease_until)
             VALUES ($1, $2, now() + $3)",
        )
        .bind(executor.0)
        .bind(name)
        .bind(interval(length))
        .execute(&mut *database_transaction)
        .await?;
        database_transaction.commit().await?;
        Ok(Self {
            pool,
            executor,
            name: name.to_owned(),
            length,
        })
    }

    /// Whose it is.
    #[must_use]
    pub const fn executor(&self) -> ExecutorId {
        self.executor
    }

    /// How long it runs from one renewal. The same in every process of a database: one that runs
    /// further ahead than that was given before the clock was set back, and counts as over.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.length
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Renews it, by the database's clock. Durable when it returns: that.
    ///
    /// # Errors
    /// Any database error.
    pub async fn renew(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO saga_executors (executor_id, name, lease_until)
             VALUES ($1, $2, now() + $3)
             ON CONFLICT (executor_id) DO UPDATE SET lease_until = excluded.lease_until",
        )
        .bind(self.executor.0)
        .bind(&self.name)
        .bind(interval(self.length))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Ends it, when a process stops in good order: others go on at once with what is left.
    /// Durable when it returns: that.
    ///
    /// # Errors
    /// Any database error.
    pub async fn release(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE saga_executors SET lease_until = now() - interval '1 hour'
             WHERE executor_id = $1",
        )
        .bind(self.executor.0)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

//! Waiting until the coordinator has nothing left to do.

use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::failure::Failure;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Given up after this.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection to the coordinator's database, opened and warmed before the load begins: what it
/// does while it waits counts as a part of the measurement.
pub struct Drain {
    database: PgConnection,
}

impl Drain {
    /// Takes a connection to the coordinator's database.
    ///
    /// # Errors
    /// Any database error.
    pub async fn over(mut database: PgConnection) -> Result<Self, Failure> {
        // By the index of what is open, always. A planner that has seen many open ones expects to
        // find one soon and reads the table, all of it when none is left; and only this way of
        // reading an index marks the entries of what is done, so that the next look skips them.
        let sql = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off";
        sqlx::raw_sql(sql).execute(&mut database).await?;
        let mut drain = Self { database };
        drain.is_done().await?;
        Ok(drain)
    }

    /// Whether every transaction is done.
    ///
    /// # Errors
    /// Any database error.
    pub async fn is_done(&mut self) -> Result<bool, Failure> {
        let sql = "SELECT NOT EXISTS (SELECT FROM transactions WHERE settled_at IS NULL)";
        let query = sqlx::query_scalar(sql);
        Ok(query.fetch_one(&mut self.database).await?)
    }

    /// Waits until every transaction is done.
    ///
    /// # Errors
    /// When that takes over a minute.
    pub async fn wait(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        while !self.is_done().await? {
            if began.elapsed() > PATIENCE {
                return Err(Failure::new("transactions stay open"));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

//! The number to beat: pgbench doing the same transfers in one database, five statements each,
//! prepared, in the same PostgreSQL instance as the bank.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use stack::postgres::Binaries;
use tokio::process::Command;

use crate::failure::Failure;
use crate::large::Indexes;

/// What pgbench is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Lock both rows in order, two balances, two ledger rows, one transfer row.
    Statements,
    /// The same, everybody paying one account.
    Hot,
    /// The same as one stored function.
    Function,
    /// Five hundred transfers in set-based statements.
    Batch,
}

impl Script {
    const fn text(self) -> &'static str {
        match self {
            Self::Statements => include_str!("../sql/statements.pgbench"),
            Self::Hot => include_str!("../sql/hot.pgbench"),
            Self::Function => include_str!("../sql/function.pgbench"),
            Self::Batch => include_str!("../sql/batch.pgbench"),
        }
    }

    const fn transfers(self) -> f64 {
        match self {
            Self::Batch => 500.0,
            Self::Statements | Self::Hot | Self::Function => 1.0,
        }
    }
}

/// What pgbench said.
#[derive(Debug, Clone, Copy)]
pub struct Speed {
    /// Transfers per second.
    pub rate: f64,
    /// Average, in milliseconds.
    pub latency: f64,
}

/// A database of its own beside those of the bank.
#[derive(Debug, Clone)]
pub struct Yardstick {
    program: PathBuf,
    url: String,
    accounts: u64,
    scripts: PathBuf,
}

impl Yardstick {
    /// Makes the database and its accounts in the instance of `server_url`.
    ///
    /// # Errors
    /// When pgbench is missing, or any database error.
    pub async fn make(server_url: &str, accounts: u64, scripts: PathBuf) -> Result<Self, Failure> {
        let binaries =
            Binaries::find(None).ok_or_else(|| Failure::new("there is no PostgreSQL"))?;
        let mut server = PgConnection::connect(server_url).await?;
        for sql in [
            "DROP DATABASE IF EXISTS yardstick",
            "CREATE DATABASE yardstick",
        ] {
            sqlx::query(sql).execute(&mut server).await?;
        }
        let base = server_url
            .rsplit_once('/')
            .map_or(server_url, |(base, _)| base);
        let yardstick = Self {
            program: binaries.program("pgbench"),
            url: format!("{base}/yardstick"),
            accounts,
            scripts,
        };
        let mut database = PgConnection::connect(&yardstick.url).await?;
        let schema = include_str!("../sql/yardstick.sql");
        sqlx::raw_sql(schema).execute(&mut database).await?;
        sqlx::query(
            "INSERT INTO accounts (account_id, balance)
             SELECT n, 1000000 FROM generate_series(1, $1::bigint) AS n",
        )
        .bind(accounts.cast_signed())
        .execute(&mut database)
        .await?;
        sqlx::query("VACUUM (ANALYZE)")
            .execute(&mut database)
            .await?;
        Ok(yardstick)
    }

    /// Gives it so many old transfers, with their ledger rows.
    ///
    /// # Errors
    /// Any database error.
    pub async fn age(&self, transfers: u64) -> Result<(), Failure> {
        let mut database = PgConnection::connect(&self.url).await?;
        database
            .execute(
                "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET jit = off",
            )
            .await?;
        let indexes = Indexes::take_away(&mut database, "ledger_entries").await?;
        for sql in [
            include_str!("../sql/large/yardstick_transfers.sql"),
            include_str!("../sql/large/yardstick_entries.sql"),
        ] {
            sqlx::query(sql)
                .bind(transfers.cast_signed())
                .bind(self.accounts.cast_signed())
                .execute(&mut database)
                .await?;
        }
        indexes.put_back(&mut database).await?;
        database.execute("VACUUM (ANALYZE)").await?;
        Ok(())
    }

    /// The same with fewer of its accounts taking part.
    #[must_use]
    pub fn among(&self, accounts: u64) -> Self {
        Self {
            accounts,
            ..self.clone()
        }
    }

    /// Runs a script over so many connections.
    ///
    /// # Errors
    /// When pgbench fails or says nothing that can be read.
    pub async fn run(
        &self,
        script: Script,
        connections: usize,
        duration: Duration,
    ) -> Result<Speed, Failure> {
        let file = self.scripts.join("yardstick.pgbench");
        std::fs::write(&file, script.text())?;
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol=prepared"])
            .arg(format!("--client={connections}"))
            .arg(format!("--jobs={}", connections.min(2)))
            .arg(format!("--time={}", duration.as_secs().max(1)))
            .arg(format!("--define=accounts={}", self.accounts))
            .arg("--file")
            .arg(&file)
            .arg(&self.url);
        let output = command.output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("pgbench: {words}")));
        }
        let rate = number_after(&text, "tps = ");
        let latency = number_after(&text, "latency average = ");
        let (Some(rate), Some(latency)) = (rate, latency) else {
            return Err(Failure::new(format!("pgbench said {text}")));
        };
        Ok(Speed {
            rate: rate * script.transfers(),
            latency,
        })
    }

    /// Finds out which number of connections is best for it: it is compared at its best.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn best_connections(
        &self,
        script: Script,
        duration: Duration,
        told: &(dyn Fn(usize, Speed) + Send + Sync),
    ) -> Result<usize, Failure> {
        let mut best = (0, 0.0);
        for connections in [8, 16, 32, 64] {
            let speed = self.run(script, connections, duration).await?;
            told(connections, speed);
            if speed.rate > best.1 {
                best = (connections, speed.rate);
            }
        }
        Ok(best.0)
    }
}

fn number_after(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    let number: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_pgbench_is_read() {
        let text = "latency average = 3.551 ms\ninitial connection time = 12.1 ms\n\
                    tps = 4505.251 (without initial connection time)\n";
        assert_eq!(number_after(text, "tps = "), Some(4505.251));
        assert_eq!(number_after(text, "latency average = "), Some(3.551));
        assert_eq!(number_after("nothing", "tps = "), None);
    }
}

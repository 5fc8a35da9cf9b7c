//! Fills a bank with what it has after a long time: many accounts and many settled transfers, written
//! into the databases as the services would have left them behind.
//!
//! The services are stopped meanwhile: what they look for from time to time would be looked for
//! without an index.

use std::time::Duration;

use chrono::Utc;
use indicatif::ProgressBar;
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use uuid::Uuid;

use super::indexes::Indexes;
use super::schedule::Schedule;
use crate::accounts::{Standing, sql_id};
use crate::bank::{ACCOUNTS, Measurable, TRANSACTIONS};
use crate::failure::Failure;

/// Written with one statement.
const CHUNK: u64 = 250_000;

/// The old transfers are spread over this time before now: keys are kept for a week, so that none of
/// it is swept out while it is measured.
const SPAN: Duration = Duration::from_hours(6 * 24);

/// What is written for old transfers, by database.
const AT_THE_BANK: [&str; 2] = [
    include_str!("../../sql/large/branches.sql"),
    include_str!("../../sql/large/entries.sql"),
];
const AT_THE_COORDINATOR: [&str; 3] = [
    include_str!("../../sql/large/keys.sql"),
    include_str!("../../sql/large/transactions.sql"),
    include_str!("../../sql/large/legs.sql"),
];

/// Tables whose rows come in another order than their indexes.
const LEDGER: [&str; 1] = ["ledger_entries"];
const REQUESTS: [&str; 2] = ["idempotency_keys", "transfer_legs"];

/// What one connection is told while it fills. Nothing has to survive a crash yet.
const IN_BULK: &str = "SET synchronous_commit = off; SET maintenance_work_mem = '1GB';
                       SET work_mem = '64MB'; SET jit = off";

/// When the old transfers were.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Of the first, in milliseconds since 1970.
    pub first: i64,
    /// From the first to the last, in milliseconds.
    pub span: i64,
}

impl Times {
    fn until_now() -> Self {
        let span = i64::try_from(SPAN.as_millis()).unwrap_or(i64::MAX);
        Self {
            first: Utc::now().timestamp_millis() - span,
            span,
        }
    }

    /// The id of an old transfer: a UUID of version 7, as `benches/sql/large/transfers.sql` makes it.
    pub fn id(self, transfer: u64, of: u64) -> Uuid {
        let share = i128::from(transfer) * i128::from(self.span) / i128::from(of.max(1));
        let millisecond = i128::from(self.first) + share;
        let millisecond = u128::try_from(millisecond).unwrap_or(0);
        Uuid::from_u128(millisecond << 80 | 0x7000_8000 << 48 | u128::from(transfer))
    }
}

/// Units of `bar` that [`fill`] takes.
pub fn length(accounts: u64, transfers: u64) -> u64 {
    let statements = AT_THE_BANK.len() + AT_THE_COORDINATOR.len();
    accounts + transfers * u64::try_from(statements).unwrap_or(1)
}

/// Fills an empty bank and tells when its transfers were.
///
/// # Errors
/// Any database error, or when the services do not stop or start.
pub async fn fill(
    bank: &Measurable,
    schedule: Schedule,
    bar: &ProgressBar,
) -> Result<Times, Failure> {
    let times = Times::until_now();
    bank.open_vault(1).await?;
    for service in [ACCOUNTS, TRANSACTIONS] {
        bank.bank.kill(service, Signal::TERM)?;
        bank.bank.wait_exit(service).await?;
    }
    let mut ledger = bank.database(ACCOUNTS).await?;
    let mut requests = bank.database(TRANSACTIONS).await?;
    autovacuum(&mut ledger, "off").await?;
    ledger.execute(IN_BULK).await?;
    requests.execute(IN_BULK).await?;
    let ledger_indexes = take_away(&mut ledger, &LEDGER).await?;
    let request_indexes = take_away(&mut requests, &REQUESTS).await?;

    bar.set_message("opening accounts");
    let sql = schedule.fill(include_str!("../../sql/large/standing.sql"));
    ledger.execute(AssertSqlSafe(sql)).await?;
    let balance = schedule.fill("{opening} + {amount} * pg_temp.old_gain(n)");
    let standing = Standing {
        balance: &balance,
        version: "1 + pg_temp.old_entries(n)",
    };
    let opened = |number| bar.set_position(number);
    let accounts = bank.accounts;
    accounts
        .make(1, standing, &mut ledger, &mut requests, &opened)
        .await?;

    bar.set_message("old transfers");
    let side = Side {
        schedule,
        times,
        bar,
    };
    tokio::try_join!(
        side.fill(&mut ledger, &AT_THE_BANK, ledger_indexes),
        side.fill(&mut requests, &AT_THE_COORDINATOR, request_indexes),
    )?;
    autovacuum(&mut ledger, "on").await?;
    ledger.execute("CHECKPOINT").await?;
    for service in [ACCOUNTS, TRANSACTIONS] {
        bank.bank.start_process(service).await?;
    }
    Ok(times)
}

/// The work on one of the two databases.
#[derive(Clone, Copy)]
struct Side<'a> {
    schedule: Schedule,
    times: Times,
    bar: &'a ProgressBar,
}

impl Side<'_> {
    /// Writes the transfers, builds the indexes, and leaves nothing for vacuum to do later.
    async fn fill(
        self,
        database: &mut PgConnection,
        statements: &[&str],
        indexes: Vec<Indexes>,
    ) -> Result<(), Failure> {
        let statements: Vec<String> = statements.iter().map(|sql| self.complete(sql)).collect();
        let transfers = self.schedule.transfers;
        for first in (0..transfers).step_by(usize::try_from(CHUNK).unwrap_or(1)) {
            let last = (first + CHUNK).min(transfers) - 1;
            for sql in &statements {
                sqlx::query(AssertSqlSafe(sql.clone()))
                    .bind(first.cast_signed())
                    .bind(last.cast_signed())
                    .bind(self.times.first)
                    .bind(self.times.span)
                    .execute(&mut *database)
                    .await?;
                self.bar.inc(last + 1 - first);
            }
        }
        self.bar.set_message("indexes, statistics");
        for of_one in indexes {
            of_one.put_back(database).await?;
        }
        database.execute("VACUUM (ANALYZE)").await?;
        Ok(())
    }

    fn complete(self, sql: &str) -> String {
        let sql = [include_str!("../../sql/large/transfers.sql"), sql].concat();
        let sql = sql
            .replace("{source_id}", &sql_id("source", 1))
            .replace("{destination_id}", &sql_id("destination", 1));
        self.schedule.fill(&sql)
    }
}

async fn take_away(database: &mut PgConnection, tables: &[&str]) -> Result<Vec<Indexes>, Failure> {
    let mut taken = Vec::with_capacity(tables.len());
    for table in tables {
        taken.push(Indexes::take_away(database, table).await?);
    }
    Ok(taken)
}

/// For the whole server.
async fn autovacuum(database: &mut PgConnection, state: &str) -> Result<(), Failure> {
    let sql = format!("ALTER SYSTEM SET autovacuum = {state}");
    database.execute(AssertSqlSafe(sql)).await?;
    database.execute("SELECT pg_reload_conf()").await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_id_tells_its_time_and_its_number() {
        let times = Times {
            first: 0x0123_4567_89ab,
            span: 1_000,
        };
        let id = times.id(0x2a, 0x54).to_string();
        assert_eq!(id, "01234567-8b9f-7000-8000-00000000002a");
    }
}

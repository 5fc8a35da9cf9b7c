//! R1: ten thousand transactions under way, the coordinator killed, everything terminal again.
//!
//! Batches are sent until so many are open; then it is killed where it stands, which leaves
//! transactions in every phase: begun, promised by some, decided, half delivered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rustix::process::Signal;
use sqlx::Row;
use tokio::task::JoinSet;

use crate::bank::{TRANSACTIONS, service_of};
use crate::failure::Failure;
use crate::load::{Load, Pace};
use crate::measure::{Bound, Line};
use crate::probe::Stand;
use crate::work::{Batches, Transfers};

/// Seconds from the coordinator's restart until nothing is open.
///
/// # Errors
/// When not enough can be brought under way, or they do not end.
pub async fn measure(stand: &Stand, quick: bool, bar: &ProgressBar) -> Result<Line, Failure> {
    let (wanted, times) = if quick { (2_000, 1) } else { (10_000, 3) };
    let mut seconds = Vec::with_capacity(times);
    for time in 1..=times {
        bar.set_message(format!("recovery {time}: filling"));
        interrupt(stand, wanted, bar).await?;
        bar.set_message(format!("recovery {time}"));
        let mut drain = stand.bank.drain().await?;
        let began = Instant::now();
        stand.bank.bank.start_process(TRANSACTIONS).await?;
        drain.wait().await?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    let what = match quick {
        true => "2,000 open when the coordinator is killed, until none is",
        false => "10,000 open when the coordinator is killed, until none is",
    };
    Line::of("R1", what, "s", &seconds, Bound::AtMost(10.0))
        .ok_or_else(|| Failure::new("no recovery was measured"))
}

/// Brings so many transactions under way and kills the coordinator.
async fn interrupt(stand: &Stand, wanted: i64, bar: &ProgressBar) -> Result<(), Failure> {
    let batches = Arc::new(Batches {
        transfers: Transfers::random(stand.bank.accounts),
        length: 500,
    });
    let mut load = JoinSet::new();
    let url = stand.bank.bank.url(TRANSACTIONS)?;
    // A little more than wanted at a time, or the count would be reached by chance only.
    let connections = usize::try_from(wanted).unwrap_or(0) / 500 * 3 / 2;
    let tokens = stand.tokens.iter().cycle().take(connections);
    for (seed, token) in (stand.seed..).zip(tokens) {
        let one = Load {
            url: url.clone(),
            tokens: vec![token.clone()],
            pace: Pace::Closed,
            duration: Duration::from_secs(60),
            seed,
        };
        let batches = Arc::clone(&batches);
        load.spawn(async move { one.run(&batches).await.map(drop) });
    }
    let began = Instant::now();
    while stand.bank.open_transactions().await? < wanted {
        if began.elapsed() > Duration::from_secs(50) {
            return Err(Failure::new(format!(
                "{wanted} transactions never were open at once"
            )));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stand.bank.bank.kill(TRANSACTIONS, Signal::KILL)?;
    stand.bank.bank.wait_exit(TRANSACTIONS).await?;
    load.shutdown().await;
    bar.println(format!("  killed with {}", phases(stand).await?));
    Ok(())
}

/// How the open ones stand, for the report: an even spread is not promised, only told.
async fn phases(stand: &Stand) -> Result<String, Failure> {
    let mut database = stand.bank.database(TRANSACTIONS).await?;
    let sql = "SELECT status::text AS status, count(*) AS number FROM transactions
               WHERE settled_at IS NULL GROUP BY status ORDER BY status";
    let mut words: Vec<String> = sqlx::query(sql)
        .fetch_all(&mut database)
        .await?
        .iter()
        .map(|row| {
            format!(
                "{} {}",
                row.get::<i64, _>("number"),
                row.get::<String, _>("status")
            )
        })
        .collect();
    let mut prepared = 0;
    for bank in 1..=stand.bank.banks {
        let mut database = stand.bank.database(service_of(bank)).await?;
        let sql = "SELECT count(*) FROM branches WHERE state = 'PREPARED'";
        let here: i64 = sqlx::query_scalar(sql).fetch_one(&mut database).await?;
        prepared += here;
    }
    words.push(format!("{prepared} branches prepared"));
    Ok(words.join(", "))
}

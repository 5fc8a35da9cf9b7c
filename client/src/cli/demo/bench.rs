//! A small measurement of the running bank: so many transfers at a time, for so long.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Serialize;
use types::views::{Locking, Protocol};
use types::{AccountId, Balance};

use super::stage::{Stage, outcome, request};
use super::stress::percentile;
use crate::cli::args::BenchArguments;
use crate::cli::commands::{insist, own_key};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::Record;

/// Accounts that are opened at the same time.
const OPENED_AT_ONCE: usize = 8;

/// On each account to begin with. Every transfer is of one cent.
const OPENING: &str = "10000.00";

/// What came of it.
#[derive(Debug, Serialize)]
struct Report {
    protocol: Protocol,
    connections: u16,
    elapsed_ms: u128,
    /// How often each outcome.
    outcomes: BTreeMap<String, u128>,
    committed_per_second: u128,
    latency_us: Latencies,
    total_before: Balance,
    total_after: Balance,
}

/// In microseconds.
#[derive(Debug, Serialize)]
struct Latencies {
    p50: u128,
    p90: u128,
    p99: u128,
    longest: u128,
}

/// Puts load on the bank and shows what it did with it.
///
/// # Errors
/// Exit code 1 when money was made or lost, or nothing was committed.
pub async fn bench(context: &Context, arguments: &BenchArguments) -> Result<(), Failure> {
    let stage = Stage::set(context).await?;
    let measured = measure(&stage, context, arguments).await;
    stage.clear().await;
    let report = measured?;
    context.out.show(&report, report.record())?;
    if report.total_before != report.total_after {
        return Err(Failure::Refused("Money was made or lost.".into()));
    }
    if !report.outcomes.contains_key("committed") {
        return Err(Failure::Refused("No transfer was committed.".into()));
    }
    Ok(())
}

async fn measure(
    stage: &Stage,
    context: &Context,
    arguments: &BenchArguments,
) -> Result<Report, Failure> {
    let open = (0..arguments.accounts).map(|_| stage.open(OPENING, Locking::Escrow, 0));
    let accounts: Vec<AccountId> = stream::iter(open)
        .buffered(OPENED_AT_ONCE)
        .try_collect()
        .await?;
    context.out.note(&format!(
        "{} transfers at a time between {} accounts, for {} seconds.",
        arguments.connections, arguments.accounts, arguments.seconds
    ));
    let total_before = total(stage, &accounts).await?;
    let begun = Instant::now();
    let until = begun + Duration::from_secs(arguments.seconds.into());
    let clients = (0..arguments.connections)
        .map(|client| load(stage, arguments, &accounts, usize::from(client), until));
    let done: Vec<(String, Duration)> = join_all(clients).await.into_iter().flatten().collect();
    let elapsed_ms = begun.elapsed().as_millis();
    let total_after = total(stage, &accounts).await?;
    let mut outcomes = BTreeMap::new();
    for (word, _) in &done {
        *outcomes.entry(word.clone()).or_default() += 1;
    }
    let committed = outcomes.get("committed").copied().unwrap_or(0);
    let mut latencies: Vec<Duration> = done.into_iter().map(|(_, latency)| latency).collect();
    latencies.sort_unstable();
    let at = |percent| percentile(&latencies, percent).as_micros();
    Ok(Report {
        protocol: arguments.protocol.into(),
        connections: arguments.connections,
        elapsed_ms,
        committed_per_second: committed * 1_000 / elapsed_ms.max(1),
        outcomes,
        latency_us: Latencies {
            p50: at(50),
            p90: at(90),
            p99: at(99),
            longest: at(100),
        },
        total_before,
        total_after,
    })
}

/// One client: the next transfer when the one before is answered.
async fn load(
    stage: &Stage,
    arguments: &BenchArguments,
    accounts: &[AccountId],
    client: usize,
    until: Instant,
) -> Vec<(String, Duration)> {
    let service = stage.teller.bank.transactions();
    let mut done = Vec::new();
    // Strides that have no common pattern, so that clients meet on all accounts.
    let mut turn = client * 7_919;
    while Instant::now() < until {
        let source = turn % accounts.len();
        let step = 1 + (turn / accounts.len()) % (accounts.len() - 1);
        let (source, destination) = match arguments.hot {
            true => (source.max(1), 0),
            false => (source, (source + step) % accounts.len()),
        };
        let mut transfer = request(accounts[source], accounts[destination], "0.01", "bench");
        transfer.protocol = Some(arguments.protocol.into());
        let key = own_key();
        let begun = Instant::now();
        let result = insist(&key, || service.transfer(&transfer, Some(&key))).await;
        done.push((outcome(&result), begun.elapsed()));
        turn += 104_729;
    }
    done
}

async fn total(stage: &Stage, accounts: &[AccountId]) -> Result<Balance, Failure> {
    let balances = stream::iter(accounts.iter().map(|id| stage.account(*id)));
    let balances: Vec<_> = balances.buffered(OPENED_AT_ONCE).try_collect().await?;
    let mut balances = balances.into_iter().map(|account| account.balance);
    let total = balances.try_fold(Balance::ZERO, Balance::plus);
    total.ok_or_else(|| Failure::Refused("The balances are too large to add up.".into()))
}

impl Report {
    fn record(&self) -> Record {
        let words: Vec<_> = self
            .outcomes
            .iter()
            .map(|(word, n)| format!("{n} {word}"))
            .collect();
        let latency = &self.latency_us;
        Record::new()
            .field("Protocol", self.protocol.to_string())
            .field("At a time", self.connections.to_string())
            .field("Outcomes", words.join(", "))
            .field(
                "Committed per second",
                self.committed_per_second.to_string(),
            )
            .field(
                "Latency (µs)",
                format!(
                    "p50 {}, p90 {}, p99 {}, longest {}",
                    latency.p50, latency.p90, latency.p99, latency.longest
                ),
            )
            .field(
                "Total of all accounts",
                format!("{} before, {} after", self.total_before, self.total_after),
            )
    }
}

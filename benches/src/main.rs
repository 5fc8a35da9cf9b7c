//! How fast the bank is, beside one database that does everything in one database transaction.
//!
//! See `docs/performance.md` for what is measured and what has to hold.

// Rates and latencies, and no money.
#![allow(clippy::float_arithmetic)]

mod accounts;
mod bank;
mod curves;
mod drain;
mod failure;
mod http;
mod large;
mod load;
mod machine;
mod measure;
mod memory;
mod peer;
mod plan;
mod plot;
mod probe;
mod recovery;
mod report;
mod rounds;
mod set_up;
mod start;
mod work;
mod yardstick;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use crate::bank::TRANSACTIONS;
use crate::failure::Failure;
use crate::machine::Machine;
use crate::measure::lines;
use crate::peer::Peer;
use crate::plan::Plan;
use crate::probe::Probe;
use crate::report::Report;

/// Measures the bank and its yardsticks in turn and prints their ratios.
///
/// Exits with 0 when everything that has to hold does, with 1 when something does not, with 2 when
/// it could not be measured.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Arguments {
    /// A short run, which proves less and says so.
    #[arg(long)]
    quick: bool,
    /// Only these, such as T1,L1. CURVES are the plots over connections and accounts; LOAD is what T1
    /// measures without its yardstick, to be looked at with a profiler.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How often everything is measured in turn [default: 5, with --quick 2].
    #[arg(long)]
    rounds: Option<usize>,
    /// How long each thing is measured, in seconds [default: 60, with --quick 8].
    #[arg(long)]
    seconds: Option<u64>,
    /// Accounts at each bank.
    #[arg(long, default_value_t = 100_000)]
    accounts: u64,
    /// Accounts of the large bank of S1.
    #[arg(long, default_value_t = 10_000_000)]
    old_accounts: u64,
    /// Settled transfers that the large bank of S1 has when it is measured.
    #[arg(long, default_value_t = 10_000_000)]
    old_transfers: u64,
    /// Connections to the bank.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Where the choice of accounts begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the report goes.
    #[arg(long, default_value = "benches/results")]
    results: PathBuf,
    /// The folder with the services' programs [default: where this program is].
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// Where the databases are kept while it runs, and deleted afterwards [default: the folder for temporary files].
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

impl Arguments {
    fn folder_of_binaries(&self) -> PathBuf {
        let given = self.binaries.clone();
        given.unwrap_or_else(stack::options::binaries_beside_this_program)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // One backend for TLS in the whole program; a second call would only say that it is there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::from(2)
        }
    }
}

/// True when everything that has to hold does.
async fn run(arguments: Arguments) -> Result<bool, Failure> {
    let (rounds, seconds) = if arguments.quick { (2, 8) } else { (5, 60) };
    let rounds = arguments.rounds.unwrap_or(rounds);
    let duration = Duration::from_secs(arguments.seconds.unwrap_or(seconds));
    let mut plan = Plan::of(&arguments.only, arguments.quick)?;
    if plan.probes.contains(&Probe::Peer) && !Peer::is_installed().await {
        eprintln!("{}", peer::NOT_INSTALLED);
        plan = plan.without(Probe::Peer);
    }
    let stand = set_up::set_up(&arguments, &plan, duration).await?;

    let bar = bar(plan.steps(rounds));
    let mut read = rounds::read(&stand, &plan.probes, rounds, &bar).await?;
    let mut others = read.memory_lines();
    if plan.recovery {
        others.push(recovery::measure(&stand, arguments.quick, &bar).await?);
    }
    let curves = match plan.curves {
        true => curves::draw(&stand, arguments.quick, &bar).await?,
        false => Vec::new(),
    };
    bar.set_message("checking the ledgers");
    stand.bank.conserves().await?;
    if let Some(peer) = &stand.peer {
        peer.conserves().await?;
    }
    let machine = Machine::look(&mut stand.bank.database(TRANSACTIONS).await?).await?;
    let yardstick_connections = stand.yardstick_connections;
    // Its processes end before the database that they use.
    let peer = stand.peer.map(|peer| peer.about.clone());
    stand.bank.stop().await?;
    if plan.start {
        others.push(start::measure(&bar).await?);
    }
    bar.finish_and_clear();
    if plan.large {
        let large = large::measure(&arguments, duration, rounds).await?;
        for (round, readings) in read.rounds.iter_mut().zip(large.rounds) {
            round.extend(readings);
        }
        others.extend(large.pages);
    }
    let mut lines = lines(&read.rounds);
    lines.extend(others);

    let report = Report {
        machine,
        quick: arguments.quick,
        accounts: arguments.accounts,
        old: plan
            .large
            .then_some((arguments.old_accounts, arguments.old_transfers)),
        connections: arguments.connections,
        seconds: duration.as_secs(),
        yardstick_connections,
        peer,
        services: bank::SETTINGS
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
        lines,
        rounds: read.rounds,
        curves,
    };
    println!("{}", report.table());
    if report.quick {
        println!("A quick run: few rounds, short ones. It shows the direction and proves nothing.");
    }
    println!("Every ledger checks, and no money was made or lost.");
    println!("{}", report.write(&arguments.results)?.display());
    plot::all(&report, &arguments.results)?;
    Ok(report.lines.iter().all(|line| line.holds))
}

/// A bar of so many steps.
fn bar(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    let template = "{bar:30} {pos}/{len} {elapsed_precise} {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

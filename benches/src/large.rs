//! S1: the same load on a bank that is large and old, beside pgbench of the same size; and how long
//! its pages of statements and of history take.

mod disk;
mod fill;
mod indexes;
mod pages;
mod schedule;

use std::time::Duration;

use indicatif::ProgressBar;

use crate::accounts::Accounts;
use crate::bank::{Measurable, TRANSACTIONS};
use crate::failure::Failure;
use crate::measure::Line;
use crate::probe::{LARGE, Reading, Stand};
use crate::yardstick::{Script, Yardstick};
use crate::{Arguments, bar, rounds, set_up};
use schedule::Schedule;

pub use disk::is_enough;
pub use indexes::Indexes;

/// What it gave.
pub struct Large {
    /// To be put beside those of the other bank, round by round.
    pub rounds: Vec<Vec<Reading>>,
    pub pages: Vec<Line>,
}

/// Makes the large bank, measures it, checks its ledger, and deletes it again.
///
/// # Errors
/// When it cannot be made or measured, or its ledger does not check.
pub async fn measure(
    arguments: &Arguments,
    duration: Duration,
    count: usize,
) -> Result<Large, Failure> {
    let accounts = Accounts {
        each: arguments.old_accounts,
    };
    let schedule = Schedule::of(arguments.old_transfers, accounts.each);
    let schedule =
        schedule.ok_or_else(|| Failure::new("a large bank has at least four accounts"))?;
    eprintln!(
        "Starting a bank with {} accounts and {} old transfers.",
        accounts.each, schedule.transfers
    );
    let bank = Measurable::start(
        arguments.folder_of_binaries(),
        arguments.data_dir.clone(),
        1,
        accounts,
    )
    .await?;
    let filling = bar_of(fill::length(accounts.each, schedule.transfers));
    let times = fill::fill(&bank, schedule, &filling).await?;
    filling.finish_and_clear();

    let server = bank.bank.database_url(TRANSACTIONS)?;
    let scripts = bank.bank.data().root().to_path_buf();
    let yardstick = Yardstick::make(&server, accounts.each, scripts).await?;
    yardstick.age(schedule.transfers).await?;
    let best = set_up::best(&yardstick, Script::Statements, arguments.quick).await?;
    let stand = Stand {
        tokens: bank.tokens(arguments.connections).await?,
        bank,
        peer: None,
        yardstick_connections: best,
        yardstick_hot_connections: best,
        yardstick,
        duration,
        seed: arguments.seed,
    };
    let bar = bar_of(u64::try_from((count + 1) * LARGE.len()).unwrap_or(u64::MAX));
    let read = rounds::read(&stand, &LARGE, count, &bar).await?;
    let pages = pages::measure(&stand, schedule, times, &bar).await?;
    bar.set_message("checking the ledger of the large bank");
    stand.bank.conserves().await?;
    bar.finish_and_clear();
    stand.bank.stop().await?;
    Ok(Large {
        rounds: read.rounds,
        pages,
    })
}

fn bar_of(length: u64) -> ProgressBar {
    bar(usize::try_from(length).unwrap_or(usize::MAX))
}

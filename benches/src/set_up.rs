//! A bank with accounts, a yardstick beside it, tokens, and what is best for pgbench.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::bank::{Measurable, TRANSACTIONS};
use crate::failure::Failure;
use crate::peer::Peer;
use crate::plan::Plan;
use crate::probe::{Probe, Stand};
use crate::yardstick::{Script, Speed, Yardstick};
use crate::{Arguments, bar, large};

/// Prepares everything that the plan needs.
///
/// # Errors
/// When the bank does not start, or pgbench is missing.
pub async fn set_up(
    arguments: &Arguments,
    plan: &Plan,
    duration: Duration,
) -> Result<Stand, Failure> {
    let binaries = arguments.folder_of_binaries();
    let accounts = Accounts {
        each: arguments.accounts,
    };
    let banks = if plan.crosses() { 2 } else { 1 };
    eprintln!("Starting a bank for the measurements.");
    let data = arguments.data_dir.clone();
    let bank = Measurable::start(binaries, data, banks, accounts).await?;
    if plan.large {
        let folder = bank.cluster_folder().await?;
        large::is_enough(&folder, arguments.old_accounts, arguments.old_transfers)?;
    }
    let filling = bar(usize::try_from(accounts.each).unwrap_or(usize::MAX));
    filling.set_message("opening accounts");
    bank.populate(&|done| filling.set_position(done)).await?;
    filling.finish_and_clear();
    let tokens = bank.tokens(arguments.connections).await?;
    let server = bank.bank.database_url(TRANSACTIONS)?;
    let scripts = bank.bank.data().root().to_path_buf();
    let yardstick = Yardstick::make(&server, accounts.each, scripts).await?;
    let needs = |probe| plan.probes.contains(&probe);
    let yardstick_connections = match needs(Probe::Statements) || plan.curves {
        true => best(&yardstick, Script::Statements, arguments.quick).await?,
        false => 1,
    };
    let yardstick_hot_connections = match needs(Probe::StatementsHot) {
        true => best(&yardstick, Script::Hot, arguments.quick).await?,
        false => yardstick_connections,
    };
    let peer = match needs(Probe::Peer) {
        true => Some(Peer::start(&server, accounts.each, bank.bank.data().root()).await?),
        false => None,
    };
    Ok(Stand {
        bank,
        peer,
        yardstick_connections,
        yardstick_hot_connections,
        yardstick,
        tokens,
        duration,
        seed: arguments.seed,
    })
}

/// The number of connections that is best for pgbench, found by trying.
///
/// # Errors
/// When pgbench fails.
pub async fn best(yardstick: &Yardstick, script: Script, quick: bool) -> Result<usize, Failure> {
    let trial = Duration::from_secs(if quick { 3 } else { 10 });
    let told = |connections: usize, speed: Speed| {
        eprintln!(
            "  pgbench over {connections} connections: {:.0}/s",
            speed.rate
        );
    };
    yardstick.best_connections(script, trial, &told).await
}

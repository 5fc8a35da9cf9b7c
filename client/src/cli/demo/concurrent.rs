//! Many operations at once.

use std::time::Duration;

use client::AccountsService;
use futures_util::future::join_all;
use tokio::join;
use types::views::Locking;

use super::narrator::Narrator;
use super::stage::{Stage, outcome};
use super::stress::{Stress, stress};
use crate::cli::failure::Failure;
use crate::cli::table::{Cell, Table, Tone};

pub async fn play(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    safe(stage, narrator).await?;
    mixed(stage, narrator).await?;
    under_stress(stage, narrator).await
}

async fn safe(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Concurrent operations: safe transfers at once, both ways")?;
    let one = stage.open("100.00", Locking::Escrow, 0).await?;
    let two = stage.open("100.00", Locking::Escrow, 1).await?;
    narrator.did(
        "Two accounts with 100.00 each. At once: 10 transfers of 5.00 from the first to the \
         second, and 10 of 5.00 back.",
    )?;
    narrator.expected("All 20 commit, and both accounts end with the 100.00 they began with.")?;
    let there = (0..10).map(|_| stage.transfer(one, two, "5.00", "there"));
    let back = (0..10).map(|_| stage.transfer(two, one, "5.00", "back"));
    let (there, back) = join!(join_all(there), join_all(back));
    let results: Vec<_> = there.iter().chain(&back).map(outcome).collect();
    let committed = results.iter().filter(|word| *word == "committed").count();
    let (left, right) = (
        stage.account(one).await?.balance,
        stage.account(two).await?.balance,
    );
    narrator.happened(&format!(
        "{committed} of 20 committed. Balances: {left} and {right}."
    ))?;
    narrator.why(
        "Transfers that cross ask the banks for their votes in one order, and rows are locked in \
         one order, so none waits for another in a circle. Escrow holds let all of them be \
         prepared on one account at the same time.",
    )?;
    let ok = committed == 20 && left.to_string() == "100.00" && right.to_string() == "100.00";
    narrator.verdict(ok, "crossing transfers, no deadlock, exact balances.")
}

async fn mixed(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Concurrent operations: safe and unsafe ones mixed")?;
    let one = stage.open("150.00", Locking::Escrow, 0).await?;
    let two = stage.open("0", Locking::Escrow, 0).await?;
    narrator.did(
        "At once: 5 runs of the unsafe race (two withdrawals of 100.00 from 150.00 each, in the \
         sandbox), and 5 transfers of 100.00 from one real account with 150.00.",
    )?;
    narrator.expected(
        "The unsafe runs lose money, the safe ones do not: one of the 5 transfers commits.",
    )?;
    let banks = stage.banks().await?;
    let bank = banks.first().cloned();
    let bank = bank.ok_or_else(|| Failure::Refused("There is no bank.".into()))?;
    let runs = (0..5).map(|_| AccountsService::unsafe_withdrawals(&bank));
    let transfers = (0..5).map(|_| stage.transfer(one, two, "100.00", "mixed"));
    let (runs, transfers) = join!(join_all(runs), join_all(transfers));
    let runs = runs.into_iter().collect::<Result<Vec<_>, _>>()?;
    let lost = runs.iter().filter(|run| run.money_lost).count();
    let outcomes: Vec<_> = transfers.iter().map(outcome).collect();
    let committed = outcomes.iter().filter(|word| *word == "committed").count();
    let refused = outcomes
        .iter()
        .filter(|o| *o == "insufficient_funds")
        .count();
    let left = stage.account(one).await?.balance;
    let arrived = stage.account(two).await?.balance;
    narrator.happened(&format!(
        "Unsafe: {lost} of 5 runs lost money. Safe: {committed} committed, {refused} refused \
         with insufficient_funds; {left} left, {arrived} arrived."
    ))?;
    narrator.why(
        "Doing one thing right does not help another that is done wrong: what counts is that \
         every way to the money goes through the same lock and the same check.",
    )?;
    let ok = committed == 1
        && refused == 4
        && left.to_string() == "50.00"
        && arrived.to_string() == "100.00";
    narrator.verdict(
        ok,
        "the safe transfers were not disturbed by the unsafe ones.",
    )
}

async fn under_stress(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Concurrent operations: stress, and both locking modes side by side")?;
    narrator.did(
        "Between two fresh accounts each time: 10 and then 100 transfers of 10.00, all sent at \
         once, first between escrow accounts, then between exclusive ones.",
    )?;
    narrator.expected(
        "No money is made or lost. Escrow commits all of them. Exclusive lets one at a time in: \
         slower, and what waits too long is refused with account_locked, having moved nothing.",
    )?;
    let mut results = Vec::new();
    for count in [10, 100] {
        for locking in [Locking::Escrow, Locking::Exclusive] {
            results.push(stress(stage, locking, count).await?);
        }
    }
    narrator.show(drawn(&results))?;
    for result in &results {
        narrator.happened(&format!(
            "{} at once, {}: {} committed, others: {}; total {} before and {} after.",
            result.count,
            result.locking,
            result.committed(),
            result.others(),
            result.before,
            result.after,
        ))?;
    }
    narrator.why(
        "An exclusive lock is held from a transfer's vote until its decision has arrived, so \
         transfers at one account queue up. An escrow hold reserves only the amount: as long as \
         there is enough for all, nobody waits for anybody (O'Neil 1986).",
    )?;
    let right = results.iter().all(Stress::is_right);
    let escrow = results.iter().filter(|r| r.locking == Locking::Escrow);
    let all = escrow.clone().all(|r| r.committed() == r.count);
    narrator.verdict(right && all, "every total is what it was, to the cent.")
}

fn drawn(results: &[Stress]) -> Table {
    let mut table = Table::new("")
        .number("At once")
        .rigid("Locking")
        .number("Committed")
        .text("Others")
        .number("Median")
        .number("p99")
        .number("All done")
        .rigid("Total");
    for result in results {
        let kept = result.before == result.after;
        table.row(vec![
            result.count.into(),
            result.locking.into(),
            result.committed().into(),
            result.others().into(),
            milliseconds(result.percentile(50)).into(),
            milliseconds(result.percentile(99)).into(),
            milliseconds(result.wall).into(),
            Cell::toned(
                if kept { "kept" } else { "CHANGED" },
                if kept { Tone::Good } else { Tone::Bad },
            ),
        ]);
    }
    table
}

fn milliseconds(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}

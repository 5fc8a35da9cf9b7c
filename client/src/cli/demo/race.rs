//! Two withdrawals of 100 from an account with 150.

use client::UnsafeRun;
use tokio::join;
use types::Balance;
use types::views::Locking;

use super::narrator::Narrator;
use super::stage::{Stage, outcome};
use crate::cli::failure::Failure;
use crate::cli::table::{Cell, Table, Tone};

/// The race needs both withdrawals to read before either writes; that nearly always happens.
const ATTEMPTS: u32 = 3;

pub async fn play(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    unsafe_way(stage, narrator).await?;
    safe_way(stage, narrator).await
}

async fn unsafe_way(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Race condition, the unsafe way: read, think, write")?;
    narrator.did(
        "An account with 150.00 in a sandbox table; two withdrawals of 100.00 at the same time. \
         Each reads the balance, sees that it is enough, thinks for a moment, and writes what it \
         read less 100.00.",
    )?;
    narrator.expected(
        "There is enough for one of them. The bank must not pay out 200.00 from 150.00.",
    )?;
    let banks = stage.banks().await?;
    let bank = banks.first().cloned();
    let bank = bank.ok_or_else(|| Failure::Refused("There is no bank.".into()))?;
    let mut run = bank.unsafe_withdrawals().await?;
    for _ in 1..ATTEMPTS {
        if run.money_lost {
            break;
        }
        run = bank.unsafe_withdrawals().await?;
    }
    narrator.show(drawn(&run))?;
    let paid = run.withdrawals.iter().filter(|w| w.succeeded);
    let paid = paid
        .map(|w| w.amount)
        .try_fold(Balance::ZERO, |sum, amount| sum.plus(amount));
    let paid = paid.unwrap_or(Balance::ZERO);
    let gone = run.final_balance.minus(run.expected_balance);
    narrator.happened(&format!(
        "Paid out: {paid} from {}. The account says {}, the truth is {}: {} is missing in the \
         books.",
        run.opening_balance,
        run.final_balance,
        run.expected_balance,
        gone.unwrap_or(Balance::ZERO),
    ))?;
    if run.money_lost {
        narrator.why(
            "Both read 150.00 before either had written. The second write went over the first as \
             if it had never been: a lost update. Nothing failed, nobody was told, and the money \
             is gone.",
        )
    } else {
        narrator.why(
            "This time one happened to write before the other read. That is what makes races \
             hard to find: they need not show.",
        )
    }
}

fn drawn(run: &UnsafeRun) -> Table {
    let mut table = Table::new("Nothing was withdrawn.")
        .rigid("Withdrawal")
        .number("Amount")
        .number("Read")
        .number("Wrote")
        .rigid("Paid out");
    for (n, withdrawal) in run.withdrawals.iter().enumerate() {
        let wrote = withdrawal.wrote_balance;
        table.row(vec![
            (n + 1).into(),
            withdrawal.amount.into(),
            withdrawal.read_balance.into(),
            wrote
                .map_or_else(|| "-".to_owned(), |b| b.to_string())
                .into(),
            if withdrawal.succeeded { "yes" } else { "no" }.into(),
        ]);
    }
    table
}

async fn safe_way(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Race condition, the safe way: two-phase commit")?;
    let source = stage.open("150.00", Locking::Escrow, 0).await?;
    let sink = stage.open("0", Locking::Escrow, 1).await?;
    narrator.did(
        "A real account with 150.00, and two transfers of 100.00 out of it sent at the same time.",
    )?;
    narrator.expected(
        "One commits, the other is refused with insufficient_funds; 50.00 is left, 100.00 arrived.",
    )?;
    let (one, two) = join!(
        stage.transfer(source, sink, "100.00", "race, first"),
        stage.transfer(source, sink, "100.00", "race, second"),
    );
    let outcomes = [outcome(&one), outcome(&two)];
    let mut table = Table::new("").rigid("Transfer").rigid("Outcome");
    for (n, outcome) in outcomes.iter().enumerate() {
        let good = outcome == "committed";
        let tone = if good { Tone::Good } else { Tone::Warning };
        table.row(vec![(n + 1).into(), Cell::toned(outcome, tone)]);
    }
    narrator.show(table)?;
    let left = stage.account(source).await?.balance;
    let arrived = stage.account(sink).await?.balance;
    narrator.happened(&format!(
        "{} and {}. Left: {left}. Arrived: {arrived}.",
        outcomes[0], outcomes[1]
    ))?;
    narrator.why(
        "The vote is cast under the account's row lock: the first transfer to be prepared holds \
         its 100.00, so the second sees 50.00 available and the answer is no. A hold is data, \
         not a lock in memory: it would still be there after a crash.",
    )?;
    let committed = outcomes.iter().filter(|o| *o == "committed").count();
    let refused = outcomes
        .iter()
        .filter(|o| *o == "insufficient_funds")
        .count();
    let ok = committed == 1
        && refused == 1
        && left.to_string() == "50.00"
        && arrived.to_string() == "100.00";
    narrator.verdict(
        ok,
        "one of two went through, and no money was made or lost.",
    )
}

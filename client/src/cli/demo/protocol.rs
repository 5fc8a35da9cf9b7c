//! One transfer told message by message.

use types::TransactionId;
use types::views::{Locking, Status, Timeline};

use super::narrator::Narrator;
use super::picture;
use super::stage::Stage;
use crate::cli::failure::Failure;
use crate::cli::output::Sheet;
use crate::cli::render;

pub async fn play(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    committed(stage, narrator).await?;
    refused(stage, narrator).await
}

async fn committed(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Two-phase commit, message by message")?;
    let source = stage.open("100.00", Locking::Escrow, 0).await?;
    let sink = stage.open("0", Locking::Escrow, 1).await?;
    let banks = stage.banks().await?.len();
    let place = if banks > 1 {
        "at two banks, each with a database of its own"
    } else {
        "at one bank (./scripts/start --banks 2 makes it two)"
    };
    narrator.did(&format!(
        "A transfer of 40.00 between two accounts {place}; then its timeline, as \
         transactions-service wrote it down."
    ))?;
    narrator.expected("Every bank promises first; only then is it decided, once, for all.")?;
    let sent = stage
        .transfer(source, sink, "40.00", "message by message")
        .await?;
    let timeline = told(stage, sent.body.transaction_id, sent.status, narrator).await?;
    narrator.happened(&format!(
        "Committed. {} events; the whole story again: banking-cli timeline {}",
        timeline.items.len(),
        sent.body.transaction_id
    ))?;
    narrator.why(
        "■ marks what is on disk before the next arrow leaves. A bank's YES is a promise that \
         survives its crash: the money is held. The decision is one row, written once; from then \
         on nobody can take it back, and whoever crashes finds it there and goes on.",
    )?;
    let left = stage.account(source).await?.balance.to_string();
    let arrived = stage.account(sink).await?.balance.to_string();
    let ok = sent.body.status == Status::Committed && left == "60.00" && arrived == "40.00";
    narrator.verdict(ok, &format!("{left} left, {arrived} arrived."))
}

async fn refused(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Two-phase commit, when one says no")?;
    let source = stage.open("10.00", Locking::Escrow, 0).await?;
    let sink = stage.open("0", Locking::Escrow, 1).await?;
    narrator.did("A transfer of 40.00 from an account with 10.00.")?;
    narrator
        .expected("A vote of NO, and with it the decision to abort. Nothing moves anywhere.")?;
    let problem = match stage.transfer(source, sink, "40.00", "too much").await {
        Err(Failure::Bank(client::Error::Refused(problem))) => problem,
        Err(other) => return Err(other),
        Ok(_) => return narrator.verdict(false, "it committed."),
    };
    if let Some(id) = problem.transaction_id {
        told(stage, id, problem.status, narrator).await?;
    }
    narrator.happened(&format!("Refused: {}. {}", problem.code, problem.detail))?;
    narrator.why(
        "One NO is enough, and a missing vote would count as one. The refusal is durable too: \
         the same request under the same key gets the same answer.",
    )?;
    let left = stage.account(source).await?;
    let ok = left.balance.to_string() == "10.00"
        && left.pending_debits.is_zero()
        && stage.account(sink).await?.balance.is_zero();
    narrator.verdict(ok, "nothing moved and nothing is held.")
}

/// Shows the timeline as a picture and as a table.
async fn told(
    stage: &Stage,
    id: TransactionId,
    status: u16,
    narrator: &Narrator,
) -> Result<Timeline, Failure> {
    let timeline = stage.teller.bank.transactions().timeline(id).await?;
    narrator.show(Sheet::Text(picture::draw(&timeline, &status.to_string())))?;
    narrator.show(render::timeline(&timeline))?;
    Ok(timeline)
}

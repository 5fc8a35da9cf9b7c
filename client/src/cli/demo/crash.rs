//! The coordinator dies in the middle of a transfer.

use std::path::PathBuf;
use std::time::Duration;

use client::{Error, FailpointAction};
use types::views::{Locking, Status};
use types::{AccountId, Code};

use super::narrator::Narrator;
use super::process::{self, LocalBank};
use super::stage::{Stage, outcome, request};
use crate::cli::args::{FAILPOINTS, Failpoint};
use crate::cli::commands::{insist, own_key};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render;

/// A process that kills itself is gone at once.
const TO_DIE: Duration = Duration::from_secs(5);

/// A supervisor restarts what exits within 2 s, at most 5 s when it keeps exiting.
const FOR_A_SUPERVISOR: Duration = Duration::from_secs(6);

/// Migrations are checked and a port is bound.
const TO_START: Duration = Duration::from_secs(30);

/// After the fault is healed everything is terminal within this.
const TO_FINISH_POLLS: u32 = 60;
const TO_FINISH_PAUSE: Duration = Duration::from_millis(500);

/// Where the coordinator is to die, and where the bank is.
pub struct Plan {
    data_dir: Option<PathBuf>,
    points: Vec<Failpoint>,
}

impl Plan {
    /// At `points`, or before and after the decision, which is where the outcome turns.
    pub fn new(data_dir: Option<PathBuf>, points: &[Failpoint]) -> Self {
        let turning = ["after_votes", "after_decide"];
        let points = if points.is_empty() {
            let both = FAILPOINTS
                .iter()
                .filter(|point| turning.contains(&point.name));
            both.copied().collect()
        } else {
            points.to_vec()
        };
        Self { data_dir, points }
    }
}

pub async fn play(stage: &Stage, narrator: &mut Narrator, plan: &Plan) -> Result<(), Failure> {
    let local = LocalBank::find(plan.data_dir.as_deref())?;
    let admin = stage.admin().await?;
    let mut result = Ok(());
    for point in &plan.points {
        result = one(stage, &admin, narrator, &local, *point).await;
        if result.is_err() {
            break;
        }
    }
    admin.revoke().await;
    result
}

async fn one(
    stage: &Stage,
    admin: &Context,
    narrator: &mut Narrator,
    local: &LocalBank,
    point: Failpoint,
) -> Result<(), Failure> {
    let coordinator = stage.teller.bank.transactions().endpoint();
    let (name, pid) = local.process_at(coordinator.url())?;
    let pid = pid.ok_or_else(|| Failure::Refused(format!("{name} is not running.")))?;

    narrator.act(&format!("Crash of the coordinator at {}", point.name))?;
    let source = stage.open("150.00", Locking::Escrow, 0).await?;
    let sink = stage.open("0", Locking::Escrow, 1).await?;
    narrator.did(&format!(
        "{name} (process {pid}) is told to die when it comes to {}: {}. Then a transfer of \
         100.00 from an account with 150.00.",
        point.name, point.means
    ))?;
    narrator.expected(if point.commits == Some(true) {
        "The decision was durable, so recovery carries it out: committed."
    } else {
        "Nothing was decided, so nothing may happen: recovery aborts, and the hold is released."
    })?;

    let failpoint = client::Failpoint {
        action: FailpointAction::Abort,
        count: 1,
    };
    let armed = admin.bank.transactions();
    armed.set_failpoint(point.name, &failpoint).await?;
    let key = own_key();
    let wish = request(source, sink, "100.00", &format!("crash at {}", point.name));
    let answer = stage.transfer_once(&wish, &key).await;
    let died = process::gone(pid, TO_DIE).await;
    narrator.happened(&match (&answer, died) {
        (Err(error), true) => format!("{}. Process {pid} is gone.", said(error)),
        (Ok(_), true) => format!("A reply came, and then process {pid} died."),
        (_, false) => format!("Process {pid} still runs."),
    })?;
    if !died {
        // Nothing must blow up later in somebody else's transfer.
        let _ = armed.clear_failpoint(point.name).await;
        return narrator.verdict(false, "the coordinator did not die, so nothing was shown.");
    }
    let held = in_doubt(stage, narrator, source, sink).await?;
    back_again(stage, narrator, local, &name).await?;

    let service = stage.teller.bank.transactions();
    let again = insist(&key, || service.transfer(&wish, Some(&key))).await;
    let word = outcome(&again);
    let id = match &again {
        Ok(sent) => Some(sent.body.transaction_id),
        Err(Failure::Bank(Error::Refused(problem))) => problem.transaction_id,
        Err(_) => None,
    };
    narrator.did("The same request again, under the same idempotency key.")?;
    narrator.happened(&format!("The answer: {word}."))?;
    let Some(id) = id else {
        let words = again.err().map(|failure| failure.words());
        let words = words.unwrap_or(word);
        return narrator.verdict(false, &format!("the transfer did not end. {words}"));
    };
    let ended = service.follow(id, TO_FINISH_PAUSE, TO_FINISH_POLLS).await?;
    narrator.show(render::timeline(&service.timeline(id).await?))?;
    narrator.why(match (ended.status == Status::Committed, held) {
        (true, true) => {
            "A decision is written down before anyone is told. A coordinator that comes back finds \
             it, and tells the banks until each has acknowledged. The client's repetition found \
             the stored result instead of moving the money a second time."
        }
        (true, false) => {
            "The banks had applied it when the coordinator died; only the last line in its own \
             book, or the reply, was missing. Telling a bank twice does no harm: it acknowledges \
             again. The client's repetition found the stored result."
        }
        (false, true) => {
            "Without a decision on disk nobody can have been told to commit, so aborting is safe. \
             The bank had promised and could not release the money by itself: that is the price \
             of two-phase commit, and it is paid only until the coordinator is back."
        }
        (false, false) => {
            "The begin row is written before anyone is asked, so the coordinator that comes back \
             knows of a transfer that nobody else may know of. No vote, no decision: it aborts, \
             and the client's repetition is told so."
        }
    })?;
    judge(stage, admin, narrator, point, ended.status, (source, sink)).await
}

fn said(error: &Error) -> String {
    match error {
        Error::Unreachable { reason, .. } => format!("No reply: {reason}"),
        other => other.to_string(),
    }
}

/// What the banks know while nobody tells them anything. Whether money is held.
async fn in_doubt(
    stage: &Stage,
    narrator: &mut Narrator,
    source: AccountId,
    sink: AccountId,
) -> Result<bool, Failure> {
    let (from, to) = (stage.account(source).await?, stage.account(sink).await?);
    let words = if from.pending_debits.is_zero() && from.balance.to_string() == "150.00" {
        "The bank holds nothing: it had not promised yet, or has been told already."
    } else if from.pending_debits.is_zero() {
        "The bank has applied the transfer: it had been told."
    } else {
        "The bank has promised and is in doubt: the money is neither here nor there, and it may \
         not decide alone."
    };
    narrator.happened(&format!(
        "Without a coordinator. Source: balance {}, held {}, available {}. Destination: balance \
         {}, announced {}. {words}",
        from.balance, from.pending_debits, from.available_balance, to.balance, to.pending_credits
    ))?;
    Ok(!from.pending_debits.is_zero())
}

async fn back_again(
    stage: &Stage,
    narrator: &mut Narrator,
    local: &LocalBank,
    name: &str,
) -> Result<(), Failure> {
    let answers = || async {
        let coordinator = stage.teller.bank.transactions().endpoint();
        coordinator.health().await.is_ok()
    };
    if process::until(FOR_A_SUPERVISOR, answers).await {
        return narrator.happened(&format!("{name} was started again by its supervisor."));
    }
    let typed = process::start_again(local, name).await?;
    narrator.did(&format!("Started again: {typed}"))?;
    if process::until(TO_START, answers).await {
        return Ok(());
    }
    Err(Failure::Incomplete(format!(
        "{name} does not answer. By hand: {typed}"
    )))
}

async fn judge(
    stage: &Stage,
    admin: &Context,
    narrator: &mut Narrator,
    point: Failpoint,
    status: Status,
    (source, sink): (AccountId, AccountId),
) -> Result<(), Failure> {
    let (from, to) = (stage.account(source).await?, stage.account(sink).await?);
    let committed = status == Status::Committed;
    let right = if committed {
        ("50.00", "100.00")
    } else {
        ("150.00", "0.00")
    };
    let balances = (from.balance.to_string(), to.balance.to_string());
    let released = from.pending_debits.is_zero() && to.pending_credits.is_zero();
    let mut ledgers = true;
    for bank in admin.bank.banks().await? {
        match bank.ledger_check().await {
            Ok(check) => ledgers &= check.ok,
            Err(error) if error.code() == Some(Code::Forbidden) => ledgers = false,
            Err(error) => return Err(error.into()),
        }
    }
    let as_decided = point.commits.is_none_or(|commits| commits == committed);
    let ok = status != Status::Pending
        && as_decided
        && released
        && ledgers
        && (balances.0.as_str(), balances.1.as_str()) == right;
    let ledger = if ledgers {
        "every ledger check passes"
    } else {
        "a ledger check fails"
    };
    let holds = if released {
        "no hold is left"
    } else {
        "a hold is left"
    };
    narrator.verdict(
        ok,
        &format!(
            "{status} everywhere; balances {} and {}; {holds}; {ledger}.",
            balances.0, balances.1
        ),
    )
}

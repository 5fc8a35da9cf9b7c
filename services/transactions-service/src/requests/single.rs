//! `POST /transfers`: one transfer, once per key.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use service_kit::Problem;
use types::Code;
use types::views::Status;

use super::placing::Places;
use super::reply::{self, Reply};
use super::{Caller, fingerprint, read_live};
use crate::app::App;
use crate::coordinator::Progress;
use crate::coordinator::queues::StepError;
use crate::record::{NewTransaction, Record};
use crate::store::begin::{BeginRequest, Begun};
use crate::store::decisions;
use crate::store::keys::{KeyKind, KeyRow, find};
use crate::transfer::Transfer;

/// Carries out one transfer, or repeats what was answered under its key; says which.
///
/// Durable when it returns: what the reply says.
pub(crate) async fn transfer(
    app: &Arc<App>,
    caller: &Caller,
    transfer: &Transfer,
) -> Result<(Reply, bool), Problem> {
    let fingerprint = fingerprint::of_transfer(transfer);
    let new = match place(app, caller, transfer).await {
        Ok(new) => new,
        // The key may know what the directory cannot tell any more.
        Err(problem) => {
            return match find(app.pool(), &caller.key_name()).await? {
                Some(row) => replay(app, &row, &fingerprint)
                    .await
                    .map(|reply| (reply, true)),
                None => Err(problem),
            };
        }
    };
    let request = BeginRequest {
        name: caller.key_name(),
        fingerprint: fingerprint.clone(),
        kind: KeyKind::Transfer,
        transactions: vec![new.clone()],
        refusals: None,
    };
    match begin(app, request).await? {
        Begun::Fresh => carry_out(app, new).await.map(|reply| (reply, false)),
        Begun::KeyTaken => {
            let row = find(app.pool(), &caller.key_name()).await?;
            let row = row.ok_or_else(|| Problem::internal("a key that was taken is gone"))?;
            replay(app, &row, &fingerprint)
                .await
                .map(|reply| (reply, true))
        }
    }
}

async fn place(
    app: &Arc<App>,
    caller: &Caller,
    transfer: &Transfer,
) -> Result<NewTransaction, Problem> {
    let places = Places::find(&app.directory, [transfer]).await?;
    let places = places.in_step(&app.coordination.numbers).await?;
    places.check_debits(caller, transfer)?;
    Ok(places.transaction(caller, &[transfer]))
}

/// Begins, or says why nothing was begun.
pub(crate) async fn begin(app: &App, request: BeginRequest) -> Result<Begun, Problem> {
    if !app
        .coordination
        .in_flight
        .has_room_for(request.transactions.len())
    {
        return Err(overloaded());
    }
    service_kit::failpoints::hit("before_begin").await?;
    let ids: Vec<_> = request
        .transactions
        .iter()
        .map(|t| t.transaction_id)
        .collect();
    let begun = app
        .coordination
        .queues
        .begin(request)
        .await
        .map_err(|error| match error {
            StepError::Full => overloaded(),
            StepError::Unknown(error) => {
                tracing::warn!(event = "BEGIN_UNKNOWN", error);
                Problem::new(Code::OutcomeUnknown)
                    .detail("The database did not answer; ask again with the same key.")
                    .retry_after(1)
            }
        })?;
    if begun == Begun::Fresh {
        for id in ids {
            tracing::info!(event = "TRANSACTION_INITIATED", transaction_id = %id);
        }
        service_kit::failpoints::hit("after_begin").await?;
    }
    Ok(begun)
}

fn overloaded() -> Problem {
    Problem::new(Code::Overloaded)
        .detail("Too many transfers are under way; nothing was begun.")
        .retry_after(1)
}

async fn carry_out(app: &Arc<App>, new: NewTransaction) -> Result<Reply, Problem> {
    if let Some(reason) = new.refused {
        return Ok(Reply::Refused(reply::refusal(
            new.transaction_id,
            Some(reason),
        )));
    }
    let progress = app.coordination.start(new.clone());
    let progress = app.coordination.outcome(new.transaction_id, progress).await;
    let reply = reply::of_progress(&new, progress)?;
    if matches!(
        (&reply, progress),
        (Reply::Unsettled(_), Progress::Decided(_))
    ) {
        let noted = decisions::replied_unsettled(app.pool(), new.transaction_id);
        Box::pin(noted).await?;
    }
    service_kit::failpoints::hit("before_client_reply").await?;
    Ok(reply)
}

/// What was answered under this key, or will be.
async fn replay(app: &Arc<App>, row: &KeyRow, fingerprint: &[u8]) -> Result<Reply, Problem> {
    if row.is_closed {
        return Err(closed());
    }
    same_request(row, fingerprint)?;
    let records = read_live(app, &row.transaction_ids).await?;
    let record = row
        .transaction_ids
        .first()
        .and_then(|id| records.get(id))
        .ok_or_else(|| Problem::internal("a key's transaction is gone"))?;
    let mut record = record.clone();
    match record.status {
        Status::Pending => Err(in_progress()),
        Status::Aborted => {
            let refused = reply::refusal(record.transaction_id, record.reason);
            Ok(Reply::Refused(original(refused, &record)))
        }
        Status::Committed if record.replied_unsettled => {
            record.settled_at = None;
            Ok(Reply::Unsettled(reply::shown(&record)?))
        }
        Status::Committed if record.settled_at.is_some() => {
            Ok(Reply::Settled(reply::shown(&record)?))
        }
        Status::Committed if is_old(&record) => {
            // Whoever asked first is gone or was answered "unknown": this is the answer now.
            decisions::replied_unsettled(app.pool(), record.transaction_id).await?;
            Ok(Reply::Unsettled(reply::shown(&record)?))
        }
        Status::Committed => Err(in_progress()),
    }
}

/// The first reply's request id, so that a repetition reads the same.
fn original(problem: Problem, record: &Record) -> Problem {
    problem.extension("request_id", record.request_id.clone().into())
}

/// No reply to the first request is still being waited for.
fn is_old(record: &Record) -> bool {
    let waited = TimeDelta::seconds(10);
    record.decided_at.is_some_and(|at| at + waited < Utc::now())
}

/// Somebody made sure that nothing is ever begun under the key.
fn closed() -> Problem {
    Problem::new(Code::OperationClosed)
        .detail("The key was closed before anything was begun under it; nothing was moved.")
}

pub(crate) fn same_request(row: &KeyRow, fingerprint: &[u8]) -> Result<(), Problem> {
    if row.fingerprint == fingerprint {
        return Ok(());
    }
    Err(Problem::new(Code::IdempotencyKeyReused)
        .detail("This Idempotency-Key was used for a different request."))
}

pub(crate) fn in_progress() -> Problem {
    Problem::new(Code::RequestInProgress)
        .detail("The request with this key is still running.")
        .retry_after(1)
}

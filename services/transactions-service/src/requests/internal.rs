//! Transfers that another service asks for, and making sure that one of them never happens.
//!
//! The race it survives: a refund overtakes the payment it is for. What a key stands for is written
//! before anything happens under it, so the refund either closes the key in front of the payment,
//! or finds the payment and waits for it or takes it back. A reversal is a transfer with a key of
//! its own, derived from the payment's: of many who take back the same payment, one does.

use std::sync::Arc;

use saga::Reason;
use saga::barrier::{self, OnClose, Recorded, Standing};
use service_kit::Problem;
use two_phase::planted::{Bug, is_planted};
use types::views::{
    CloseOutcome, CloseReply, CloseRequest, InternalTransferRequest, Protocol, Status,
};
use types::{Change, Code, TransactionId};

use super::reply::Reply;
use super::single::{self, in_progress};
use super::{Caller, read_live, request_id};
use crate::app::App;
use crate::record::Record;
use crate::store::closing::{self, Attempt};
use crate::store::keys::{KeyName, find};
use crate::transfer::Transfer;

/// The one service that may ask for transfers.
pub(crate) const ORDERS: &str = "orders-service";

/// Carries out one transfer, or repeats what was answered under its key; says which.
///
/// Durable when it returns: what the reply says.
pub(crate) async fn pay(
    app: &Arc<App>,
    name: KeyName,
    request: InternalTransferRequest,
) -> Result<(Reply, bool), Problem> {
    let caller = Caller {
        debits_owned_by: request.on_behalf_of.map(Some),
        name,
        request_id: request_id(),
    };
    let (source, destination) = (request.source_account_id, request.destination_account_id);
    if source == destination {
        return Err(Problem::new(Code::SameAccount));
    }
    let transfer = Transfer {
        legs: vec![
            (source, request.amount.debit()),
            (destination, request.amount.credit()),
        ],
        description: request.description,
        protocol: Protocol::default(),
    };
    single::transfer(app, &caller, &transfer).await
}

/// Makes sure that nothing is paid under a key, now and later.
///
/// Durable when it returns: what the reply says, and it stays so.
pub(crate) async fn close(
    app: &Arc<App>,
    name: KeyName,
    request: CloseRequest,
) -> Result<CloseReply, Problem> {
    service_kit::failpoints::hit("before_close").await?;
    let (standing, record) = if closing::close(app.pool(), &name).await? {
        (Standing::Absent, None)
    } else {
        look(app, &name).await?
    };
    let id = record.as_ref().map(|record| record.transaction_id);
    let nothing = |outcome| CloseReply {
        outcome,
        transaction_id: id,
        reversal_id: None,
    };
    match (barrier::close(&standing), record) {
        (OnClose::Wait, _) => Err(in_progress()),
        // Its row is what was inserted.
        (OnClose::Close, _) => {
            tracing::info!(event = "KEY_CLOSED", key = name.key.as_str());
            Ok(nothing(CloseOutcome::Closed))
        }
        (OnClose::Nothing, None) => Ok(nothing(CloseOutcome::Closed)),
        (OnClose::Nothing, Some(_)) => Ok(nothing(CloseOutcome::Aborted)),
        (OnClose::Reverse, Some(paid)) => reverse(app, &name, &paid, request).await,
        (OnClose::Reverse, None) => Err(Problem::internal("a payment without a transaction")),
    }
}

/// What stands under a key that was there before.
async fn look(app: &App, name: &KeyName) -> Result<(Standing, Option<Record>), Problem> {
    let row = find(app.pool(), name).await?;
    let row = row.ok_or_else(|| Problem::internal("a key that was taken is gone"))?;
    if row.is_closed {
        return Ok((Standing::Settled(Recorded::Closed), None));
    }
    let &[id] = row.transaction_ids.as_slice() else {
        return Err(Problem::internal("a service's key with several transfers"));
    };
    let record = read(app, id).await?;
    Ok((standing(&record), Some(record)))
}

/// A committed transfer is under way until every bank has booked it: before that, what is to be
/// taken back may not be there yet.
fn standing(record: &Record) -> Standing {
    match (record.status, record.settled_at) {
        (Status::Pending, _) | (Status::Committed, None) => Standing::Underway,
        (Status::Committed, Some(_)) => Standing::Settled(Recorded::Done),
        (Status::Aborted, _) => Standing::Settled(Recorded::Refused {
            reason: Reason::fixed(record.reason.unwrap_or(Code::InternalError).as_str()),
        }),
    }
}

fn opposite(change: Change) -> Change {
    if change.is_debit() {
        change.amount().credit()
    } else {
        change.amount().debit()
    }
}

async fn read(app: &App, id: TransactionId) -> Result<Record, Problem> {
    let mut records = read_live(app, &[id]).await?;
    let gone = || Problem::internal("a key's transaction is gone");
    records.remove(&id).ok_or_else(gone)
}

/// Moves back what was paid, once: by the last attempt, unless that was aborted.
async fn reverse(
    app: &Arc<App>,
    name: &KeyName,
    paid: &Record,
    request: CloseRequest,
) -> Result<CloseReply, Problem> {
    let reversed = |reversal_id| CloseReply {
        outcome: CloseOutcome::Reversed,
        transaction_id: Some(paid.transaction_id),
        reversal_id: Some(reversal_id),
    };
    let last = closing::last_attempt(app.pool(), name).await?;
    if let Some(id) = last.as_ref().and_then(|attempt| attempt.transaction_id) {
        match read(app, id).await?.status {
            Status::Committed if is_planted(Bug::EachClosingReverses) => {}
            Status::Committed => return Ok(reversed(id)),
            Status::Pending => return Err(in_progress()),
            // It moved nothing and never will. What refused it may be over by now.
            Status::Aborted => {}
        }
    }
    let attempt = Attempt::next(name, last.as_ref())?;
    let caller = Caller {
        debits_owned_by: None,
        name: attempt.name,
        request_id: request_id(),
    };
    let transfer = Transfer {
        legs: paid
            .legs
            .iter()
            .map(|(account, change)| (*account, opposite(*change)))
            .collect(),
        description: request.description,
        protocol: Protocol::default(),
    };
    match single::transfer(app, &caller, &transfer).await? {
        (Reply::Settled(view) | Reply::Unsettled(view), _) => Ok(reversed(view.transaction_id)),
        (Reply::Refused(problem), _) => Err(problem),
    }
}

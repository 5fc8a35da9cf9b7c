//! The one mapping from what became of a transfer to what its client is answered.

use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use service_kit::idempotency::{HEADER, REPLAYED_HEADER};
use service_kit::{Problem, extract};
use two_phase::message::Outcome;
use types::views::{Status, TransferView};
use types::{Code, IdempotencyKey, TransactionId};

use crate::coordinator::{Decision, Progress};
use crate::record::{NewTransaction, Record, status_of};

/// What a client is answered about a transfer that was begun.
#[derive(Debug)]
pub(crate) enum Reply {
    /// 201: committed, and every participant has applied it.
    Settled(Box<TransferView>),
    /// 202: committed, an acknowledgement is late.
    Unsettled(Box<TransferView>),
    /// Refused, durably.
    Refused(Problem),
}

impl Reply {
    /// The response, with the key it was asked under.
    pub(crate) fn respond(self, key: &IdempotencyKey, replayed: bool) -> Response {
        let response = match self {
            Self::Settled(view) => {
                let location = format!("/transfers/{}", view.transaction_id);
                let body = extract::Json(view);
                (StatusCode::CREATED, [("location", location)], body).into_response()
            }
            Self::Unsettled(view) => (StatusCode::ACCEPTED, extract::Json(view)).into_response(),
            Self::Refused(problem) => problem.into_response(),
        };
        with_key(response, key, replayed)
    }
}

/// Adds the headers that every reply of an idempotent route carries.
pub(crate) fn with_key(mut response: Response, key: &IdempotencyKey, replayed: bool) -> Response {
    if let Ok(value) = HeaderValue::from_str(key.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    if replayed {
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED_HEADER, replayed);
    }
    response
}

/// A transfer that was refused for good.
pub(crate) fn refusal(transaction: TransactionId, reason: Option<Code>) -> Problem {
    let reason = reason.unwrap_or(Code::InternalError);
    Problem::new(reason)
        .detail(explain(reason))
        .transaction(transaction, Status::Aborted)
}

/// The reason in words that help.
pub(crate) const fn explain(reason: Code) -> &'static str {
    match reason {
        Code::InsufficientFunds => "The available balance is smaller than the amount.",
        Code::AccountNotFound => "One of the accounts does not exist.",
        Code::AccountFrozen => "One of the accounts is frozen.",
        Code::AccountClosed => "One of the accounts is closed.",
        Code::CurrencyMismatch => "The accounts are kept in different currencies.",
        Code::BalanceLimit => "The credited account would reach the largest balance allowed.",
        Code::AccountLocked => "Another transfer holds one of the accounts; try with a new key.",
        Code::ParticipantUnavailable => "A bank did not answer in time; nothing was moved.",
        Code::AbortedByRecovery => "The transfer was interrupted; nothing was moved.",
        Code::LinkedRefused => "Another transfer of the batch was refused, so none was made.",
        Code::Hazard => "The bank's data contradict the transfer; an operator was called.",
        other => other.title(),
    }
}

/// Nobody knows yet what becomes of it.
pub(crate) fn unknown(transaction: TransactionId) -> Problem {
    Problem::new(Code::OutcomeUnknown)
        .detail("The outcome is not known yet; ask again with the same key.")
        .transaction(transaction, Status::Pending)
        .retry_after(1)
}

/// What to answer about a transfer that was begun just now and has come this far.
pub(crate) fn of_progress(
    transaction: &NewTransaction,
    progress: Progress,
) -> Result<Reply, Problem> {
    match progress {
        Progress::Undecided | Progress::Elsewhere => Err(unknown(transaction.transaction_id)),
        Progress::Decided(decision) | Progress::Settled(decision, _)
            if decision.outcome == Outcome::Abort =>
        {
            Ok(Reply::Refused(refusal(
                transaction.transaction_id,
                decision.reason,
            )))
        }
        Progress::Decided(decision) => Ok(Reply::Unsettled(view(transaction, decision, None)?)),
        Progress::Settled(decision, at) => {
            Ok(Reply::Settled(view(transaction, decision, Some(at))?))
        }
    }
}

fn view(
    transaction: &NewTransaction,
    decision: Decision,
    settled_at: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<Box<TransferView>, Problem> {
    let record = Record {
        transaction_id: transaction.transaction_id,
        status: status_of(decision.outcome),
        protocol: transaction.protocol,
        phase: String::new(),
        participants: Vec::new(),
        descriptions: transaction
            .descriptions
            .iter()
            .map(|description| description.as_ref().map(ToString::to_string))
            .collect(),
        reason: decision.reason,
        request_id: String::new(),
        created_at: transaction.created_at,
        decided_at: Some(decision.decided_at),
        settled_at,
        replied_unsettled: false,
        timeline: Vec::new(),
        legs: transaction
            .legs
            .iter()
            .map(|leg| (leg.account_id, leg.change))
            .collect(),
    };
    shown(&record)
}

/// A record as clients see it.
pub(crate) fn shown(record: &Record) -> Result<Box<TransferView>, Problem> {
    record
        .view()
        .map(Box::new)
        .ok_or_else(|| Problem::internal(format_args!("{} has no credit", record.transaction_id)))
}

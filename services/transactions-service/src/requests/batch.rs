//! `POST /transfers/batch`: many transfers under one key, each by itself or all as one.

use std::sync::Arc;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use types::views::{BatchRequest, BatchResult, BatchResults, Protocol, Status, TransferRequest};
use types::{Code, TransactionId};

use super::placing::Places;
use super::single::{begin, in_progress, same_request};
use super::{Caller, fingerprint, reply};
use crate::app::App;
use crate::coordinator::Progress;
use crate::record::{NewTransaction, Record};
use crate::store::begin::{BeginRequest, Begun};
use crate::store::keys::{KeyKind, KeyRow, find};
use crate::store::transactions;
use crate::transfer::{Invalid, Transfer};

/// The most transfers one request may carry.
const MOST: usize = 1_000;

/// A transfer that was refused before anything began, as it is kept for repetitions.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Refused {
    index: usize,
    code: Code,
    detail: String,
}

/// What a batch came to.
pub(crate) struct BatchReply {
    pub(crate) results: BatchResults,
    /// A linked batch none of which was made.
    pub(crate) refused: bool,
    pub(crate) replayed: bool,
    /// The one transaction of a linked batch that was begun.
    pub(crate) linked: Option<TransactionId>,
    /// The id of the request that is repeated.
    pub(crate) original_request: Option<String>,
}

/// Carries out a batch, or repeats what was answered under its key.
pub(crate) async fn batch(
    app: &Arc<App>,
    caller: &Caller,
    request: BatchRequest,
) -> Result<BatchReply, Problem> {
    let count = request.transfers.len();
    if count == 0 || count > MOST {
        return Err(Problem::new(Code::InvalidBody)
            .detail(format!("A batch has 1 to {MOST} transfers, not {count}.")));
    }
    let linked = request.linked;
    let by_saga = |transfer: &TransferRequest| transfer.protocol == Some(Protocol::Saga);
    if linked && request.transfers.iter().any(by_saga) {
        return Err(Problem::new(Code::ProtocolUnavailable).detail(
            "A linked batch is one decision, which only two-phase commit makes; \
             send it without \"protocol\", or unlinked.",
        ));
    }
    let parsed: Vec<Result<Transfer, Invalid>> = request.transfers.into_iter().map(parse).collect();
    let fingerprint = fingerprint::of_batch(
        parsed
            .iter()
            .map(|item| item.as_ref().map_err(|invalid| invalid.code)),
        linked,
    );
    if let Some(row) = find(app.pool(), &caller.key_name()).await? {
        return replay(app, &row, &fingerprint, count, linked).await;
    }
    let (transactions, refused) = plan(app, caller, &parsed, linked).await?;
    if linked && !refused.is_empty() {
        return Ok(BatchReply {
            results: none_made(count, &refused),
            refused: true,
            replayed: false,
            linked: None,
            original_request: None,
        });
    }
    let request = BeginRequest {
        name: caller.key_name(),
        fingerprint: fingerprint.clone(),
        kind: if linked {
            KeyKind::Linked
        } else {
            KeyKind::Batch
        },
        transactions: transactions.clone(),
        refusals: serde_json::to_value(&refused).ok(),
    };
    if begin(app, request).await? == Begun::KeyTaken {
        let row = find(app.pool(), &caller.key_name()).await?;
        let row = row.ok_or_else(|| Problem::internal("a key that was taken is gone"))?;
        return replay(app, &row, &fingerprint, count, linked).await;
    }
    let outcomes = carry_out(app, transactions).await;
    service_kit::failpoints::hit("before_client_reply").await?;
    Ok(assemble(count, linked, &outcomes, &refused))
}

fn parse(request: TransferRequest) -> Result<Transfer, Invalid> {
    Transfer::try_from(request)
}

/// Which transactions begin, and what is refused before.
async fn plan(
    app: &Arc<App>,
    caller: &Caller,
    parsed: &[Result<Transfer, Invalid>],
    linked: bool,
) -> Result<(Vec<NewTransaction>, Vec<Refused>), Problem> {
    let places = Places::find(&app.directory, parsed.iter().flatten()).await?;
    let places = places.in_step(&app.coordination.numbers).await?;
    let mut refused = Vec::new();
    let mut good = Vec::new();
    for (index, item) in parsed.iter().enumerate() {
        let checked = match item {
            Ok(transfer) => places
                .check_debits(caller, transfer)
                .map(|()| transfer)
                .map_err(|problem| (problem.code(), problem.view().detail)),
            Err(invalid) => Err((invalid.code, invalid.detail.clone())),
        };
        match checked {
            Ok(transfer) => good.push(transfer),
            Err((code, detail)) => refused.push(Refused {
                index,
                code,
                detail,
            }),
        }
    }
    let transactions = if !linked {
        good.iter()
            .map(|transfer| places.transaction(caller, &[transfer]))
            .collect()
    } else if refused.is_empty() {
        vec![places.transaction(caller, &good)]
    } else {
        Vec::new()
    };
    Ok((transactions, refused))
}

/// Drives all of them at once and waits for what can be said of each.
async fn carry_out(app: &Arc<App>, transactions: Vec<NewTransaction>) -> Vec<Outcome> {
    let started: Vec<_> = transactions
        .into_iter()
        .map(|new| {
            let id = new.transaction_id;
            let refused = new.refused;
            let progress = refused.is_none().then(|| app.coordination.start(new));
            (id, refused, progress)
        })
        .collect();
    join_all(
        started
            .into_iter()
            .map(|(id, refused, progress)| async move {
                let Some(progress) = progress else {
                    return (id, Status::Aborted, refused);
                };
                match app.coordination.outcome(id, progress).await {
                    Progress::Undecided | Progress::Elsewhere => {
                        (id, Status::Pending, Some(Code::OutcomeUnknown))
                    }
                    Progress::Decided(decision) | Progress::Settled(decision, _) => (
                        id,
                        crate::record::status_of(decision.outcome),
                        decision.reason,
                    ),
                }
            }),
    )
    .await
}

type Outcome = (TransactionId, Status, Option<Code>);

/// The results in the order of the request.
fn assemble(count: usize, linked: bool, outcomes: &[Outcome], refused: &[Refused]) -> BatchReply {
    let mut begun = outcomes.iter().copied();
    let results: Vec<BatchResult> = (0..count)
        .map(|index| {
            if let Some(refusal) = refused.iter().find(|refusal| refusal.index == index) {
                return not_begun(index, refusal.code, refusal.detail.clone());
            }
            let outcome = if linked {
                outcomes.first().copied()
            } else {
                begun.next()
            };
            match outcome {
                Some((id, status, code)) => BatchResult {
                    index,
                    transaction_id: Some(id),
                    status,
                    code,
                    detail: code.map(|code| reply::explain(code).to_owned()),
                },
                None => not_begun(index, Code::InternalError, String::new()),
            }
        })
        .collect();
    let refused = linked
        && results
            .iter()
            .any(|result| result.status == Status::Aborted);
    BatchReply {
        results: BatchResults { results },
        refused,
        replayed: false,
        linked: outcomes.first().filter(|_| linked).map(|(id, ..)| *id),
        original_request: None,
    }
}

fn not_begun(index: usize, code: Code, detail: String) -> BatchResult {
    BatchResult {
        index,
        transaction_id: None,
        status: Status::Aborted,
        code: Some(code),
        detail: Some(detail),
    }
}

/// A linked batch of which one cannot begin: nothing was begun.
fn none_made(count: usize, refused: &[Refused]) -> BatchResults {
    let others = (
        Code::LinkedRefused,
        reply::explain(Code::LinkedRefused).to_owned(),
    );
    let results = (0..count)
        .map(|index| {
            let own = refused.iter().find(|refusal| refusal.index == index);
            let (code, detail) =
                own.map_or_else(|| others.clone(), |own| (own.code, own.detail.clone()));
            not_begun(index, code, detail)
        })
        .collect();
    BatchResults { results }
}

async fn replay(
    app: &Arc<App>,
    row: &KeyRow,
    fingerprint: &[u8],
    count: usize,
    linked: bool,
) -> Result<BatchReply, Problem> {
    same_request(row, fingerprint)?;
    let records = transactions::read(app.pool(), &row.transaction_ids).await?;
    let mut outcomes = Vec::with_capacity(row.transaction_ids.len());
    let mut original_request = None;
    for id in &row.transaction_ids {
        let record: &Record = records
            .get(id)
            .ok_or_else(|| Problem::internal("a key's transaction is gone"))?;
        if record.status == Status::Pending {
            return Err(in_progress());
        }
        outcomes.push((*id, record.status, record.reason));
        original_request.get_or_insert_with(|| record.request_id.clone());
    }
    let refused: Vec<Refused> = match &row.refusals {
        Some(value) => serde_json::from_value(value.clone()).map_err(Problem::internal)?,
        None => Vec::new(),
    };
    Ok(BatchReply {
        replayed: true,
        original_request,
        ..assemble(count, linked, &outcomes, &refused)
    })
}

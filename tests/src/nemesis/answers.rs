//! From what came over HTTP to what it means: done, refused for good, or nobody can say.

use history::{ItemResult, Reply, Request, Seen, What};
use serde_json::Value;
use types::TransactionId;
use types::views::{Account, BatchResults, CashReceipt, Page, Status, TransferView};

use crate::actor::Answer;

/// Codes that say that nothing was begun (the contract says so).
const NOTHING_BEGUN: [&str; 4] = [
    "overloaded",
    "rate_limited",
    "keys_unavailable",
    "unauthenticated",
];

/// What an answer means. Whatever is not clearly one of the two is unknown.
pub(super) fn meaning(request: &Request, answer: &Answer) -> What {
    let status = answer.status.as_u16();
    if let (200..=299, Some(reply)) = (status, reply(request, &answer.body)) {
        return What::Ok(reply);
    }
    let code = answer.code();
    let is_aborted = answer.body["transaction_status"] == "aborted";
    let transaction: Option<TransactionId> = answer.transaction_id().parse().ok();
    match (request.key(), transaction) {
        (Some(_), Some(id)) if is_aborted => What::Fail {
            code: code.to_owned(),
            transaction: Some(id),
        },
        (Some(_), None) if NOTHING_BEGUN.contains(&code) => What::Fail {
            code: code.to_owned(),
            transaction: None,
        },
        _ => What::Unknown {
            why: if code.is_empty() {
                format!("status {status}")
            } else {
                code.to_owned()
            },
        },
    }
}

fn reply(request: &Request, body: &Value) -> Option<Reply> {
    match request {
        Request::Transfer { .. } => {
            let view: TransferView = serde_json::from_value(body.clone()).ok()?;
            (view.status == Status::Committed).then_some(Reply::Transfer {
                transaction: view.transaction_id,
                settled: view.settled,
            })
        }
        Request::Batch { .. } => {
            let results: BatchResults = serde_json::from_value(body.clone()).ok()?;
            let results = results.results.into_iter();
            let results = results.map(|result| ItemResult {
                transaction: result.transaction_id,
                status: result.status,
                code: result.code.map(|code| code.to_string()),
            });
            Some(Reply::Batch(results.collect()))
        }
        Request::Deposit { .. } | Request::Withdrawal { .. } => {
            let receipt: CashReceipt = serde_json::from_value(body.clone()).ok()?;
            Some(Reply::Cash {
                transaction: receipt.transaction_id,
                version: receipt.entry.version,
                balance_after: receipt.entry.balance_after,
            })
        }
        Request::Read { .. } => {
            let account: Account = serde_json::from_value(body.clone()).ok()?;
            Some(Reply::Account(seen(&account)))
        }
        Request::List { .. } => {
            let page: Page<Account> = serde_json::from_value(body.clone()).ok()?;
            Some(Reply::Accounts(page.items.iter().map(seen).collect()))
        }
        Request::Status { .. } => {
            let view: TransferView = serde_json::from_value(body.clone()).ok()?;
            Some(Reply::Status {
                status: view.status,
                settled: view.settled,
            })
        }
    }
}

const fn seen(account: &Account) -> Seen {
    Seen {
        account: account.account_id,
        balance: account.balance,
        available: account.available_balance,
        version: account.version,
    }
}

//! The handlers, one file per endpoint. Which route leads to which is in `routes.rs`.

pub(crate) mod abort;
pub(crate) mod branches;
pub(crate) mod commit;
pub(crate) mod console;
pub(crate) mod customer_accounts;
pub(crate) mod deposit;
pub(crate) mod entries;
pub(crate) mod evidence;
pub(crate) mod force;
pub(crate) mod get_account;
pub(crate) mod ledger_check;
pub(crate) mod look_up;
pub(crate) mod messages;
pub(crate) mod numbers;
pub(crate) mod open_account;
pub(crate) mod patch_account;
pub(crate) mod prepare;
pub(crate) mod steps;
pub(crate) mod terminate;
pub(crate) mod unsafe_withdrawals;
pub(crate) mod withdraw;

use std::collections::BTreeMap;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use service_kit::auth::User;
use service_kit::idempotency::KeyHeader;
use service_kit::{Problem, Result, failpoints};
use two_phase::BranchState;
use two_phase::message::{
    Acknowledgement, AcknowledgementItem, AcknowledgementList, DecisionList, Outcome,
};
use types::views::Cash;
use types::{AccountId, Balance, Code, DecimalText, MoneyError, ParticipantId, TransactionId};

use crate::app::App;
use crate::cash::{Direction, Movement, carry_out};
use crate::idempotent::respond;
use crate::reading::not_found;

/// What is durably known of one branch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BranchItem {
    /// Of which transaction.
    pub(crate) transaction_id: TransactionId,
    /// Its state; `null` when there is none.
    pub(crate) state: Option<BranchState>,
}

/// What is durably known of some branches.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BranchList {
    /// Who answers.
    pub(crate) participant: ParticipantId,
    /// One item for each that was asked about.
    pub(crate) items: Vec<BranchItem>,
}

impl BranchList {
    fn new(
        participant: &ParticipantId,
        asked: Vec<TransactionId>,
        known: &BTreeMap<TransactionId, BranchState>,
    ) -> Self {
        let items = asked.into_iter().map(|transaction_id| BranchItem {
            transaction_id,
            state: known.get(&transaction_id).copied(),
        });
        Self {
            participant: participant.clone(),
            items: items.collect(),
        }
    }
}

/// Carries out the decisions of one request and acknowledges those that are durable.
async fn acknowledge(
    app: &App,
    list: DecisionList,
    outcome: Outcome,
) -> Result<AcknowledgementList> {
    let answers = app
        .decide(&list.items, outcome, list.numbers.clone())
        .await?;
    failpoints::hit("before_ack").await?;
    let acknowledged = |(transaction_id, answer): (_, Option<Acknowledgement>)| {
        answer.map(|acknowledgement| AcknowledgementItem {
            transaction_id,
            acknowledgement,
        })
    };
    Ok(AcknowledgementList {
        participant: app.own().clone(),
        items: list
            .items
            .into_iter()
            .zip(answers)
            .filter_map(acknowledged)
            .collect(),
        numbers: app.participant().numbers(list.numbers.as_ref()),
    })
}

/// Moves cash once for each key, and answers.
async fn move_cash(
    app: &App,
    teller: &User,
    account_id: AccountId,
    KeyHeader(key): KeyHeader,
    cash: Cash,
    direction: Direction,
) -> Result<Response> {
    let movement = Movement {
        account_id,
        direction,
        amount: cash.amount.amount().map_err(invalid_amount)?,
        description: cash.description.map(String::from),
    };
    let done = carry_out(app.pool(), app.own(), teller.login, key.clone(), movement).await;
    failpoints::hit("before_client_reply").await?;
    Ok(respond(done, &key, || not_found(account_id)))
}

/// What is no amount is 422 `invalid_amount`, with the reason in words.
fn invalid_amount(error: MoneyError) -> Problem {
    Problem::new(Code::InvalidAmount).detail(format!("Not an amount: {error}."))
}

/// An overdraft limit: zero or an amount.
fn limit(text: &DecimalText) -> Result<Balance> {
    let value = text.decimal().map_err(invalid_amount)?;
    let limit = Balance::try_from(value).map_err(invalid_amount)?;
    if limit.is_negative() {
        Err(invalid_amount(MoneyError::Negative))
    } else if limit >= Balance::LIMIT {
        Err(invalid_amount(MoneyError::TooLarge))
    } else {
        Ok(limit)
    }
}

/// The cursor is none that a page has named.
fn invalid_cursor() -> Problem {
    Problem::new(Code::InvalidParameter).detail("The cursor is not one of this list.")
}

//! The handlers, one file per endpoint. Which route leads to which is in `routes.rs`.

pub(crate) mod abort;
pub(crate) mod branches;
pub(crate) mod commit;
pub(crate) mod force;
pub(crate) mod get_account;
pub(crate) mod look_up;
pub(crate) mod prepare;
pub(crate) mod terminate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use service_kit::{Problem, failpoints};
use two_phase::BranchState;
use two_phase::message::{
    Acknowledgement, AcknowledgementItem, AcknowledgementList, DecisionList, Outcome,
};
use types::{ParticipantId, TransactionId};

use crate::app::App;

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
) -> Result<AcknowledgementList, Problem> {
    let answers = app.decide(&list.items, outcome).await?;
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
    })
}

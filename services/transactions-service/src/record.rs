//! A transaction as this service keeps it, in memory and in its database.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use two_phase::message::{Leg, Outcome, Share};
use types::views::{LegView, Protocol, Status, TimelineEvent, TransferView};
use types::{
    AccountId, Change, Code, Currency, CustomerId, ParticipantId, Text, Timestamp, TransactionId,
};

use crate::coordinator::in_flight::Live;

/// One leg with the bank that keeps its account; unknown for an account nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlacedLeg {
    pub(crate) account_id: AccountId,
    pub(crate) change: Change,
    pub(crate) transfer_index: u16,
    pub(crate) participant: Option<ParticipantId>,
}

/// A transaction that is about to begin.
#[derive(Debug, Clone)]
pub(crate) struct NewTransaction {
    pub(crate) transaction_id: TransactionId,
    pub(crate) currency: Option<Currency>,
    pub(crate) legs: Vec<PlacedLeg>,
    /// For each transfer in it: one, or those of a linked batch.
    pub(crate) descriptions: Vec<Option<Text<200>>>,
    pub(crate) linked: bool,
    pub(crate) protocol: Protocol,
    /// Whose accounts may be debited; `None` when the caller may debit any.
    pub(crate) debits_owned_by: Option<CustomerId>,
    pub(crate) request_id: String,
    pub(crate) created_at: DateTime<Utc>,
    /// Already known to be impossible: it is written as aborted and never sent anywhere.
    pub(crate) refused: Option<Code>,
}

impl NewTransaction {
    /// Everybody who takes part, in global order.
    pub(crate) fn participants(&self) -> Vec<ParticipantId> {
        let mut participants: Vec<_> = self
            .legs
            .iter()
            .filter_map(|leg| leg.participant.clone())
            .collect();
        participants.sort();
        participants.dedup();
        participants
    }

    /// The legs at one participant.
    pub(crate) fn legs_at(&self, participant: &ParticipantId) -> Vec<Leg> {
        self.legs
            .iter()
            .filter(|leg| leg.participant.as_ref() == Some(participant))
            .map(|leg| Leg {
                account_id: leg.account_id,
                change: leg.change,
                transfer_index: leg.transfer_index,
            })
            .collect()
    }

    /// How much falls to each participant. `None` when the sums are out of bounds.
    pub(crate) fn shares(&self) -> Option<Vec<Share>> {
        self.participants()
            .into_iter()
            .map(|participant| {
                let changes = self.legs_at(&participant).into_iter().map(|leg| leg.change);
                Some(Share {
                    net: types::Balance::sum(changes)?,
                    participant,
                })
            })
            .collect()
    }
}

/// A transaction as it stands in the database, with its legs.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) transaction_id: TransactionId,
    pub(crate) status: Status,
    pub(crate) protocol: Protocol,
    pub(crate) phase: String,
    pub(crate) participants: Vec<ParticipantId>,
    pub(crate) descriptions: Vec<Option<String>>,
    pub(crate) reason: Option<Code>,
    pub(crate) request_id: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) decided_at: Option<DateTime<Utc>>,
    pub(crate) settled_at: Option<DateTime<Utc>>,
    pub(crate) replied_unsettled: bool,
    pub(crate) timeline: Vec<Moment>,
    pub(crate) legs: Vec<(AccountId, Change)>,
}

impl Record {
    /// Adds what happened and is not written yet.
    pub(crate) fn complete(&mut self, live: Live) {
        self.settled_at = self.settled_at.or(live.settled_at);
        for moment in live.moments {
            if !self.timeline.contains(&moment) {
                self.timeline.push(moment);
            }
        }
    }

    /// What the client sees.
    ///
    /// `None` when the legs carry no credit, which is a damaged row.
    pub(crate) fn view(&self) -> Option<TransferView> {
        let (source, destination) = match self.legs.as_slice() {
            [(first, change), (second, _)] if change.is_debit() => (Some(*first), Some(*second)),
            [(first, _), (second, _)] => (Some(*second), Some(*first)),
            _ => (None, None),
        };
        Some(TransferView {
            transaction_id: self.transaction_id,
            status: self.status,
            settled: self.settled_at.is_some(),
            protocol: self.protocol,
            source_account_id: source,
            destination_account_id: destination,
            amount: crate::transfer::total(self.legs.iter().map(|(_, change)| *change))?,
            legs: self
                .legs
                .iter()
                .map(|(account_id, amount)| LegView {
                    account_id: *account_id,
                    amount: *amount,
                })
                .collect(),
            description: self.descriptions.first().cloned().flatten(),
            reason: self.reason,
            created_at: Timestamp::from(self.created_at),
            decided_at: self.decided_at.map(Timestamp::from),
            settled_at: self.settled_at.map(Timestamp::from),
        })
    }
}

/// Something that happened, as it is kept in `transactions.timeline`: lines, each a JSON array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub(crate) at: DateTime<Utc>,
    pub(crate) event: TimelineEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) participant: Option<ParticipantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

impl Moment {
    /// Now, by this machine's clock: for people to read.
    pub(crate) fn now(event: TimelineEvent, participant: Option<&ParticipantId>) -> Self {
        Self {
            at: Utc::now(),
            event,
            participant: participant.cloned(),
            detail: None,
        }
    }
}

/// What is added to `transactions.timeline`.
pub(crate) fn line_of(moments: &[Moment]) -> String {
    match serde_json::to_string(moments) {
        Ok(line) if !moments.is_empty() => line + "\n",
        _ => String::new(),
    }
}

/// What stands in `transactions.timeline`.
pub(crate) fn moments_of(timeline: &str) -> Result<Vec<Moment>, serde_json::Error> {
    let mut moments = Vec::new();
    for line in timeline.lines() {
        moments.append(&mut serde_json::from_str(line)?);
    }
    Ok(moments)
}

/// The status an outcome leads to.
pub(crate) const fn status_of(outcome: Outcome) -> Status {
    match outcome {
        Outcome::Commit => Status::Committed,
        Outcome::Abort => Status::Aborted,
    }
}

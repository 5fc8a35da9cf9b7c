//! A participant in doubt asks what became of its branches.
//!
//! The race it survives: the inquiry meets a transaction that is pending while its coordinator is
//! about to commit it. If the coordinator's lease runs, the answer is "pending". If it is over, the
//! abort is written first, by compare-and-set, and whatever then stands there is answered.

use std::collections::HashMap;

use chrono::Utc;
use service_kit::retention::since_1970;
use two_phase::inquiry::{InquiryStep, answer};
use two_phase::message::{InquiryAnswer, InquiryItem, InquiryList, InquiryReply, Outcome};
use two_phase::retention::is_forgotten;
use types::views::ParticipantState;
use types::{Code, ParticipantId, TransactionId};

use super::Coordination;
use super::alarm::raise_hazard;
use super::queues::StepError;
use crate::store::decisions::{Decided, NewDecision};
use crate::store::leases::{Standing, standing};
use crate::store::numbers;

/// Why an inquiry cannot be answered now; the participant asks again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Step(#[from] StepError),
    /// This database, or the one of the bank that asks, may have lost what is asked about.
    #[error("the two databases are not in step")]
    NotInStep,
}

/// Answers a list of inquiries.
///
/// Durable when it returns: every outcome that is answered, and a hazard for every transaction
/// that is unknown here and too young to have been deleted.
pub(crate) async fn reply(
    coordination: &Coordination,
    inquiry: InquiryList,
) -> Result<InquiryReply, Unanswered> {
    let who = &inquiry.participant;
    let numbers = coordination.numbers.confirm(who, inquiry.numbers.as_ref());
    let numbers = numbers.await.ok_or(Unanswered::NotInStep)?;
    let ids: Vec<_> = inquiry.items.iter().map(|id| id.uuid()).collect();
    let standing = standing(&coordination.pool, &ids, coordination.timings.lease).await?;
    let mut records: HashMap<TransactionId, _> = standing
        .into_iter()
        .map(|row| {
            // Late with our own lease, but at work: no reason to abort what we drive.
            let left_behind = row.lease_over && !coordination.in_flight.drives(row.transaction_id);
            (row.transaction_id, (row.status, left_behind, row))
        })
        .collect();
    still_in_step(coordination, who).await?;
    let mut items = Vec::with_capacity(inquiry.items.len());
    for transaction_id in inquiry.items {
        let record = records.remove(&transaction_id);
        let step = answer(record.as_ref().map(|(status, over, _)| (*status, *over)));
        let answer = match (step, record) {
            (InquiryStep::Answer(answer), _) => answer,
            (InquiryStep::DecideAbort, Some((_, _, row))) => abort_first(coordination, row).await?,
            (InquiryStep::DecideAbort, None) => InquiryAnswer::Unknown,
        };
        // One that is so old may have been deleted for its age: nothing is written about it.
        if answer == InquiryAnswer::Unknown && !is_forgotten(transaction_id, since_1970()) {
            raise_hazard(
                &coordination.pool,
                transaction_id,
                who,
                "UnknownTransaction",
                None,
            )
            .await?;
        }
        items.push(InquiryItem {
            transaction_id,
            answer,
        });
    }
    let numbers = inquiry.numbers.is_some().then_some(numbers);
    Ok(InquiryReply { items, numbers })
}

/// Asked for after the rows were read: what they say is this database's, and no earlier one's.
pub(super) async fn still_in_step(
    coordination: &Coordination,
    who: &ParticipantId,
) -> Result<(), Unanswered> {
    let incarnation = numbers::incarnation(&coordination.pool).await?;
    coordination.numbers.noticed(&incarnation);
    match coordination.numbers.state(who) {
        ParticipantState::InStep => Ok(()),
        _ => Err(Unanswered::NotInStep),
    }
}

async fn abort_first(
    coordination: &Coordination,
    row: Standing,
) -> Result<InquiryAnswer, StepError> {
    let decided = coordination
        .queues
        .decide(NewDecision {
            transaction_id: row.transaction_id,
            epoch: row.epoch,
            participants: row.participants,
            outcome: Outcome::Abort,
            reason: Some(Code::AbortedByRecovery),
            decided_at: Utc::now(),
            moments: Vec::new(),
        })
        .await?;
    Ok(match decided {
        Decided::Written | Decided::Already(Outcome::Abort, ..) => InquiryAnswer::Aborted,
        Decided::Already(Outcome::Commit, ..) => InquiryAnswer::Committed,
        // Of another participant it may not be known whether it has been told something else.
        Decided::NotOurs | Decided::NotInStep => InquiryAnswer::Pending,
        Decided::Missing => InquiryAnswer::Unknown,
    })
}

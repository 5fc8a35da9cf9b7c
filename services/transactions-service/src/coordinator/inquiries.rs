//! A participant in doubt asks what became of its branches.
//!
//! The race it survives: the inquiry meets a transaction that is pending while its coordinator is
//! about to commit it. If the coordinator's lease runs, the answer is "pending". If it is over, the
//! abort is written first, by compare-and-set, and whatever then stands there is answered.

use std::collections::HashMap;

use chrono::Utc;
use two_phase::inquiry::{InquiryStep, answer};
use two_phase::message::{InquiryAnswer, InquiryItem, InquiryList, InquiryReply, Outcome};
use types::{Code, TransactionId};

use super::Coordination;
use super::alarm::raise_hazard;
use super::queues::StepError;
use crate::store::decisions::{Decided, NewDecision};
use crate::store::leases::standing;

/// Why an inquiry cannot be answered now; the participant asks again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Step(#[from] StepError),
}

/// Answers a list of inquiries.
///
/// Durable when it returns: every outcome that is answered, and a hazard for every transaction
/// that is unknown here.
pub(crate) async fn reply(
    coordination: &Coordination,
    inquiry: InquiryList,
) -> Result<InquiryReply, Unanswered> {
    let ids: Vec<_> = inquiry.items.iter().map(|id| id.uuid()).collect();
    let standing = standing(&coordination.pool, &ids, coordination.timings.lease).await?;
    let mut records: HashMap<TransactionId, _> = standing
        .into_iter()
        .map(|(id, status, lease_over, epoch)| {
            // Late with our own lease, but at work: no reason to abort what we drive.
            let left_behind = lease_over && !coordination.in_flight.drives(id);
            (id, (status, left_behind, epoch))
        })
        .collect();
    let mut items = Vec::with_capacity(inquiry.items.len());
    for transaction_id in inquiry.items {
        let record = records.remove(&transaction_id);
        let step = answer(record.map(|(status, lease_over, _)| (status, lease_over)));
        let answer = match (step, record) {
            (InquiryStep::Answer(answer), _) => answer,
            (InquiryStep::DecideAbort, Some((_, _, epoch))) => {
                abort_first(coordination, transaction_id, epoch).await?
            }
            (InquiryStep::DecideAbort, None) => InquiryAnswer::Unknown,
        };
        if answer == InquiryAnswer::Unknown {
            let who = &inquiry.participant;
            raise_hazard(
                coordination,
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
    Ok(InquiryReply { items })
}

async fn abort_first(
    coordination: &Coordination,
    transaction_id: TransactionId,
    epoch: i32,
) -> Result<InquiryAnswer, StepError> {
    let decided = coordination
        .queues
        .decide(NewDecision {
            transaction_id,
            epoch,
            outcome: Outcome::Abort,
            reason: Some(Code::AbortedByRecovery),
            decided_at: Utc::now(),
            moments: Vec::new(),
        })
        .await?;
    Ok(match decided {
        Decided::Written | Decided::Already(Outcome::Abort, ..) => InquiryAnswer::Aborted,
        Decided::Already(Outcome::Commit, ..) => InquiryAnswer::Committed,
        Decided::NotOurs => InquiryAnswer::Pending,
        Decided::Missing => InquiryAnswer::Unknown,
    })
}

//! A participant asks which of its old branches it has to keep.
//!
//! The race it survives: this database was put back to an earlier state, or is about to be found so,
//! and what it has lost looks as if it had been deleted for its age; the branch is then all that is
//! left of it. So nothing is said while the two databases may not be in step, and that is looked at
//! after the rows were read.

use service_kit::retention::since_1970;
use two_phase::message::InquiryList;
use two_phase::retention::{Unfinished, may_delete_branch};

use super::Coordination;
use super::inquiries::{Unanswered, still_in_step};
use crate::store::retention::records;

/// Those of the transactions that are not done, or not for long enough. Nothing is written.
pub(crate) async fn reply(
    coordination: &Coordination,
    question: InquiryList,
) -> Result<Unfinished, Unanswered> {
    let who = &question.participant;
    let numbers = coordination.numbers.confirm(who, question.numbers.as_ref());
    let numbers = numbers.await.ok_or(Unanswered::NotInStep)?;
    let records = records(&coordination.pool, &question.items).await?;
    still_in_step(coordination, who).await?;
    let (now, kept_for) = (since_1970(), coordination.timings.kept_for);
    let kept = records
        .into_iter()
        .filter(|(id, record)| !may_delete_branch(*id, now, *record, kept_for));
    Ok(Unfinished {
        items: kept.map(|(id, _)| id).collect(),
        numbers: question.numbers.is_some().then_some(numbers),
    })
}

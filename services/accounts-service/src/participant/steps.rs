//! A list of saga steps is performed: one database transaction, then the answers.
//!
//! | question | file |
//! |---|---|
//! | what is an operation, and what becomes of its part? | [`operation`] |
//! | can it be performed? | [`judge`] |
//! | what does it book? | [`booking`] |
//! | what has come before, or too late? | [`saga::barrier`], over a list: [`work`] |
//!
//! The race it survives: a step and what undoes it arrive together, or the step arrives when it was
//! given up long ago. Both begin by inserting the row of the step's operation, so one of them waits
//! for the other's commit and then finds a row, in a later statement whose snapshot contains it. A
//! step that was undone before it came finds it closed. Rows are locked operations first, then
//! parts, then accounts, each in id order, so that lists never wait for each other in a circle.

pub mod booking;
pub mod judge;
pub mod operation;
mod rows;
pub mod work;

use std::collections::BTreeSet;

use service_kit::failpoints;
use service_kit::halving::{Part, halve};
use sqlx::PgConnection;
use two_phase::message::Numbers;
use two_phase::steps::{Step, StepAnswer};
use types::{ParticipantId, TransactionId};

use super::alarm::{self, HazardKind};
use super::numbers::NotInStep;
use super::{Participant, is_forgotten};
use crate::ledger::Book;
use crate::store::{StoreError, accounts, parts, written};
use operation::Operation;
use rows::{Barrier, Parts};
use work::Work;

/// Performs a list, each operation by itself. `None`: nothing is known of it.
pub(super) async fn perform_list(
    participant: &Participant,
    list: Vec<Step>,
    heard: Option<&Numbers>,
) -> Result<Vec<Option<StepAnswer>>, NotInStep> {
    let list: Vec<Operation> = list.into_iter().map(Operation::from).collect();
    let mut answers = Vec::with_capacity(list.len());
    for (length, part) in halve(&list, |part| in_one_transaction(participant, heard, part)).await {
        match part {
            Part::Done(done) => answers.extend(done.into_iter().map(Some)),
            Part::Unknown(StoreError::NotInStep(refused)) => return Err(refused),
            Part::Refused(error) => {
                cannot_perform(participant, &list[answers.len()], &error).await;
                answers.push(None);
            }
            Part::Unknown(error) => {
                tracing::warn!(event = "STEPS_UNANSWERED", items = length, %error);
                answers.resize(answers.len() + length, None);
            }
        }
    }
    for (operation, answer) in list.iter().zip(&answers) {
        report(operation, *answer);
    }
    Ok(answers)
}

/// The database refuses what the accounts allow: that is for people.
async fn cannot_perform(participant: &Participant, operation: &Operation, error: &StoreError) {
    let id = operation.transaction_id;
    let found = HazardKind::StepContradiction.of(id, Some(error.to_string()));
    if let Err(error) = alarm::raise(&participant.pool, vec![found]).await {
        tracing::error!(event = "HAZARD_NOT_RECORDED", transaction_id = %id, %error);
    }
}

async fn in_one_transaction(
    participant: &Participant,
    heard: Option<&Numbers>,
    items: Vec<Operation>,
) -> Result<Vec<StepAnswer>, StoreError> {
    let own = &participant.own;
    let lane = participant.numbers.lane();
    let mut transaction = participant.pool.begin().await?;
    let raised = lane.raise(&mut transaction, heard).await?;
    let forgotten = forgotten(&mut transaction, &items).await?;
    let barrier = Barrier::pass(&mut transaction, &items, &forgotten).await?;
    let parts = Parts::find(&mut transaction, &items, &barrier, own).await?;
    let book = open_book(&mut transaction, own, &items, &barrier).await?;

    let mut work = Work::new(own, book, barrier.before(), parts.before(), forgotten);
    let answers: Vec<StepAnswer> = items.iter().map(|item| work.perform(item)).collect();
    let performed = work.finish();

    let (changed, lines) = performed.book.close();
    written::write(&mut transaction, &changed, &lines, &[]).await?;
    parts.write(&mut transaction, &performed.parts).await?;
    barrier.write(&mut transaction, &performed.recorded).await?;
    let contradictions = alarm::record(&mut transaction, &performed.hazards).await?;
    failpoints::hit("before_step_commit").await?;
    transaction.commit().await?;
    lane.committed(raised);
    contradictions.announce();
    failpoints::hit("after_step_commit").await?;
    Ok(answers)
}

/// The transactions of the list that are so old that they may have been deleted here, and of which
/// nothing is here. One that is stuck is still here, however old it is.
async fn forgotten(
    connection: &mut PgConnection,
    items: &[Operation],
) -> Result<BTreeSet<TransactionId>, StoreError> {
    let ids = items.iter().map(|item| item.transaction_id);
    let mut old: BTreeSet<TransactionId> = ids.filter(|id| is_forgotten(*id)).collect();
    for known in parts::known(connection, &old).await? {
        old.remove(&known);
    }
    Ok(old)
}

/// Locks every account that the operations which are new may change, system accounts included.
async fn open_book(
    connection: &mut PgConnection,
    own: &ParticipantId,
    items: &[Operation],
    barrier: &Barrier,
) -> Result<Book, StoreError> {
    let new = || items.iter().filter(|item| barrier.is_new(item.id));
    let sound = new().filter(|item| item.defect(own).is_none());
    let system = sound.flat_map(|item| booking::system_accounts(item, own));
    accounts::open_system_accounts(connection, system).await?;
    let touched = new().flat_map(|item| booking::accounts(item, own));
    Ok(Book::new(accounts::lock(connection, touched).await?))
}

fn report(operation: &Operation, answer: Option<StepAnswer>) {
    let (step, direction) = (operation.step.as_str(), operation.direction().as_str());
    let (word, code) = match answer {
        Some(StepAnswer::Done) => ("done", None),
        Some(StepAnswer::Refused { code }) => ("refused", Some(code.as_str())),
        Some(StepAnswer::NotNow { code }) => ("not_now", Some(code.as_str())),
        None => ("unknown", None),
    };
    metrics::counter!("bank_saga_steps_total", "step" => step, "direction" => direction, "answer" => word)
        .increment(1);
    tracing::info!(
        event = "STEP_ANSWERED",
        transaction_id = %operation.transaction_id,
        step,
        direction,
        answer = word,
        code,
    );
}

//! Any list of PREPAREs and decisions: everything it is about is locked, then decided upon, then
//! written.
//!
//! The race it survives: whatever else wants these rows. Rows are locked branches first, then
//! accounts, each in id order, so that lists never wait for each other in a circle.

use std::collections::BTreeSet;

use sqlx::{Connection, PgConnection};
use two_phase::message::Numbers;
use two_phase::messages::Answer;
use two_phase::planted::{Bug, is_planted};
use types::views::AuditAction;
use types::{ParticipantId, TransactionId};

use super::messages::{Item, Work, decided, wanted};
use super::{Participant, alarm, decide, prepare};
use crate::ledger::Book;
use crate::store::audit::{self, NewEntry};
use crate::store::branches::Transition;
use crate::store::{StoreError, accounts, branches, written};

/// Answers a list in one database transaction. What is answered is durable.
pub(super) async fn answer(
    participant: &Participant,
    connection: &mut PgConnection,
    heard: Option<&Numbers>,
    items: &[Item],
) -> Result<Vec<Option<Answer>>, StoreError> {
    let own = &participant.own;
    let lane = participant.numbers.lane();
    let mut transaction = connection.begin().await?;
    let raised = lane.raise(&mut transaction, heard).await?;
    let (mut work, mut book) = lock(&mut transaction, own, items).await?;
    work.decisions.carry_out(&mut book, own);
    work.prepares.vote(&mut book, own)?;

    let (changed, lines) = book.close();
    if is_planted(Bug::LegsBookedApart) && !lines.is_empty() {
        written::write(&mut transaction, &changed[..changed.len().min(1)], &[], &[]).await?;
        transaction.commit().await?;
        transaction = connection.begin().await?;
    }
    let mut transitions: Vec<Transition> = work.decisions.transitions();
    transitions.extend(work.prepares.refused());
    written::write(&mut transaction, &changed, &lines, &transitions).await?;
    branches::take_back(&mut transaction, &work.prepares.busy()).await?;
    let hazards = work.decisions.hazards().chain(work.prepares.hazards());
    let hazards: Vec<_> = hazards.collect();
    let recorded = alarm::record(&mut transaction, &hazards).await?;
    for (id, outcome, state) in work.decisions.results() {
        let entry = NewEntry {
            outcome: Some(outcome),
            detail: Some(state.as_str()),
            ..NewEntry::of(AuditAction::Result, id)
        };
        audit::append(&mut transaction, own, &entry).await?;
    }
    if work.before_commit().await? {
        return Ok(work.answers());
    }
    transaction.commit().await?;
    lane.committed(raised);
    recorded.announce();
    work.after_commit().await?;
    Ok(work.answers())
}

/// Inserts what is new, then locks everything that the list is about.
async fn lock<'a>(
    connection: &mut PgConnection,
    own: &ParticipantId,
    items: &'a [Item],
) -> Result<(Work<'a>, Book), StoreError> {
    let mut prepares = prepare::insert(connection, wanted(items)).await?;
    let mut decisions = decide::insert(connection, decided(items)).await?;
    // In a later statement than the insertions: its snapshot contains what they waited for.
    let ids: Vec<TransactionId> = prepares.known().chain(decisions.known()).collect();
    for branch in branches::lock(connection, &ids).await? {
        if let Some(branch) = prepares.found(branch) {
            decisions.found(branch);
        }
    }
    prepares.answer_known();
    let clearing = decisions.clearing(own);
    let mut touched: BTreeSet<_> = clearing.iter().map(|account| account.account_id).collect();
    touched.extend(prepares.accounts());
    touched.extend(decisions.accounts());
    accounts::open_system_accounts(connection, clearing).await?;
    let book = Book::new(accounts::lock(connection, touched).await?);
    let work = Work {
        items,
        prepares,
        decisions,
    };
    Ok((work, book))
}

//! The usual list, without a lock: what it is about is read, decided upon in memory, and written by
//! one statement, all of it or nothing.
//!
//! The race it survives: somebody else changes one of these rows in between. The statement compares
//! every account with what was read, finishes only branches that are prepared, and inserts only
//! branches that are not there; when anything is not as it was, it fails as a whole, and the list is
//! worked on again with locks (`locked.rs`). This is optimistic concurrency control (H. T. Kung and
//! J. T. Robinson, 1981) with the rows themselves as what is validated; it takes two or three
//! statements where locks take seven, and nobody waits for a lock while this process thinks.

use std::collections::BTreeSet;

use sqlx::PgConnection;
use two_phase::BranchState;
use two_phase::message::Numbers;
use two_phase::messages::Answer;
use two_phase::planted::{Bug, is_planted};
use types::ParticipantId;

use super::decide::Decisions;
use super::messages::{Item, Work, decided, wanted};
use super::numbers::NotInStep;
use super::prepare::Prepares;
use super::recent::Remembered;
use super::{Participant, is_forgotten};
use crate::account::Accounts;
use crate::branch::Branch;
use crate::ledger::Book;
use crate::store::accounts::Marks;
use crate::store::written::{Changes, write_if_unchanged};
use crate::store::{StoreError, accounts, branches};

/// Answers a list whose PREPAREs are new and whose decisions are about prepared branches. `None`,
/// with nothing written, when it is not such a list.
///
/// What is answered is durable.
///
/// # Errors
/// [`StoreError`]; a serialization failure, with nothing written, when something has changed in
/// between.
pub(super) async fn answer(
    participant: &Participant,
    connection: &mut PgConnection,
    heard: Option<&Numbers>,
    items: &[Item],
    remembered: Remembered,
) -> Result<Option<Vec<Option<Answer>>>, StoreError> {
    let own = &participant.own;
    let read = read(connection, own, items, remembered).await?;
    let Some((mut work, mut book, marks)) = read else {
        return Ok(None);
    };
    work.decisions.carry_out(&mut book, own);
    work.prepares.vote(&mut book, own)?;
    let usual = work.prepares.busy().is_empty() && work.decisions.hazards().next().is_none();
    if !usual || needs_locks() {
        return Ok(None);
    }
    let (accounts, entries) = book.close();
    let branches = work.prepares.branches();
    let changes = Changes {
        accounts: &accounts,
        entries: &entries,
        transitions: &work.decisions.transitions(),
        branches: &branches,
    };
    if work.before_commit().await? {
        return Ok(Some(work.answers()));
    }
    let lane = participant.numbers.lane();
    let raise = lane.raising(heard);
    let written = write_if_unchanged(connection, &changes, &marks, raise.as_ref()).await?;
    let raised = written.ok_or(StoreError::NotInStep(NotInStep))?;
    lane.committed(lane.raised(raised.own, heard));
    participant.recent.written(accounts, &raised.mark);
    work.after_commit().await?;
    Ok(Some(work.answers()))
}

/// What the list is about, as it stands, or as it is remembered.
async fn read<'a>(
    connection: &mut PgConnection,
    own: &ParticipantId,
    items: &'a [Item],
    remembered: Remembered,
) -> Result<Option<(Work<'a>, Book, Marks)>, StoreError> {
    if items.iter().any(|item| is_forgotten(item.id())) {
        return Ok(None);
    }
    let prepares = Prepares::all_new(wanted(items));
    let mut decisions = Decisions::of(decided(items));
    for (transaction_id, content) in remembered.branches {
        decisions.found(Branch {
            transaction_id,
            state: BranchState::Prepared,
            content: Some(content),
            reason: None,
        });
    }
    let ids: Vec<_> = decisions.known().collect();
    if !ids.is_empty() {
        for branch in branches::read(connection, &ids).await? {
            decisions.found(branch);
        }
    }
    if !decisions.are_usual() {
        return Ok(None);
    }
    let clearing = decisions.clearing(own);
    let clearing: Vec<_> = clearing.iter().map(|account| account.account_id).collect();
    let mut touched: BTreeSet<_> = clearing.iter().copied().collect();
    touched.extend(prepares.accounts());
    touched.extend(decisions.accounts());
    touched.retain(|account| !remembered.accounts.contains_key(account));
    let (mut accounts, mut marks) = (Accounts::new(), Marks::new());
    if !touched.is_empty() {
        (accounts, marks) = accounts::read(connection, touched).await?;
    }
    for (id, (account, mark)) in remembered.accounts {
        accounts.insert(id, account);
        marks.insert(id, mark);
    }
    if !clearing
        .iter()
        .all(|account| accounts.contains_key(account))
    {
        return Ok(None);
    }
    let work = Work {
        items,
        prepares,
        decisions,
    };
    Ok(Some((work, Book::new(accounts), marks)))
}

/// The planted mistakes that are made with locks only.
fn needs_locks() -> bool {
    let bugs = [
        Bug::LegsBookedApart,
        Bug::RefusalNotWritten,
        Bug::BusyLeavesBranch,
    ];
    bugs.into_iter().any(is_planted)
}

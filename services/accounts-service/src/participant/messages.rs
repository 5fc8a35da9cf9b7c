//! A list of PREPAREs and decisions becomes durable: one database transaction, then the answers.
//!
//! | question | file |
//! |---|---|
//! | how is the usual list written? | `unlocked.rs` |
//! | and one that is not usual, or has lost a race? | `locked.rs` |
//! | what is inserted, and how is a vote come to? | `prepare.rs` |
//! | what is done about a branch that is decided? | `decide.rs` |
//!
//! Both kinds share one database transaction because its costs are the same for one item and for
//! five hundred. Decisions are carried out first: what they release counts for the votes.

use std::collections::HashSet;
use std::sync::Arc;

use service_kit::database::Transient;
use service_kit::failpoints;
use service_kit::halving::{OfAnItem, Part, halve};
use sqlx::PgConnection;
use two_phase::message::{Numbers, Outcome};
use two_phase::messages::{Answer, Message};
use two_phase::planted::{Bug, is_planted};
use types::TransactionId;

use super::decide::{self, Decisions};
use super::numbers::NotInStep;
use super::prepare::Prepares;
use super::recent::Remembered;
use super::{Participant, locked, unlocked};
use crate::branch::Content;
use crate::store::StoreError;

/// A message as it is worked on.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Prepare(TransactionId, Arc<Content>),
    Decide(TransactionId, Outcome),
}

impl From<Message> for Item {
    fn from(message: Message) -> Self {
        match message {
            Message::Prepare(prepare) => {
                Self::Prepare(prepare.transaction_id, Arc::new(Content::from(prepare)))
            }
            Message::Decide(id, outcome) => Self::Decide(id, outcome),
        }
    }
}

impl Item {
    pub(super) const fn id(&self) -> TransactionId {
        match self {
            Self::Prepare(id, _) | Self::Decide(id, _) => *id,
        }
    }
}

/// Answers a list, each message by itself. One whose decision cannot be carried out becomes a
/// hazard; `None`: nothing is known of it.
pub(super) async fn answer_list(
    participant: &Participant,
    list: Vec<Message>,
    heard: Option<&Numbers>,
) -> Result<Vec<Option<Answer>>, NotInStep> {
    let list: Vec<Item> = list.into_iter().map(Item::from).collect();
    let mut answers = Vec::with_capacity(list.len());
    for run in runs(&list) {
        answer_run(participant, run, heard, &mut answers).await?;
    }
    Ok(answers)
}

/// The list in parts that name no transaction twice: what is said of one again is looked at when
/// what was said first is durable.
fn runs(list: &[Item]) -> Vec<&[Item]> {
    let (mut runs, mut begin) = (Vec::new(), 0);
    let mut seen = HashSet::with_capacity(list.len());
    for (place, item) in list.iter().enumerate() {
        if !seen.insert(item.id()) {
            runs.push(&list[begin..place]);
            begin = place;
            seen.clear();
            seen.insert(item.id());
        }
    }
    runs.push(&list[begin..]);
    runs
}

async fn answer_run(
    participant: &Participant,
    run: &[Item],
    heard: Option<&Numbers>,
    answers: &mut Vec<Option<Answer>>,
) -> Result<(), NotInStep> {
    let mut done = 0;
    for (length, part) in halve(run, |part| in_one_transaction(participant, heard, part)).await {
        let items = &run[done..done + length];
        done += length;
        match (part, items) {
            (Part::Done(more), _) => answers.extend(more),
            (Part::Unknown(StoreError::NotInStep(refused)), _) => {
                participant.recent.forget();
                return Err(refused);
            }
            (Part::Refused(error), [Item::Decide(id, _)]) => {
                let hazard = decide::cannot_apply(&participant.pool, *id, &error).await;
                answers.push(hazard.map(Answer::Acknowledgement));
            }
            (Part::Refused(error) | Part::Unknown(error), _) => {
                unanswered(items, &error);
                answers.resize(answers.len() + length, None);
            }
        }
    }
    Ok(())
}

async fn in_one_transaction(
    participant: &Participant,
    heard: Option<&Numbers>,
    items: Vec<Item>,
) -> Result<Vec<Option<Answer>>, StoreError> {
    // One connection for both ways: whoever was overtaken does not stand in line again.
    let mut connection = participant.pool.acquire().await?;
    if participant.crowd.is_thin() {
        match without_locks(participant, &mut connection, heard, &items).await {
            Ok(Some(answers)) => {
                participant.recent.promised(items, &answers);
                return Ok(answers);
            }
            Ok(None) => {}
            Err(error) if error.is_transient() => participant.crowd.overtaken(),
            // What an item is blamed for is found out where nothing can change meanwhile.
            Err(error) if error.is_of_an_item() => {}
            Err(error) => return Err(error),
        }
    }
    locked::answer(participant, &mut connection, heard, &items).await
}

/// With what is remembered; and where that is not as it was, once more with what stands there.
async fn without_locks(
    participant: &Participant,
    connection: &mut PgConnection,
    heard: Option<&Numbers>,
    items: &[Item],
) -> Result<Option<Vec<Option<Answer>>>, StoreError> {
    let remembered = participant.recent.take(items);
    if !remembered.is_nothing() {
        match unlocked::answer(participant, connection, heard, items, remembered).await {
            Err(error) if error.is_transient() => {}
            answered => return answered,
        }
    }
    let nothing = Remembered::default();
    unlocked::answer(participant, connection, heard, items, nothing).await
}

fn unanswered(items: &[Item], error: &StoreError) {
    let (wanted, decided) = (wanted(items), decided(items));
    if !wanted.is_empty() {
        tracing::warn!(event = "PREPARE_UNANSWERED", items = wanted.len(), %error);
    }
    if !decided.is_empty() {
        tracing::warn!(event = "DECISIONS_UNANSWERED", items = decided.len(), %error);
    }
}

/// What a list is about, and what has come of it so far.
pub(super) struct Work<'a> {
    pub(super) items: &'a [Item],
    pub(super) prepares: Prepares<'a>,
    pub(super) decisions: Decisions,
}

impl Work<'_> {
    /// To each item, in the same order.
    pub(super) fn answers(&self) -> Vec<Option<Answer>> {
        let answer = |item: &Item| match item {
            Item::Prepare(id, _) => self.prepares.vote_on(*id).map(Answer::Vote),
            Item::Decide(id, _) => {
                let acknowledgement = self.decisions.acknowledgement(*id);
                acknowledgement.map(Answer::Acknowledgement)
            }
        };
        self.items.iter().map(answer).collect()
    }

    /// The failpoints before the commit. True when it is to be left out: the planted mistakes.
    pub(super) async fn before_commit(&self) -> Result<bool, failpoints::Injected> {
        if !self.prepares.is_empty() {
            failpoints::hit("before_prepare_commit").await?;
        }
        if !self.decisions.is_empty() {
            failpoints::hit("before_apply_commit").await?;
        }
        Ok(
            is_planted(Bug::VoteBeforeCommit) && self.decisions.is_empty()
                || is_planted(Bug::AcknowledgementBeforeCommit) && self.prepares.is_empty(),
        )
    }

    /// Logs and counts what is durable now; the failpoints after the commit.
    pub(super) async fn after_commit(&self) -> Result<(), failpoints::Injected> {
        self.prepares.report();
        self.decisions.report();
        if !self.prepares.is_empty() {
            failpoints::hit("after_prepare_commit").await?;
        }
        if !self.decisions.is_empty() {
            failpoints::hit("after_apply").await?;
        }
        Ok(())
    }
}

/// The PREPAREs among them.
pub(super) fn wanted(items: &[Item]) -> Vec<(TransactionId, &Content)> {
    let wanted = items.iter().filter_map(|item| match item {
        Item::Prepare(id, content) => Some((*id, &**content)),
        Item::Decide(..) => None,
    });
    wanted.collect()
}

/// The decisions among them.
pub(super) fn decided(items: &[Item]) -> Vec<(TransactionId, Outcome)> {
    let decided = items.iter().filter_map(|item| match item {
        Item::Decide(id, outcome) => Some((*id, *outcome)),
        Item::Prepare(..) => None,
    });
    decided.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_again_of_a_transaction_waits_for_what_was_said_first() {
        let ids: Vec<_> = (0..3).map(|_| TransactionId::generate()).collect();
        let list: Vec<Item> = [0, 1, 0, 0, 2, 1]
            .into_iter()
            .map(|id| Item::Decide(ids[id], Outcome::Commit))
            .collect();
        let lengths: Vec<_> = runs(&list).into_iter().map(<[Item]>::len).collect();
        assert_eq!(lengths, [2, 1, 3]);
        assert_eq!(runs(&[]).concat().len(), 0);
    }
}

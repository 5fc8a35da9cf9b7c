//! A list of PREPAREs becomes durable: one database transaction, then the votes.
//!
//! The race it survives: PREPARE and ABORT of one transaction arrive together. Both begin by
//! inserting the branch, so one of them waits for the other's commit and then finds a row; it looks
//! at that row in a later statement, whose snapshot contains it. Whoever asked "is there a branch?"
//! first and inserted afterwards could prepare what was just aborted, for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use service_kit::failpoints;
use service_kit::halving::{Part, halve};
use sqlx::PgConnection;
use two_phase::BranchState;
use two_phase::message::{Numbers, Prepare, Vote};
use two_phase::participant::{PrepareStep, after_vote, on_prepare};
use two_phase::planted::{Bug, is_planted};
use types::{Code, ParticipantId, TransactionId};

use super::alarm::{self, HazardKind};
use super::numbers::NotInStep;
use super::vote::{hold, vote};
use super::{Participant, is_forgotten};
use crate::branch::{Branch, Content};
use crate::store::branches::Transition;
use crate::store::{StoreError, accounts, branches};

type Item = (TransactionId, Content);

/// The reason of every NO about a transaction that is over.
const TOO_LATE: Vote = Vote::No {
    reason: Code::AbortedByRecovery,
};

/// Votes on a list, each item by itself.
pub(super) async fn prepare_list(
    participant: &Participant,
    list: Vec<Prepare>,
    heard: Option<&Numbers>,
) -> Result<Vec<Option<Vote>>, NotInStep> {
    let list: Vec<Item> = list
        .into_iter()
        .map(|prepare| (prepare.transaction_id, Content::from(prepare)))
        .collect();
    let (first_of, distinct) = distinct(&list);

    let mut votes: HashMap<TransactionId, Vote> = HashMap::new();
    let mut done = 0;
    for (length, part) in halve(&distinct, |part| {
        in_one_transaction(participant, heard, part)
    })
    .await
    {
        let ids = distinct[done..done + length].iter().map(|(id, _)| *id);
        done += length;
        match part {
            Part::Done(answers) => {
                let answered = ids.zip(answers);
                votes.extend(answered.filter_map(|(id, vote)| Some((id, vote?))));
            }
            Part::Unknown(StoreError::NotInStep(refused)) => return Err(refused),
            Part::Refused(error) | Part::Unknown(error) => {
                tracing::warn!(event = "PREPARE_UNANSWERED", items = length, %error);
            }
        }
    }
    for (id, vote) in &votes {
        report(*id, *vote);
    }
    let answers = list.iter().zip(first_of).map(|((id, content), first)| {
        let vote = votes.get(id).copied()?;
        let same = list[first].1 == *content;
        Some(if same || vote != Vote::Yes {
            vote
        } else {
            Vote::Contradiction
        })
    });
    Ok(answers.collect())
}

/// The items without repetitions, and for each item of the list where its id stands first.
fn distinct(list: &[Item]) -> (Vec<usize>, Vec<Item>) {
    let mut places: HashMap<TransactionId, usize> = HashMap::new();
    let mut distinct = Vec::with_capacity(list.len());
    let mut first_of = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let first = *places.entry(item.0).or_insert(index);
        if first == index {
            distinct.push(item.clone());
        }
        first_of.push(first);
    }
    (first_of, distinct)
}

async fn in_one_transaction(
    participant: &Participant,
    heard: Option<&Numbers>,
    items: Vec<Item>,
) -> Result<Vec<Option<Vote>>, StoreError> {
    let lane = participant.numbers.lane();
    let mut transaction = participant.pool.begin().await?;
    let raised = lane.raise(&mut transaction, heard).await?;
    let (new, mut votes) = insert(&mut transaction, &items).await?;
    examine(&mut transaction, &participant.own, &new, &mut votes).await?;
    let contradictions: Vec<_> = votes
        .iter()
        .filter(|(_, vote)| **vote == Vote::Contradiction)
        .map(|(id, _)| HazardKind::PrepareContradiction.of(*id, None))
        .collect();
    let recorded = alarm::record(&mut transaction, &contradictions).await?;
    failpoints::hit("before_prepare_commit").await?;
    if is_planted(Bug::VoteBeforeCommit) {
        return Ok(items.iter().map(|(id, _)| votes.remove(id)).collect());
    }
    transaction.commit().await?;
    lane.committed(raised);
    recorded.announce();
    failpoints::hit("after_prepare_commit").await?;
    Ok(items.iter().map(|(id, _)| votes.remove(id)).collect())
}

type Votes = HashMap<TransactionId, Vote>;

/// Inserts the branches that are new, and answers for those that were there already.
async fn insert<'a>(
    connection: &mut PgConnection,
    items: &'a [Item],
) -> Result<(Vec<&'a Item>, Votes), StoreError> {
    let wanted: Vec<(TransactionId, &Content)> = items
        .iter()
        .filter(|(id, _)| !is_forgotten(*id))
        .map(|(id, content)| (*id, content))
        .collect();
    let inserted: BTreeSet<TransactionId> = branches::insert_prepared(connection, &wanted)
        .await?
        .into_iter()
        .collect();
    let (new, rest): (Vec<&Item>, Vec<&Item>) =
        items.iter().partition(|(id, _)| inserted.contains(id));
    let ids: Vec<TransactionId> = rest.iter().map(|(id, _)| *id).collect();
    let known: BTreeMap<TransactionId, Branch> = branches::lock(connection, &ids)
        .await?
        .into_iter()
        .map(|branch| (branch.transaction_id, branch))
        .collect();
    let mut votes = Votes::with_capacity(items.len());
    for (id, content) in rest {
        let vote = match known.get(id) {
            Some(branch) => answer(branch, content),
            None if is_forgotten(*id) => Some(TOO_LATE),
            // It was there a statement ago and is gone: ask again.
            None => None,
        };
        votes.extend(vote.map(|vote| (*id, vote)));
    }
    Ok((new, votes))
}

/// What is said about a branch that is there already.
fn answer(branch: &Branch, content: &Content) -> Option<Vote> {
    if let (BranchState::Refused, Some(reason)) = (branch.state, branch.reason) {
        // As it was refused the first time.
        return Some(Vote::No { reason });
    }
    let same = branch.content.as_ref() == Some(content);
    match on_prepare(Some(branch.state), same) {
        PrepareStep::Answer(vote) => Some(vote),
        PrepareStep::Examine => None,
    }
}

/// Locks the accounts of the new branches and votes on them one after the other, each on what the
/// ones before hold.
async fn examine(
    connection: &mut PgConnection,
    own: &ParticipantId,
    new: &[&Item],
    votes: &mut Votes,
) -> Result<(), StoreError> {
    let legs = new.iter().flat_map(|(_, content)| &content.legs);
    let mut state = accounts::lock(connection, legs.map(|leg| leg.account_id)).await?;
    let (mut held, mut refused, mut busy) = (BTreeSet::new(), Vec::new(), Vec::new());
    for (id, content) in new {
        let (next, vote) = after_vote(vote(&state, content, own));
        match next {
            Some(BranchState::Prepared) => {
                hold(&mut state, *id, content)
                    .ok_or_else(|| StoreError::Damaged(format!("the sums of {id}")))?;
                held.extend(content.legs.iter().map(|leg| leg.account_id));
            }
            Some(state) => refused.push(Transition {
                transaction_id: *id,
                state,
                reason: match vote {
                    Vote::No { reason } => Some(reason),
                    _ => None,
                },
            }),
            None => busy.push(*id),
        }
        votes.insert(*id, vote);
    }
    state.retain(|id, _| held.contains(id));
    let changed: Vec<_> = state.into_values().collect();
    accounts::update(connection, &changed).await?;
    refused.retain(|_| !is_planted(Bug::RefusalNotWritten));
    branches::set_states(connection, &refused).await?;
    busy.retain(|_| !is_planted(Bug::BusyLeavesBranch));
    branches::take_back(connection, &busy).await
}

fn report(transaction_id: TransactionId, vote: Vote) {
    let (word, reason) = match vote {
        Vote::Yes => ("yes", None),
        Vote::No { reason } => ("no", Some(reason.as_str())),
        Vote::Busy => ("busy", None),
        Vote::Contradiction => ("contradiction", None),
    };
    metrics::counter!("bank_votes_total", "vote" => word).increment(1);
    tracing::info!(event = "PREPARE_VOTED", %transaction_id, vote = word, reason);
}

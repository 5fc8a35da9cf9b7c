//! PREPAREs of a list: what is inserted, and how each vote is come to.
//!
//! The race it survives: PREPARE and ABORT of one transaction arrive together. With locks both begin
//! by inserting the branch, so one of them waits for the other's commit and then finds a row; it
//! looks at that row in a later statement, whose snapshot contains it. Whoever asked "is there a
//! branch?" first and inserted afterwards could prepare what was just aborted, for ever. Without
//! locks nobody asks: the branch is assumed to be new, and when it is not, nothing is written.

use std::collections::{HashMap, HashSet};

use sqlx::PgConnection;
use two_phase::BranchState;
use two_phase::message::Vote;
use two_phase::participant::{PrepareStep, after_vote, on_prepare};
use two_phase::planted::{Bug, is_planted};
use types::{AccountId, Code, ParticipantId, TransactionId};

use super::alarm::HazardKind;
use super::is_forgotten;
use super::vote::vote;
use crate::branch::{Branch, Content};
use crate::ledger::Book;
use crate::store::branches::Transition;
use crate::store::hazards::NewHazard;
use crate::store::written::NewBranch;
use crate::store::{StoreError, branches};

/// The reason of every NO about a transaction that is over.
const TOO_LATE: Vote = Vote::No {
    reason: Code::AbortedByRecovery,
};

type Wanted<'a> = (TransactionId, &'a Content);

/// The PREPAREs of a list, each of another transaction, and what is known of them.
pub(super) struct Prepares<'a> {
    new: Vec<Wanted<'a>>,
    /// There was a branch, or nobody writes about it any more.
    old: Vec<Wanted<'a>>,
    known: HashMap<TransactionId, Branch>,
    votes: HashMap<TransactionId, Vote>,
    refused: Vec<Transition>,
    busy: Vec<TransactionId>,
}

/// Inserts the branches that are new.
pub(super) async fn insert<'a>(
    connection: &mut PgConnection,
    wanted: Vec<Wanted<'a>>,
) -> Result<Prepares<'a>, StoreError> {
    let fresh: Vec<Wanted<'a>> = wanted
        .iter()
        .filter(|(id, _)| !is_forgotten(*id))
        .copied()
        .collect();
    let inserted: HashSet<_> = branches::insert_prepared(connection, &fresh)
        .await?
        .into_iter()
        .collect();
    let (new, old) = wanted
        .into_iter()
        .partition(|(id, _)| inserted.contains(id));
    Ok(Prepares {
        old,
        ..Prepares::all_new(new)
    })
}

impl<'a> Prepares<'a> {
    /// None of them has a branch, it is assumed: whoever writes must make sure.
    pub(super) fn all_new(wanted: Vec<Wanted<'a>>) -> Self {
        Self {
            new: wanted,
            old: Vec::new(),
            known: HashMap::new(),
            votes: HashMap::new(),
            refused: Vec::new(),
            busy: Vec::new(),
        }
    }

    /// The branches with the votes on them.
    pub(super) fn branches(&self) -> Vec<NewBranch<'a>> {
        let refused: HashMap<_, _> = self
            .refused
            .iter()
            .filter_map(|refused| Some((refused.transaction_id, refused.reason?)))
            .collect();
        let new = self.new.iter().map(|(id, content)| NewBranch {
            transaction_id: *id,
            content,
            refused: refused.get(id).copied(),
        });
        new.collect()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.new.is_empty() && self.old.is_empty()
    }

    /// Those whose branches have to be looked at.
    pub(super) fn known(&self) -> impl Iterator<Item = TransactionId> {
        self.old.iter().map(|(id, _)| *id)
    }

    /// Takes note of a branch that was there; gives it back when no PREPARE asks about it.
    pub(super) fn found(&mut self, branch: Branch) -> Option<Branch> {
        let id = branch.transaction_id;
        if self.old.iter().any(|(old, _)| *old == id) {
            self.known.insert(id, branch);
            return None;
        }
        Some(branch)
    }

    /// Answers for the branches that were there.
    pub(super) fn answer_known(&mut self) {
        for (id, content) in &self.old {
            let vote = match self.known.get(id) {
                Some(branch) => answer(branch, content),
                None if is_forgotten(*id) => Some(TOO_LATE),
                // It was there a statement ago and is gone: ask again.
                None => None,
            };
            self.votes.extend(vote.map(|vote| (*id, vote)));
        }
    }

    /// The accounts of the new branches.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let legs = self.new.iter().flat_map(|(_, content)| &content.legs);
        legs.map(|leg| leg.account_id)
    }

    /// Votes on the new branches one after the other, each on what the ones before hold.
    pub(super) fn vote(&mut self, book: &mut Book, own: &ParticipantId) -> Result<(), StoreError> {
        for (id, content) in &self.new {
            let (next, vote) = after_vote(vote(book.accounts(), content, own));
            match next {
                Some(BranchState::Prepared) => book
                    .hold(*id, content)
                    .ok_or_else(|| StoreError::Damaged(format!("the sums of {id}")))?,
                Some(state) => self.refused.push(Transition {
                    transaction_id: *id,
                    state,
                    reason: match vote {
                        Vote::No { reason } => Some(reason),
                        _ => None,
                    },
                }),
                None => self.busy.push(*id),
            }
            self.votes.insert(*id, vote);
        }
        self.refused.retain(|_| !is_planted(Bug::RefusalNotWritten));
        self.busy.retain(|_| !is_planted(Bug::BusyLeavesBranch));
        Ok(())
    }

    /// The branches that were voted down.
    pub(super) fn refused(&self) -> impl Iterator<Item = Transition> {
        self.refused.iter().copied()
    }

    /// The branches that are to be as if they had never been.
    pub(super) fn busy(&self) -> Vec<TransactionId> {
        self.busy.clone()
    }

    /// What came again with other content.
    pub(super) fn hazards(&self) -> impl Iterator<Item = NewHazard> {
        let contradictions = self
            .votes
            .iter()
            .filter(|(_, vote)| **vote == Vote::Contradiction);
        contradictions.map(|(id, _)| HazardKind::PrepareContradiction.of(*id, None))
    }

    pub(super) fn vote_on(&self, id: TransactionId) -> Option<Vote> {
        self.votes.get(&id).copied()
    }

    /// Logs and counts the votes: they are durable.
    pub(super) fn report(&self) {
        for (id, vote) in &self.votes {
            report(*id, *vote);
        }
    }
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

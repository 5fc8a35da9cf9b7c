//! What a participant does with a message, for every state a branch can be in.
//!
//! ```
//! use two_phase::participant::{Finding, PrepareStep, after_vote, on_decision, on_prepare};
//! use two_phase::{BranchState, Effect, Outcome, Vote};
//!
//! assert_eq!(on_prepare(None, true), PrepareStep::Examine);
//! let (branch, vote) = after_vote(Finding::Possible);
//! assert_eq!((branch, vote), (Some(BranchState::Prepared), Vote::Yes));
//!
//! let step = on_decision(branch, Outcome::Commit);
//! assert_eq!((step.next, step.effect), (Some(BranchState::Committed), Effect::Apply));
//! // The same COMMIT again: acknowledged, and nothing happens to the money.
//! assert_eq!(on_decision(step.next, Outcome::Commit).effect, Effect::Nothing);
//! ```

use serde::{Deserialize, Serialize};
use types::Code;

use crate::message::{Acknowledgement, Hazard, Outcome, Vote};
use crate::planted::{Bug, is_planted};

#[cfg(test)]
mod tests;

/// The durable state of a branch. That there is none is `None`, and never read as success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BranchState {
    /// Promised: holds stand, only the decision is awaited.
    Prepared,
    /// Voted no, for good.
    Refused,
    /// Carried out.
    Committed,
    /// Released; or a tombstone, when the abort came first.
    Aborted,
    /// An operator had it carried out.
    HeuristicCommit,
    /// An operator had it released.
    HeuristicAbort,
    /// An operator forced one outcome and the decision was the other.
    HeuristicMixed,
}

impl BranchState {
    /// All states, for tables and schemas.
    pub const ALL: [Self; 7] = [
        Self::Prepared,
        Self::Refused,
        Self::Committed,
        Self::Aborted,
        Self::HeuristicCommit,
        Self::HeuristicAbort,
        Self::HeuristicMixed,
    ];

    /// Whether an operator decided, and not the protocol.
    #[must_use]
    pub const fn is_heuristic(self) -> bool {
        matches!(
            self,
            Self::HeuristicCommit | Self::HeuristicAbort | Self::HeuristicMixed
        )
    }

    /// The state as it stands in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "PREPARED",
            Self::Refused => "REFUSED",
            Self::Committed => "COMMITTED",
            Self::Aborted => "ABORTED",
            Self::HeuristicCommit => "HEURISTIC_COMMIT",
            Self::HeuristicAbort => "HEURISTIC_ABORT",
            Self::HeuristicMixed => "HEURISTIC_MIXED",
        }
    }
}

impl std::fmt::Display for BranchState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no branch state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown branch state {0:?}")]
pub struct UnknownState(String);

impl std::str::FromStr for BranchState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// What a PREPARE asks of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrepareStep {
    /// There is no branch: look at the accounts and vote, then do what [`after_vote`] says.
    Examine,
    /// Nothing is to be written: answer this.
    Answer(Vote),
}

/// A PREPARE meets a branch.
///
/// `same_content` says whether the branch was prepared with the same legs; it matters only where
/// there are any, so tombstones ignore it.
///
/// A branch that is over answers no with [`Code::AbortedByRecovery`]; a driver that keeps the
/// reason of a refusal beside the branch answers that one instead, so that a repeated PREPARE
/// gets the same answer.
#[must_use]
pub fn on_prepare(state: Option<BranchState>, same_content: bool) -> PrepareStep {
    use BranchState as S;
    const NO: PrepareStep = PrepareStep::Answer(Vote::No {
        reason: Code::AbortedByRecovery,
    });
    match state {
        None => PrepareStep::Examine,
        Some(S::Prepared | S::Committed | S::HeuristicCommit) => {
            PrepareStep::Answer(if same_content || is_planted(Bug::ContradictionAccepted) {
                Vote::Yes
            } else {
                Vote::Contradiction
            })
        }
        Some(S::Refused | S::Aborted | S::HeuristicAbort | S::HeuristicMixed) => NO,
    }
}

/// What a participant found when it looked at the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// Every leg can be carried out.
    Possible,
    /// One cannot.
    Refused(Code),
    /// An exclusive lock is held by another branch.
    Busy,
}

/// What becomes durable after the accounts were looked at, and the vote that may be sent then.
///
/// BUSY leaves no row behind, so the same PREPARE can be sent again.
#[must_use]
pub const fn after_vote(finding: Finding) -> (Option<BranchState>, Vote) {
    match finding {
        Finding::Possible => (Some(BranchState::Prepared), Vote::Yes),
        Finding::Refused(reason) => (Some(BranchState::Refused), Vote::No { reason }),
        Finding::Busy => (None, Vote::Busy),
    }
}

/// What happens to the money when a decision arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Book the legs, release the holds.
    Apply,
    /// Release the holds.
    Release,
    /// Write the branch as aborted before it was ever prepared.
    Tombstone,
}

/// What a decision does to a branch: all of it in one database transaction, then the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionStep {
    /// The state afterwards; `None` where there still is no branch.
    pub next: Option<BranchState>,
    /// What happens to the money.
    pub effect: Effect,
    /// What is answered once that is durable.
    pub acknowledgement: Acknowledgement,
}

/// COMMIT or ABORT meets a branch.
#[must_use]
pub fn on_decision(state: Option<BranchState>, outcome: Outcome) -> DecisionStep {
    use Acknowledgement::{Done, Mixed};
    use BranchState as S;
    use Effect::{Apply, Nothing, Release, Tombstone};
    use Outcome::{Abort, Commit};

    const fn hazard(state: Option<BranchState>, hazard: Hazard) -> DecisionStep {
        DecisionStep {
            next: state,
            effect: Effect::Nothing,
            acknowledgement: Acknowledgement::Hazard { hazard },
        }
    }

    let (next, effect, acknowledgement) = match (state, outcome) {
        (None, Commit) if is_planted(Bug::HazardAcknowledged) => (None, Nothing, Done),
        (None, Commit) => return hazard(None, Hazard::BranchMissing),
        (None, Abort) if is_planted(Bug::NoTombstone) => (None, Nothing, Done),
        (None, Abort) => (Some(S::Aborted), Tombstone, Done),

        (Some(S::Prepared), Commit) => (Some(S::Committed), Apply, Done),
        (Some(S::Prepared), Abort) => (Some(S::Aborted), Release, Done),

        (Some(S::Committed), Commit) if is_planted(Bug::DoubleApply) => (state, Apply, Done),
        (Some(S::Committed), Commit) => (state, Nothing, Done),
        (Some(S::Committed), Abort) => return hazard(state, Hazard::AbortAfterCommit),

        (Some(S::Aborted | S::Refused), Abort) => (state, Nothing, Done),
        (Some(S::Aborted | S::Refused), Commit) => return hazard(state, Hazard::CommitAfterAbort),

        (Some(S::HeuristicCommit), Commit) | (Some(S::HeuristicAbort), Abort) => {
            (state, Nothing, Done)
        }
        (Some(S::HeuristicCommit | S::HeuristicAbort), _) if is_planted(Bug::MixedNotTold) => {
            (state, Nothing, Done)
        }
        (Some(S::HeuristicCommit), Abort) | (Some(S::HeuristicAbort), Commit) => {
            (Some(S::HeuristicMixed), Nothing, Mixed)
        }
        (Some(S::HeuristicMixed), _) => (state, Nothing, Mixed),
    };
    DecisionStep {
        next,
        effect,
        acknowledgement,
    }
}

/// The branch is not one whose outcome can be forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only a prepared branch can be forced")]
pub struct NotPrepared;

/// An operator forces a branch.
///
/// # Errors
/// [`NotPrepared`] when nothing is in doubt here: a finished branch is repaired by a correcting
/// entry, never by an edit.
pub const fn on_force(
    state: Option<BranchState>,
    outcome: Outcome,
) -> Result<(BranchState, Effect), NotPrepared> {
    match (state, outcome) {
        (Some(BranchState::Prepared), Outcome::Commit) => {
            Ok((BranchState::HeuristicCommit, Effect::Apply))
        }
        (Some(BranchState::Prepared), Outcome::Abort) => {
            Ok((BranchState::HeuristicAbort, Effect::Release))
        }
        _ => Err(NotPrepared),
    }
}

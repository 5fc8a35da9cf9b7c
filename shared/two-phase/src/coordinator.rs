//! What a coordinator does next, for one transaction.
//!
//! [`Coordinator`] holds what is known; [`Coordinator::next`] says what is to be done about it,
//! and the driver reports what came of that through [`Coordinator::apply`]. It never sends a
//! decision that is not durable: [`Action::Deliver`] appears only after [`Event::Decided`].
//!
//! ```
//! use two_phase::{Action, Coordinator, Event, Outcome, Vote};
//! use types::{Code, ParticipantId};
//!
//! let banks: [ParticipantId; 2] = ["bank-1".parse()?, "bank-2".parse()?];
//! let mut coordinator = Coordinator::begun(banks.clone());
//! coordinator.contacted(&banks[0])?;
//! let reason = Code::InsufficientFunds;
//! coordinator.apply(Event::Voted(banks[0].clone(), Vote::No { reason }))?;
//! assert_eq!(coordinator.next(), [Action::Decide(Outcome::Abort, Some(reason))]);
//!
//! // The one refused and the other was never asked: there is nobody to tell.
//! coordinator.apply(Event::Decided(Outcome::Abort))?;
//! assert!(matches!(coordinator.next()[..], [Action::Finish(_)]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use types::views::Status;
use types::{Code, ParticipantId};

use crate::decision::{Ballot, Verdict, decide};
use crate::message::{Acknowledgement, Outcome, Vote};
use crate::planted::{Bug, is_planted};

#[cfg(test)]
mod tests;

/// How far a transaction has come, beside its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Votes are being gathered.
    Preparing,
    /// The decision is being delivered.
    Delivering,
    /// Everybody has acknowledged.
    Done,
    /// Somebody's answer contradicts the decision: an operator is needed.
    Hazard,
}

impl Phase {
    /// The phase as it stands in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Delivering => "delivering",
            Self::Done => "done",
            Self::Hazard => "hazard",
        }
    }
}

/// What a driver is to do. Several actions may be done at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send PREPARE to this participant.
    Prepare(ParticipantId),
    /// Write the outcome by compare-and-set, and report what stands there afterwards.
    Decide(Outcome, Option<Code>),
    /// Send the decision to this participant.
    Deliver(Outcome, ParticipantId),
    /// Nothing is left to send: write this phase.
    Finish(Phase),
}

/// What a driver reports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A participant answered PREPARE.
    Voted(ParticipantId, Vote),
    /// The prepare deadline has passed.
    DeadlinePassed,
    /// The status that stands durably, whoever wrote it.
    Decided(Outcome),
    /// A participant answered the decision.
    Acknowledged(ParticipantId, Acknowledgement),
}

/// The report makes no sense in this state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// Nobody of that name takes part.
    #[error("{0} takes no part in this transaction")]
    Stranger(ParticipantId),
    /// A different outcome than the one that stands: a terminal status never changes.
    #[error("the outcome was already {0:?}")]
    OutcomeChanged(Outcome),
    /// An acknowledgement of something undecided.
    #[error("nothing has been decided")]
    NotDecided,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Branch {
    participant: ParticipantId,
    /// A PREPARE may have reached it.
    contacted: bool,
    ballot: Ballot,
    acknowledgement: Option<Acknowledgement>,
}

/// One transaction as its coordinator knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Coordinator {
    branches: Vec<Branch>,
    /// Taken over from another process: pending means that nobody will ever gather its votes.
    recovered: bool,
    deadline_passed: bool,
    decided: Option<Outcome>,
}

impl Coordinator {
    /// A transaction that was just begun, durably.
    #[must_use]
    pub fn begun(participants: impl IntoIterator<Item = ParticipantId>) -> Self {
        Self::with(participants, false, None)
    }

    /// A transaction taken over from another process: what was sent is unknown, so everybody
    /// counts as contacted; a pending one is past its deadline.
    #[must_use]
    pub fn recovered(
        participants: impl IntoIterator<Item = ParticipantId>,
        status: Status,
    ) -> Self {
        let decided = match status {
            Status::Pending if is_planted(Bug::RecoveryAbortsUnwritten) => Some(Outcome::Abort),
            Status::Pending => None,
            Status::Committed => Some(Outcome::Commit),
            Status::Aborted => Some(Outcome::Abort),
        };
        Self::with(participants, true, decided)
    }

    fn with(
        participants: impl IntoIterator<Item = ParticipantId>,
        recovered: bool,
        decided: Option<Outcome>,
    ) -> Self {
        let mut participants: Vec<_> = participants.into_iter().collect();
        // The global order: two transactions that cross never wait for each other in a circle.
        participants.sort();
        participants.dedup();
        let branch = |participant| Branch {
            participant,
            contacted: recovered,
            ballot: Ballot::Missing,
            acknowledgement: None,
        };
        Self {
            branches: participants.into_iter().map(branch).collect(),
            recovered,
            deadline_passed: recovered,
            decided,
        }
    }

    /// The outcome, once it is durable.
    #[must_use]
    pub const fn decided(&self) -> Option<Outcome> {
        self.decided
    }

    /// The last answer to PREPARE of each participant, in global order.
    #[must_use]
    pub fn ballots(&self) -> Vec<Ballot> {
        self.branches.iter().map(|branch| branch.ballot).collect()
    }

    /// What is to be done now. Empty only while something that was asked for is under way.
    ///
    /// PREPARE goes to one participant at a time, in global order.
    #[must_use]
    pub fn next(&self) -> Vec<Action> {
        match self.decided {
            None => self.next_undecided(),
            Some(outcome) => self.next_decided(outcome),
        }
    }

    fn next_undecided(&self) -> Vec<Action> {
        if self.recovered {
            // Whatever votes still turn up were meant for another process, and its client has
            // been told nothing: aborting is always right, and only one rule is to be understood.
            return vec![Action::Decide(
                Outcome::Abort,
                Some(Code::AbortedByRecovery),
            )];
        }
        match decide(&self.ballots(), self.deadline_passed) {
            Verdict::Commit if is_planted(Bug::CommitBeforeDecision) => [
                vec![Action::Decide(Outcome::Commit, None)],
                self.next_decided(Outcome::Commit),
            ]
            .concat(),
            Verdict::Commit => vec![Action::Decide(Outcome::Commit, None)],
            Verdict::Abort(reason) => vec![Action::Decide(Outcome::Abort, Some(reason))],
            Verdict::Wait => self
                .branches
                .iter()
                .find(|branch| branch.ballot != Ballot::Cast(Vote::Yes))
                .map(|branch| Action::Prepare(branch.participant.clone()))
                .into_iter()
                .collect(),
        }
    }

    fn next_decided(&self, outcome: Outcome) -> Vec<Action> {
        let deliveries: Vec<_> = self
            .branches
            .iter()
            .filter(|branch| branch.awaits(outcome))
            .map(|branch| Action::Deliver(outcome, branch.participant.clone()))
            .collect();
        let mut branches = self.branches.iter();
        let settled = is_planted(Bug::FirstAcknowledgementSettles)
            && branches.any(|branch| branch.acknowledgement.is_some());
        if !deliveries.is_empty() && !settled {
            return deliveries;
        }
        let hazard = self
            .branches
            .iter()
            .any(|branch| matches!(branch.acknowledgement, Some(Acknowledgement::Hazard { .. })));
        vec![Action::Finish(if hazard {
            Phase::Hazard
        } else {
            Phase::Done
        })]
    }

    /// Takes in what happened.
    ///
    /// # Errors
    /// [`IllegalEvent`] when the report contradicts what is known; nothing changes then.
    pub fn apply(&mut self, event: Event) -> Result<(), IllegalEvent> {
        match event {
            Event::DeadlinePassed => self.deadline_passed = true,
            Event::Voted(participant, vote) => {
                let branch = self.branch(&participant)?;
                branch.contacted = true;
                if firmness(Ballot::Cast(vote)) > firmness(branch.ballot) {
                    branch.ballot = Ballot::Cast(vote);
                }
            }
            Event::Decided(outcome) => match self.decided {
                Some(known) if known != outcome => {
                    return Err(IllegalEvent::OutcomeChanged(known));
                }
                _ => self.decided = Some(outcome),
            },
            Event::Acknowledged(participant, acknowledgement) => {
                if self.decided.is_none() {
                    return Err(IllegalEvent::NotDecided);
                }
                let known = &mut self.branch(&participant)?.acknowledgement;
                if known.is_none_or(|known| gravity(acknowledgement) > gravity(known)) {
                    *known = Some(acknowledgement);
                }
            }
        }
        Ok(())
    }

    /// Notes that a PREPARE is on its way, so that an abort will follow it there.
    ///
    /// # Errors
    /// [`IllegalEvent::Stranger`].
    pub fn contacted(&mut self, participant: &ParticipantId) -> Result<(), IllegalEvent> {
        self.branch(participant)?.contacted = true;
        Ok(())
    }

    fn branch(&mut self, participant: &ParticipantId) -> Result<&mut Branch, IllegalEvent> {
        self.branches
            .iter_mut()
            .find(|branch| branch.participant == *participant)
            .ok_or_else(|| IllegalEvent::Stranger(participant.clone()))
    }
}

/// Answers arrive late, twice and in any order, so a firmer one stays: a busy never softens a
/// promise. A refusal outweighs even a promise, because before the decision an abort is always
/// right, and a participant that was forced to abort after its yes says no from then on.
const fn firmness(ballot: Ballot) -> u8 {
    match ballot {
        Ballot::Missing => 0,
        Ballot::Cast(Vote::Busy) => 1,
        Ballot::Cast(Vote::Yes) => 2,
        Ballot::Cast(Vote::No { .. } | Vote::Contradiction) => 3,
    }
}

/// A hazard is never mended by itself: an acknowledgement that was overtaken by it hides nothing.
const fn gravity(acknowledgement: Acknowledgement) -> u8 {
    match acknowledgement {
        Acknowledgement::Done => 0,
        Acknowledgement::Mixed => 1,
        Acknowledgement::Hazard { .. } => 2,
    }
}

impl Branch {
    /// Whether the decision still has to be delivered here. An abort is of no interest to one that
    /// refused, or that was never asked.
    fn awaits(&self, outcome: Outcome) -> bool {
        let needs_it = match outcome {
            Outcome::Commit => true,
            Outcome::Abort => {
                self.contacted && !matches!(self.ballot, Ballot::Cast(Vote::No { .. }))
            }
        };
        needs_it && self.acknowledgement.is_none()
    }
}

//! Commit or abort: the one place where it is decided.
//!
//! The result is a wish. It becomes the decision when the coordinator's compare-and-set on
//! `status = 'pending'` has changed one row, and not before.

use types::Code;

use crate::message::Vote;
use crate::planted::{Bug, is_planted};

/// What one participant has said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ballot {
    /// Nothing. Never read as yes.
    #[default]
    Missing,
    /// Its last answer.
    Cast(Vote),
}

/// What follows from the ballots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Somebody may still vote.
    Wait,
    /// Everybody has promised.
    Commit,
    /// It cannot happen.
    Abort(Code),
}

/// Decides one transaction.
///
/// Every participant must have promised: all ballots are `Yes`, and there is at least one. One
/// definitive no aborts at once. What is missing or busy is waited for until the deadline, then
/// it aborts.
#[must_use]
pub fn decide(ballots: &[Ballot], deadline_passed: bool) -> Verdict {
    if ballots.is_empty() {
        return Verdict::Abort(Code::InternalError);
    }
    if let Some(reason) = ballots.iter().find_map(refusal) {
        return Verdict::Abort(reason);
    }
    if ballots.iter().all(is_yes) {
        return Verdict::Commit;
    }
    if !deadline_passed {
        return Verdict::Wait;
    }
    if ballots.contains(&Ballot::Cast(Vote::Busy)) {
        Verdict::Abort(Code::AccountLocked)
    } else {
        Verdict::Abort(Code::ParticipantUnavailable)
    }
}

/// Decides a list of transactions, each by its own ballots alone.
#[must_use]
pub fn decide_list<'a>(items: impl IntoIterator<Item = (&'a [Ballot], bool)>) -> Vec<Verdict> {
    items
        .into_iter()
        .map(|(ballots, deadline_passed)| decide(ballots, deadline_passed))
        .collect()
}

fn is_yes(ballot: &Ballot) -> bool {
    match ballot {
        Ballot::Cast(Vote::Yes) => true,
        Ballot::Missing => is_planted(Bug::MissingVoteCountsAsYes),
        Ballot::Cast(Vote::No { .. } | Vote::Busy | Vote::Contradiction) => false,
    }
}

fn refusal(ballot: &Ballot) -> Option<Code> {
    match ballot {
        Ballot::Cast(Vote::No { reason }) => Some(*reason),
        Ballot::Cast(Vote::Contradiction) => Some(Code::Hazard),
        Ballot::Missing | Ballot::Cast(Vote::Yes | Vote::Busy) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Ballot = Ballot::Cast(Vote::Yes);
    const BUSY: Ballot = Ballot::Cast(Vote::Busy);
    const NO: Ballot = Ballot::Cast(Vote::No {
        reason: Code::InsufficientFunds,
    });
    const MISSING: Ballot = Ballot::Missing;

    #[test]
    fn only_a_yes_from_everybody_commits() {
        use Verdict::{Abort, Commit, Wait};
        let refused = Abort(Code::InsufficientFunds);
        let late = Abort(Code::ParticipantUnavailable);
        let locked = Abort(Code::AccountLocked);
        for (ballots, before_deadline, after_deadline) in [
            (&[YES][..], Commit, Commit),
            (&[YES, YES], Commit, Commit),
            (&[YES, MISSING], Wait, late),
            (&[MISSING, MISSING], Wait, late),
            (&[YES, BUSY], Wait, locked),
            (&[BUSY, MISSING], Wait, locked),
            (&[YES, NO], refused, refused),
            (&[NO, MISSING], refused, refused),
            (&[BUSY, NO], refused, refused),
            (
                &[YES, Ballot::Cast(Vote::Contradiction)],
                Abort(Code::Hazard),
                Abort(Code::Hazard),
            ),
            (&[], Abort(Code::InternalError), Abort(Code::InternalError)),
        ] {
            assert_eq!(decide(ballots, false), before_deadline, "{ballots:?}");
            assert_eq!(decide(ballots, true), after_deadline, "{ballots:?} late");
        }
    }

    #[test]
    fn one_refusal_in_a_list_leaves_the_rest_alone() {
        let verdicts = decide_list([(&[YES][..], false), (&[NO], false), (&[YES, YES], false)]);
        assert_eq!(verdicts[0], Verdict::Commit);
        assert_eq!(verdicts[1], Verdict::Abort(Code::InsufficientFunds));
        assert_eq!(verdicts[2], Verdict::Commit);
    }
}

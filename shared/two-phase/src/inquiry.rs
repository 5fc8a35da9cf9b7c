//! In doubt: what a coordinator answers, and what a participant makes of its peers' answers.

use types::views::Status;

use crate::message::{InquiryAnswer, Outcome};
use crate::participant::BranchState;
use crate::planted::{Bug, is_planted};

/// What a coordinator does about an inquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InquiryStep {
    /// Answer this.
    Answer(InquiryAnswer),
    /// Compare-and-set to aborted first, then answer what stands there.
    DecideAbort,
}

/// What to answer about a transaction, given its durable record.
///
/// Because the begin is durable before any PREPARE is sent, a record that is not there means that
/// somebody's data was lost. That is answered `unknown` and never read as an abort.
#[must_use]
pub fn answer(record: Option<(Status, bool)>) -> InquiryStep {
    match record {
        None => InquiryStep::Answer(InquiryAnswer::Unknown),
        Some((Status::Committed, _)) => InquiryStep::Answer(InquiryAnswer::Committed),
        Some((Status::Aborted, _)) => InquiryStep::Answer(InquiryAnswer::Aborted),
        Some((Status::Pending, true)) if is_planted(Bug::InquiryAbortsUnwritten) => {
            InquiryStep::Answer(InquiryAnswer::Aborted)
        }
        Some((Status::Pending, true)) => InquiryStep::DecideAbort,
        Some((Status::Pending, false)) => InquiryStep::Answer(InquiryAnswer::Pending),
    }
}

/// What one peer says about a transaction when no coordinator can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// It did not answer.
    Unreachable,
    /// Its branch, after it wrote a tombstone where there was none.
    Branch(BranchState),
}

/// What a participant in doubt may conclude from its peers (cooperative termination, Bernstein,
/// Hadzilacos and Goodman 1987, section 7.4).
///
/// A peer that was told the outcome passes it on. A peer that refused, or that wrote a tombstone,
/// can never vote yes any more, so nobody can have decided to commit. A peer that is prepared
/// knows no more than we do, and a forced one knows an operator's opinion only: wait. So do peers
/// that contradict each other: somebody's data was lost, and a third opinion mends nothing.
#[must_use]
pub fn conclude(peers: &[Peer]) -> Option<Outcome> {
    let mut known = peers.iter().filter_map(|peer| match peer {
        Peer::Branch(BranchState::Committed) => Some(Outcome::Commit),
        Peer::Unreachable if is_planted(Bug::SilentPeerMeansAbort) => Some(Outcome::Abort),
        Peer::Branch(BranchState::Aborted | BranchState::Refused) => Some(Outcome::Abort),
        Peer::Branch(
            BranchState::Prepared
            | BranchState::HeuristicCommit
            | BranchState::HeuristicAbort
            | BranchState::HeuristicMixed,
        )
        | Peer::Unreachable => None,
    });
    let first = known.next()?;
    known.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_missing_is_never_read_as_an_abort() {
        use InquiryAnswer::{Aborted, Committed, Pending, Unknown};
        for (record, step) in [
            (None, InquiryStep::Answer(Unknown)),
            (
                Some((Status::Committed, true)),
                InquiryStep::Answer(Committed),
            ),
            (Some((Status::Aborted, false)), InquiryStep::Answer(Aborted)),
            (Some((Status::Pending, false)), InquiryStep::Answer(Pending)),
            (Some((Status::Pending, true)), InquiryStep::DecideAbort),
        ] {
            assert_eq!(answer(record), step);
        }
    }

    #[test]
    fn peers_that_know_no_more_leave_a_participant_in_doubt() {
        use BranchState as S;
        for (peers, conclusion) in [
            (&[Peer::Unreachable][..], None),
            (&[Peer::Branch(S::Prepared)], None),
            (&[Peer::Branch(S::HeuristicCommit)], None),
            (&[Peer::Branch(S::HeuristicAbort)], None),
            (
                &[Peer::Branch(S::Prepared), Peer::Branch(S::Committed)],
                Some(Outcome::Commit),
            ),
            (
                &[Peer::Unreachable, Peer::Branch(S::Aborted)],
                Some(Outcome::Abort),
            ),
            (&[Peer::Branch(S::Refused)], Some(Outcome::Abort)),
            (&[Peer::Branch(S::HeuristicMixed)], None),
            (
                &[Peer::Branch(S::Committed), Peer::Branch(S::Aborted)],
                None,
            ),
            (&[], None),
        ] {
            assert_eq!(conclude(peers), conclusion, "{peers:?}");
        }
    }
}

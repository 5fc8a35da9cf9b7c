//! Every cell of the table "what a message does in each state".

use proptest::prelude::*;

use super::*;
use BranchState as S;

const NO: PrepareStep = PrepareStep::Answer(Vote::No {
    reason: Code::AbortedByRecovery,
});
const YES: PrepareStep = PrepareStep::Answer(Vote::Yes);
const CONTRADICTION: PrepareStep = PrepareStep::Answer(Vote::Contradiction);

#[test]
fn a_prepare_is_answered_by_the_branch_it_meets() {
    for (state, same_content, other_content) in [
        (None, PrepareStep::Examine, PrepareStep::Examine),
        (Some(S::Prepared), YES, CONTRADICTION),
        (Some(S::Committed), YES, CONTRADICTION),
        (Some(S::HeuristicCommit), YES, CONTRADICTION),
        (Some(S::Refused), NO, NO),
        (Some(S::Aborted), NO, NO),
        (Some(S::HeuristicAbort), NO, NO),
        (Some(S::HeuristicMixed), NO, NO),
    ] {
        assert_eq!(on_prepare(state, true), same_content, "{state:?}");
        assert_eq!(on_prepare(state, false), other_content, "{state:?}, other");
    }
}

#[test]
fn a_vote_is_sent_for_what_becomes_durable_and_busy_leaves_nothing_behind() {
    let reason = Code::InsufficientFunds;
    for (finding, durable, vote) in [
        (Finding::Possible, Some(S::Prepared), Vote::Yes),
        (
            Finding::Refused(reason),
            Some(S::Refused),
            Vote::No { reason },
        ),
        (Finding::Busy, None, Vote::Busy),
    ] {
        assert_eq!(after_vote(finding), (durable, vote));
    }
}

/// What a table row says of a decision: the state afterwards, the money, the answer.
type Cell = (Option<S>, Effect, Acknowledgement);

const fn hazard(state: Option<S>, hazard: Hazard) -> Cell {
    (state, Effect::Nothing, Acknowledgement::Hazard { hazard })
}

const fn done(state: S, effect: Effect) -> Cell {
    (Some(state), effect, Acknowledgement::Done)
}

const MIXED: Cell = (
    Some(S::HeuristicMixed),
    Effect::Nothing,
    Acknowledgement::Mixed,
);

const DECISIONS: [(Option<S>, Cell, Cell); 8] = [
    (
        None,
        hazard(None, Hazard::BranchMissing),
        done(S::Aborted, Effect::Tombstone),
    ),
    (
        Some(S::Prepared),
        done(S::Committed, Effect::Apply),
        done(S::Aborted, Effect::Release),
    ),
    (
        Some(S::Committed),
        done(S::Committed, Effect::Nothing),
        hazard(Some(S::Committed), Hazard::AbortAfterCommit),
    ),
    (
        Some(S::Aborted),
        hazard(Some(S::Aborted), Hazard::CommitAfterAbort),
        done(S::Aborted, Effect::Nothing),
    ),
    (
        Some(S::Refused),
        hazard(Some(S::Refused), Hazard::CommitAfterAbort),
        done(S::Refused, Effect::Nothing),
    ),
    (
        Some(S::HeuristicCommit),
        done(S::HeuristicCommit, Effect::Nothing),
        MIXED,
    ),
    (
        Some(S::HeuristicAbort),
        MIXED,
        done(S::HeuristicAbort, Effect::Nothing),
    ),
    (Some(S::HeuristicMixed), MIXED, MIXED),
];

#[test]
fn a_decision_does_what_the_table_says_in_every_state() {
    for (state, commit, abort) in DECISIONS {
        for (outcome, (next, effect, acknowledgement)) in
            [(Outcome::Commit, commit), (Outcome::Abort, abort)]
        {
            let expected = DecisionStep {
                next,
                effect,
                acknowledgement,
            };
            assert_eq!(
                on_decision(state, outcome),
                expected,
                "{state:?} {outcome:?}"
            );
        }
    }
}

#[test]
fn the_table_leaves_out_no_state() {
    for state in S::ALL {
        assert!(DECISIONS.iter().any(|(row, ..)| *row == Some(state)));
    }
}

#[test]
fn a_decision_that_comes_twice_does_nothing_the_second_time() {
    for state in every_state() {
        for outcome in [Outcome::Commit, Outcome::Abort] {
            let first = on_decision(state, outcome);
            let second = on_decision(first.next, outcome);
            assert_eq!(second.next, first.next);
            assert_eq!(second.effect, Effect::Nothing, "{state:?} {outcome:?}");
            assert_eq!(second.acknowledgement, first.acknowledgement);
        }
    }
}

#[test]
fn only_a_prepared_branch_can_be_forced() {
    for state in every_state() {
        let forced = (
            on_force(state, Outcome::Commit),
            on_force(state, Outcome::Abort),
        );
        if state == Some(S::Prepared) {
            assert_eq!(forced.0, Ok((S::HeuristicCommit, Effect::Apply)));
            assert_eq!(forced.1, Ok((S::HeuristicAbort, Effect::Release)));
        } else {
            assert_eq!(forced, (Err(NotPrepared), Err(NotPrepared)), "{state:?}");
        }
    }
}

#[test]
fn a_state_reads_back_as_it_was_written() {
    for state in S::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(state.to_string(), state.as_str());
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(json, format!("\"{}\"", state.as_str()));
    }
    assert!("prepared".parse::<S>().is_err());
}

fn every_state() -> impl Iterator<Item = Option<S>> {
    std::iter::once(None).chain(S::ALL.map(Some))
}

/// Anything that can happen to a branch.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Prepare { same: bool, finding: Finding },
    Decision(Outcome),
    Force(Outcome),
}

fn happening() -> impl Strategy<Value = Happening> {
    let outcome = || prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    let finding = prop_oneof![
        4 => Just(Finding::Possible),
        1 => Just(Finding::Refused(Code::InsufficientFunds)),
        1 => Just(Finding::Busy),
    ];
    prop_oneof![
        4 => (any::<bool>(), finding).prop_map(|(same, finding)| Happening::Prepare { same, finding }),
        4 => outcome().prop_map(Happening::Decision),
        1 => outcome().prop_map(Happening::Force),
    ]
}

/// A branch and its money, moved by nothing but the functions under test.
#[derive(Debug, Default)]
struct Ledger {
    state: Option<S>,
    voted_yes: bool,
    held: i32,
    booked: u32,
}

impl Ledger {
    fn meets(&mut self, happening: Happening) {
        match happening {
            Happening::Prepare { same, finding } => match on_prepare(self.state, same) {
                PrepareStep::Examine => {
                    let (durable, vote) = after_vote(finding);
                    self.state = durable;
                    self.held += i32::from(durable == Some(S::Prepared));
                    self.hears(vote);
                }
                PrepareStep::Answer(vote) => self.hears(vote),
            },
            Happening::Decision(outcome) => {
                let step = on_decision(self.state, outcome);
                self.moves(step.effect);
                self.state = step.next;
            }
            Happening::Force(outcome) => {
                if let Ok((next, effect)) = on_force(self.state, outcome) {
                    self.moves(effect);
                    self.state = Some(next);
                }
            }
        }
    }

    fn hears(&mut self, vote: Vote) {
        self.voted_yes |= vote == Vote::Yes;
    }

    fn moves(&mut self, effect: Effect) {
        match effect {
            Effect::Nothing | Effect::Tombstone => {}
            Effect::Apply => {
                self.booked += 1;
                self.held -= 1;
            }
            Effect::Release => self.held -= 1,
        }
    }
}

/// The arrows of the state diagram.
fn may_become(from: Option<S>, to: Option<S>) -> bool {
    let arrows: &[Option<S>] = match from {
        None => &[Some(S::Prepared), Some(S::Refused), Some(S::Aborted)],
        Some(S::Prepared) => &[
            Some(S::Committed),
            Some(S::Aborted),
            Some(S::HeuristicCommit),
            Some(S::HeuristicAbort),
        ],
        Some(S::HeuristicCommit | S::HeuristicAbort) => &[Some(S::HeuristicMixed)],
        Some(S::Committed | S::Aborted | S::Refused | S::HeuristicMixed) => &[],
    };
    from == to || arrows.contains(&to)
}

proptest! {
    #[test]
    fn no_sequence_of_messages_leads_anywhere_illegal(
        happenings in prop::collection::vec(happening(), 0..40)
    ) {
        let mut ledger = Ledger::default();
        for happening in happenings {
            let before = ledger.state;
            ledger.meets(happening);
            prop_assert!(may_become(before, ledger.state), "{before:?} became {:?}", ledger.state);
            prop_assert_eq!(ledger.held, i32::from(ledger.state == Some(S::Prepared)));
            prop_assert!(ledger.booked <= 1);
            match ledger.state {
                Some(S::Committed | S::HeuristicCommit) => prop_assert_eq!(ledger.booked, 1),
                Some(S::HeuristicMixed) => prop_assert!(ledger.voted_yes),
                _ => prop_assert_eq!(ledger.booked, 0),
            }
            if matches!(ledger.state, None | Some(S::Refused)) {
                prop_assert!(!ledger.voted_yes, "a yes was lost");
            }
        }
    }
}

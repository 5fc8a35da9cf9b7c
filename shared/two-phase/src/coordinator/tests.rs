//! What a coordinator does in every situation, and what it must never do.

use proptest::prelude::*;

use super::*;
use crate::message::Hazard;

const DONE: Acknowledgement = Acknowledgement::Done;
const HAZARD: Acknowledgement = Acknowledgement::Hazard {
    hazard: Hazard::BranchMissing,
};
const REFUSED: Vote = Vote::No {
    reason: Code::InsufficientFunds,
};

fn bank(number: usize) -> ParticipantId {
    format!("bank-{number}").parse().unwrap()
}

fn begun(count: usize) -> Coordinator {
    // Backwards, so that the global order is the coordinator's own doing.
    Coordinator::begun((1..=count).rev().map(bank))
}

fn voted(number: usize, vote: Vote) -> Event {
    Event::Voted(bank(number), vote)
}

fn acknowledged(number: usize, acknowledgement: Acknowledgement) -> Event {
    Event::Acknowledged(bank(number), acknowledgement)
}

fn after(mut coordinator: Coordinator, events: impl IntoIterator<Item = Event>) -> Coordinator {
    for event in events {
        coordinator.apply(event).unwrap();
    }
    coordinator
}

fn abort(reason: Code) -> Vec<Action> {
    vec![Action::Decide(Outcome::Abort, Some(reason))]
}

fn deliver(outcome: Outcome, numbers: &[usize]) -> Vec<Action> {
    let action = |number: &usize| Action::Deliver(outcome, bank(*number));
    numbers.iter().map(action).collect()
}

#[test]
fn prepare_goes_to_one_participant_at_a_time_in_the_global_order() {
    let coordinator = begun(3);
    assert_eq!(coordinator.next(), [Action::Prepare(bank(1))]);
    let coordinator = after(coordinator, [voted(1, Vote::Yes)]);
    assert_eq!(coordinator.next(), [Action::Prepare(bank(2))]);
    let coordinator = after(coordinator, [voted(2, Vote::Yes)]);
    assert_eq!(coordinator.next(), [Action::Prepare(bank(3))]);
}

#[test]
fn a_participant_named_twice_is_asked_once() {
    let coordinator = Coordinator::begun([bank(1), bank(1)]);
    assert_eq!(coordinator.ballots(), [Ballot::Missing]);
}

#[test]
fn a_busy_participant_is_asked_again() {
    let coordinator = after(begun(2), [voted(1, Vote::Busy)]);
    assert_eq!(coordinator.next(), [Action::Prepare(bank(1))]);
}

#[test]
fn only_a_yes_from_everybody_leads_to_the_wish_to_commit() {
    let coordinator = after(begun(2), [voted(1, Vote::Yes), voted(2, Vote::Yes)]);
    assert_eq!(coordinator.next(), [Action::Decide(Outcome::Commit, None)]);
}

#[test]
fn the_reason_of_an_abort_is_what_stood_in_the_way() {
    for (events, reason) in [
        (vec![voted(1, REFUSED)], Code::InsufficientFunds),
        (vec![voted(2, Vote::Contradiction)], Code::Hazard),
        (vec![Event::DeadlinePassed], Code::ParticipantUnavailable),
        (
            vec![voted(1, Vote::Busy), Event::DeadlinePassed],
            Code::AccountLocked,
        ),
    ] {
        assert_eq!(
            after(begun(2), events.clone()).next(),
            abort(reason),
            "{events:?}"
        );
    }
}

#[test]
fn a_deadline_that_passes_after_the_last_yes_changes_nothing() {
    let events = [
        voted(1, Vote::Yes),
        voted(2, Vote::Yes),
        Event::DeadlinePassed,
    ];
    let coordinator = after(begun(2), events);
    assert_eq!(coordinator.next(), [Action::Decide(Outcome::Commit, None)]);
}

#[test]
fn an_answer_is_replaced_only_by_a_firmer_one() {
    let contradiction = Vote::Contradiction;
    for (first, second, stays) in [
        (Vote::Busy, Vote::Yes, Vote::Yes),
        (Vote::Busy, REFUSED, REFUSED),
        (Vote::Yes, Vote::Busy, Vote::Yes),
        (Vote::Yes, REFUSED, REFUSED),
        (Vote::Yes, contradiction, contradiction),
        (REFUSED, Vote::Yes, REFUSED),
        (REFUSED, Vote::Busy, REFUSED),
        (REFUSED, contradiction, REFUSED),
        (contradiction, Vote::Yes, contradiction),
        (contradiction, Vote::Busy, contradiction),
    ] {
        let coordinator = after(begun(1), [voted(1, first), voted(1, second)]);
        assert_eq!(
            coordinator.ballots(),
            [Ballot::Cast(stays)],
            "{first:?}, {second:?}"
        );
    }
}

#[test]
fn a_commit_is_delivered_to_everybody_until_everybody_has_acknowledged() {
    let votes = [voted(1, Vote::Yes), voted(2, Vote::Yes)];
    let coordinator = after(begun(2), votes);
    let coordinator = after(coordinator, [Event::Decided(Outcome::Commit)]);
    assert_eq!(coordinator.next(), deliver(Outcome::Commit, &[1, 2]));
    let coordinator = after(coordinator, [acknowledged(2, DONE)]);
    assert_eq!(coordinator.next(), deliver(Outcome::Commit, &[1]));
    let coordinator = after(coordinator, [acknowledged(1, DONE)]);
    assert_eq!(coordinator.next(), [Action::Finish(Phase::Done)]);
}

#[test]
fn an_abort_is_sent_neither_to_those_who_refused_nor_to_those_never_asked() {
    let mut coordinator = begun(4);
    coordinator.contacted(&bank(3)).unwrap();
    let coordinator = after(
        coordinator,
        [
            voted(1, Vote::Yes),
            voted(2, REFUSED),
            Event::Decided(Outcome::Abort),
        ],
    );
    assert_eq!(coordinator.next(), deliver(Outcome::Abort, &[1, 3]));
}

#[test]
fn an_abort_that_concerns_nobody_is_finished_at_once() {
    let coordinator = after(begun(2), [Event::Decided(Outcome::Abort)]);
    assert_eq!(coordinator.next(), [Action::Finish(Phase::Done)]);
}

#[test]
fn an_abort_follows_a_prepare_that_was_sent_and_never_answered() {
    let mut coordinator = begun(2);
    coordinator.contacted(&bank(1)).unwrap();
    let coordinator = after(
        coordinator,
        [Event::DeadlinePassed, Event::Decided(Outcome::Abort)],
    );
    assert_eq!(coordinator.next(), deliver(Outcome::Abort, &[1]));
}

#[test]
fn an_abort_follows_a_prepare_that_was_answered_busy_or_with_a_contradiction() {
    for vote in [Vote::Busy, Vote::Contradiction] {
        let coordinator = after(begun(1), [voted(1, vote), Event::Decided(Outcome::Abort)]);
        assert_eq!(
            coordinator.next(),
            deliver(Outcome::Abort, &[1]),
            "{vote:?}"
        );
    }
}

#[test]
fn a_yes_that_comes_after_the_abort_gets_the_abort() {
    let events = [Event::Decided(Outcome::Abort), voted(1, Vote::Yes)];
    assert_eq!(
        after(begun(1), events).next(),
        deliver(Outcome::Abort, &[1])
    );
}

#[test]
fn one_hazard_ends_delivery_as_a_hazard_whatever_the_others_say() {
    for (one, other, phase) in [
        (DONE, DONE, Phase::Done),
        (DONE, Acknowledgement::Mixed, Phase::Done),
        (DONE, HAZARD, Phase::Hazard),
        (HAZARD, Acknowledgement::Mixed, Phase::Hazard),
    ] {
        let coordinator = after(
            Coordinator::recovered([bank(1), bank(2)], Status::Committed),
            [acknowledged(1, one), acknowledged(2, other)],
        );
        assert_eq!(
            coordinator.next(),
            [Action::Finish(phase)],
            "{one:?}, {other:?}"
        );
    }
}

#[test]
fn a_hazard_is_not_mended_by_an_acknowledgement_that_comes_later() {
    for answers in [
        [HAZARD, DONE],
        [DONE, HAZARD],
        [HAZARD, Acknowledgement::Mixed],
    ] {
        let coordinator = after(
            Coordinator::recovered([bank(1)], Status::Committed),
            answers.map(|answer| acknowledged(1, answer)),
        );
        assert_eq!(
            coordinator.next(),
            [Action::Finish(Phase::Hazard)],
            "{answers:?}"
        );
    }
}

#[test]
fn a_recovered_transaction_is_aborted_or_delivered_to_everybody() {
    for (status, actions) in [
        (Status::Pending, abort(Code::AbortedByRecovery)),
        (Status::Committed, deliver(Outcome::Commit, &[1, 2])),
        (Status::Aborted, deliver(Outcome::Abort, &[1, 2])),
    ] {
        let coordinator = Coordinator::recovered([bank(1), bank(2)], status);
        assert_eq!(coordinator.next(), actions, "{status:?}");
    }
}

#[test]
fn votes_that_turn_up_late_do_not_make_recovery_commit() {
    let coordinator = after(
        Coordinator::recovered([bank(1)], Status::Pending),
        [voted(1, Vote::Yes)],
    );
    assert_eq!(coordinator.next(), abort(Code::AbortedByRecovery));
}

#[test]
fn recovery_obeys_what_another_process_decided() {
    let coordinator = after(
        Coordinator::recovered([bank(1)], Status::Pending),
        [Event::Decided(Outcome::Commit)],
    );
    assert_eq!(coordinator.next(), deliver(Outcome::Commit, &[1]));
}

#[test]
fn the_outcome_never_changes() {
    for (stands, other) in [
        (Outcome::Commit, Outcome::Abort),
        (Outcome::Abort, Outcome::Commit),
    ] {
        let mut coordinator = after(begun(1), [Event::Decided(stands), Event::Decided(stands)]);
        let before = coordinator.clone();
        let refused = coordinator.apply(Event::Decided(other));
        assert_eq!(refused, Err(IllegalEvent::OutcomeChanged(stands)));
        assert_eq!(coordinator, before);
    }
}

#[test]
fn reports_that_make_no_sense_are_refused_and_change_nothing() {
    let mut coordinator = begun(1);
    let before = coordinator.clone();
    let stranger = IllegalEvent::Stranger(bank(9));
    assert_eq!(
        coordinator.apply(voted(9, Vote::Yes)),
        Err(stranger.clone())
    );
    assert_eq!(coordinator.contacted(&bank(9)), Err(stranger.clone()));
    let early = coordinator.apply(acknowledged(1, DONE));
    assert_eq!(early, Err(IllegalEvent::NotDecided));
    assert_eq!(coordinator, before);

    let mut coordinator = after(coordinator, [Event::Decided(Outcome::Commit)]);
    assert_eq!(coordinator.apply(acknowledged(9, DONE)), Err(stranger));
}

#[test]
fn a_phase_has_the_name_the_schema_gives_it() {
    for (phase, name) in [
        (Phase::Preparing, "preparing"),
        (Phase::Delivering, "delivering"),
        (Phase::Done, "done"),
        (Phase::Hazard, "hazard"),
    ] {
        assert_eq!(phase.as_str(), name);
    }
}

fn event() -> impl Strategy<Value = Event> {
    let vote = prop_oneof![
        3 => Just(Vote::Yes),
        1 => Just(REFUSED),
        1 => Just(Vote::Busy),
        1 => Just(Vote::Contradiction),
    ];
    let acknowledgement = prop_oneof![3 => Just(DONE), 1 => Just(HAZARD)];
    let outcome = prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    prop_oneof![
        6 => (1_usize..5, vote).prop_map(|(number, vote)| voted(number, vote)),
        3 => (1_usize..5, acknowledgement).prop_map(|(number, answer)| acknowledged(number, answer)),
        1 => Just(Event::DeadlinePassed),
        1 => outcome.prop_map(Event::Decided),
    ]
}

proptest! {
    #[test]
    fn nothing_is_delivered_before_it_is_durable_and_nothing_but_that_afterwards(
        recovered: bool,
        events in prop::collection::vec(event(), 0..40),
    ) {
        let banks = [bank(1), bank(2), bank(3)];
        let mut coordinator = if recovered {
            Coordinator::recovered(banks, Status::Pending)
        } else {
            Coordinator::begun(banks)
        };
        let mut durable = None;
        for event in events {
            let before = coordinator.clone();
            match coordinator.apply(event.clone()) {
                Ok(()) => if let Event::Decided(outcome) = event {
                    durable = Some(outcome);
                },
                Err(_) => prop_assert_eq!(&coordinator, &before),
            }
            prop_assert_eq!(coordinator.decided(), durable);
            prop_assert!(!coordinator.next().is_empty());
            for action in coordinator.next() {
                match action {
                    Action::Deliver(outcome, _) => prop_assert_eq!(Some(outcome), durable),
                    Action::Finish(_) => prop_assert!(durable.is_some()),
                    Action::Prepare(_) => prop_assert!(durable.is_none() && !recovered),
                    Action::Decide(outcome, _) => {
                        prop_assert!(durable.is_none());
                        let all_yes = coordinator.ballots() == [Ballot::Cast(Vote::Yes); 3];
                        prop_assert_eq!(outcome == Outcome::Commit, all_yes && !recovered);
                    }
                }
            }
        }
    }
}

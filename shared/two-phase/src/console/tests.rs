use types::views::{ChoiceAction, Status};

use super::*;
use BranchState::{Aborted, Committed, HeuristicAbort, HeuristicMixed, Prepared};

fn bank(number: u8) -> ParticipantId {
    format!("bank-{number}").parse().expect("a name")
}

fn at(number: u8, state: Option<BranchState>) -> Branch {
    Branch::of(bank(number), Known::State(state))
}

fn silent(number: u8) -> Branch {
    let error = "connection refused".to_owned();
    Branch::of(bank(number), Known::Unreachable { error })
}

fn recorded(status: Status, phase: Phase, driver: Driver) -> Decision {
    Decision::Recorded {
        status,
        phase,
        driver,
    }
}

fn elsewhere() -> Driver {
    Driver::Elsewhere {
        name: "transactions-service-2".to_owned(),
        remaining_ms: 1_250,
    }
}

fn unreachable() -> Decision {
    Decision::Unreachable {
        error: "connection refused".to_owned(),
    }
}

fn of(decision: Decision, branches: Vec<Branch>) -> Evidence {
    Evidence { decision, branches }
}

#[test]
fn what_is_being_tried_is_told_for_every_state() {
    let promised = || vec![at(1, Some(Prepared)), at(2, Some(Prepared))];
    let half = || vec![at(1, Some(Prepared)), at(2, None)];
    let late = || {
        let delivery = Some(Delivery {
            attempts: 11,
            error: Some("connection refused".to_owned()),
            next_in_ms: Some(3_200),
        });
        vec![
            at(1, Some(Committed)),
            Branch {
                delivery,
                ..silent(2)
            },
        ]
    };
    let (pending, commit, abort) = (Status::Pending, Status::Committed, Status::Aborted);
    use Phase::{Delivering, Done, Hazard, Preparing};
    let rows = [
        (
            of(recorded(pending, Preparing, Driver::Here), half()),
            "gathering votes",
        ),
        (
            of(recorded(pending, Preparing, Driver::Here), promised()),
            "writing the decision: every bank has promised",
        ),
        (
            of(recorded(pending, Preparing, elsewhere()), promised()),
            "waiting for its coordinator's lease: transactions-service-2 drives it and has 1.3 s",
        ),
        (
            of(recorded(pending, Preparing, Driver::Nobody), promised()),
            "take it over and to abort it",
        ),
        (
            of(recorded(commit, Delivering, Driver::Here), promised()),
            "delivering COMMIT until every bank",
        ),
        (
            of(recorded(commit, Delivering, Driver::Here), late()),
            "delivering COMMIT to bank-2, attempt 12, last error: connection refused, next try in \
             3.2 s",
        ),
        (
            of(recorded(abort, Delivering, elsewhere()), promised()),
            "transactions-service-2 is delivering ABORT; its lease runs for 1.3 s",
        ),
        (
            of(recorded(abort, Delivering, Driver::Nobody), promised()),
            "take it over and to deliver ABORT",
        ),
        (
            of(recorded(commit, Hazard, Driver::Here), half()),
            "parked: hazard",
        ),
        (
            of(recorded(commit, Done, Driver::Nobody), promised()),
            "a bank that is in doubt asks, and is told COMMIT",
        ),
        (
            of(
                recorded(commit, Done, Driver::Nobody),
                vec![Branch {
                    hazards: vec!["heuristic_mixed".to_owned()],
                    ..at(1, Some(HeuristicMixed))
                }],
            ),
            "it is over, and what was recorded waits to be acknowledged",
        ),
        (of(Decision::NoRecord, half()), "no record of it"),
        (of(Decision::Undecided, half()), "nothing is decided yet"),
        (
            of(unreachable(), half()),
            "no coordinator answers: connection refused",
        ),
        (of(Decision::NotAsked, half()), "about to ask"),
    ];
    for (evidence, words) in rows {
        let told = trying(&evidence);
        assert!(told.contains(words), "{told:?} does not say {words:?}");
    }
}

/// What it would mean to force one outcome at bank 2, which is prepared.
fn means(decision: Decision, first: Branch, action: ChoiceAction) -> String {
    let evidence = of(decision, vec![first, at(2, Some(Prepared))]);
    let choice = choices(&evidence)
        .into_iter()
        .find(|choice| choice.action == action && choice.participant.as_ref() == Some(&bank(2)));
    choice.expect("it is offered").means
}

#[test]
fn forcing_says_whether_it_agrees_or_makes_it_mixed() {
    use ChoiceAction::{ForceAbort, ForceCommit};
    let decided = |status| recorded(status, Phase::Delivering, Driver::Here);
    let pending = || recorded(Status::Pending, Phase::Preparing, elsewhere());
    // Decision, the other bank, whether COMMIT is certain to be mixed, whether ABORT is, a word.
    let rows = [
        (
            decided(Status::Committed),
            at(1, Some(Committed)),
            (false, true),
            "the decision is COMMIT",
        ),
        (
            decided(Status::Aborted),
            at(1, Some(Aborted)),
            (true, false),
            "the decision is ABORT",
        ),
        (
            unreachable(),
            at(1, Some(Aborted)),
            (true, false),
            "bank-1 is ABORTED",
        ),
        (
            unreachable(),
            at(1, Some(BranchState::Refused)),
            (true, false),
            "bank-1 is REFUSED",
        ),
        (
            unreachable(),
            at(1, Some(Committed)),
            (false, true),
            "bank-1 is COMMITTED",
        ),
        (
            Decision::NoRecord,
            at(1, Some(HeuristicAbort)),
            (true, false),
            "bank-1 is HEURISTIC_ABORT",
        ),
    ];
    for (decision, first, mixed, why) in rows {
        let commit = means(decision.clone(), first.clone(), ForceCommit);
        let abort = means(decision, first, ForceAbort);
        for (words, mixed) in [(&commit, mixed.0), (&abort, mixed.1)] {
            assert!(words.contains(why), "{words:?} does not say {why:?}");
            assert_eq!(words.contains("that makes it MIXED"), mixed, "{words}");
            assert_eq!(words.contains("it agrees"), !mixed, "{words}");
        }
        assert!(commit.starts_with("bank-2 books its legs now"), "{commit}");
        assert!(
            abort.starts_with("bank-2 releases the holds now"),
            "{abort}"
        );
    }
    for (decision, first, action, why) in [
        (
            pending(),
            silent(1),
            ForceCommit,
            "what nobody decides is aborted",
        ),
        (
            pending(),
            silent(1),
            ForceAbort,
            "if its coordinator still commits",
        ),
        (
            unreachable(),
            silent(1),
            ForceCommit,
            "what bank-1 did is not known; if the decision was ABORT",
        ),
        (
            Decision::NoRecord,
            at(1, Some(Prepared)),
            ForceAbort,
            "no bank has carried out anything; if the decision was COMMIT",
        ),
    ] {
        let words = means(decision, first, action);
        assert!(words.contains(why), "{words:?} does not say {why:?}");
        assert!(
            words.contains("MIXED") && !words.contains("it agrees and"),
            "{words}"
        );
    }
}

#[test]
fn banks_that_contradict_each_other_leave_no_choice_that_agrees() {
    let torn = vec![
        at(1, Some(Committed)),
        at(2, Some(Prepared)),
        at(3, Some(Aborted)),
    ];
    for choice in choices(&of(unreachable(), torn)) {
        if choice.action != ChoiceAction::Wait {
            assert!(
                choice.means.contains("either choice leaves it MIXED"),
                "{}",
                choice.means
            );
        }
    }
}

#[test]
fn only_a_prepared_branch_is_offered_to_be_forced() {
    for state in BranchState::ALL.map(Some).into_iter().chain([None]) {
        let offered = choices(&of(unreachable(), vec![at(1, state), silent(2)]));
        let forces = offered.iter().filter(|choice| {
            matches!(
                choice.action,
                ChoiceAction::ForceCommit | ChoiceAction::ForceAbort
            )
        });
        let expected = if state == Some(Prepared) { 2 } else { 0 };
        assert_eq!(forces.count(), expected, "{state:?}");
        assert_eq!(offered[0].action, ChoiceAction::Wait);
    }
}

#[test]
fn what_differs_for_good_is_to_be_corrected_and_every_hazard_acknowledged() {
    let hazard = |status| recorded(status, Phase::Hazard, Driver::Here);
    let rows = [
        (
            hazard(Status::Committed),
            Some(HeuristicMixed),
            "forced to ABORT",
        ),
        (
            hazard(Status::Aborted),
            Some(HeuristicMixed),
            "forced to COMMIT",
        ),
        (
            Decision::NoRecord,
            Some(HeuristicMixed),
            "find out what was decided",
        ),
        (hazard(Status::Committed), Some(Aborted), "has aborted"),
        (hazard(Status::Aborted), Some(Committed), "has committed"),
        (hazard(Status::Committed), None, "has no such branch"),
    ];
    for (decision, state, words) in rows {
        let branch = Branch {
            hazards: vec!["heuristic_mixed".to_owned()],
            ..at(1, state)
        };
        let offered = choices(&of(decision, vec![branch]));
        let actions: Vec<_> = offered.iter().map(|choice| choice.action).collect();
        let expected = [
            ChoiceAction::Wait,
            ChoiceAction::Correct,
            ChoiceAction::Acknowledge,
        ];
        assert_eq!(actions, expected, "{offered:?}");
        assert!(offered[1].means.contains(words), "{}", offered[1].means);
        assert_eq!(offered[2].hazard.as_deref(), Some("heuristic_mixed"));
    }
    let agreed = of(hazard(Status::Committed), vec![at(1, Some(Committed))]);
    assert_eq!(
        choices(&agreed).len(),
        1,
        "nothing is to be done about a bank that agrees"
    );
}

#[test]
fn a_wait_that_never_ends_is_said_to() {
    let ends = |decision, state| choices(&of(decision, vec![at(1, state)])).remove(0).means;
    for (decision, state) in [
        (Decision::NoRecord, Some(Prepared)),
        (
            recorded(Status::Committed, Phase::Hazard, Driver::Here),
            None,
        ),
    ] {
        let means = ends(decision, state);
        assert!(means.contains("does not end by itself"), "{means}");
    }
    let means = ends(unreachable(), Some(Prepared));
    assert!(means.contains("until then the holds stay"), "{means}");
}

#[test]
fn evidence_has_changed_when_more_or_other_things_are_known() {
    let pending = recorded(Status::Pending, Phase::Preparing, Driver::Here);
    let committed = recorded(Status::Committed, Phase::Delivering, Driver::Here);
    let line =
        |decision: &Decision, branches: Vec<Branch>| fingerprint(&of(decision.clone(), branches));
    let before = line(&pending, vec![at(1, Some(Prepared)), silent(2)]);
    assert_eq!(
        before,
        "coordinator=pending bank-1=PREPARED bank-2=unreachable"
    );
    let rows = [
        (
            line(&pending, vec![at(1, Some(Prepared)), silent(2)]),
            false,
        ),
        (
            line(&unreachable(), vec![at(1, Some(Prepared)), silent(2)]),
            false,
        ),
        (
            line(&Decision::Undecided, vec![at(1, Some(Prepared))]),
            false,
        ),
        (
            line(&committed, vec![at(1, Some(Prepared)), silent(2)]),
            true,
        ),
        (
            line(&Decision::NoRecord, vec![at(1, Some(Prepared)), silent(2)]),
            true,
        ),
        (line(&pending, vec![at(1, None), silent(2)]), true),
        (
            line(&pending, vec![at(1, Some(Prepared)), at(2, Some(Aborted))]),
            true,
        ),
        (
            line(
                &pending,
                vec![at(1, Some(Prepared)), silent(2), at(3, None)],
            ),
            true,
        ),
    ];
    for (now, changed) in rows {
        assert_eq!(has_changed(&before, &now), changed, "{now}");
    }
    // What was proposed before there were such lines is not known to be the same.
    assert!(has_changed("PREPARED", &before));
}

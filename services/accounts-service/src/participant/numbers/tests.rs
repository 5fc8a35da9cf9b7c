use types::DatabaseId;

use super::*;

fn ours(own: &[i64], seen: &[i64], incarnation: &str) -> Statement {
    Statement {
        own: Lanes::from_row(own),
        seen: Lanes::from_row(seen),
        incarnation: incarnation.to_owned(),
    }
}

fn theirs(database: DatabaseId, own: &[i64], seen: &[i64], incarnation: &str) -> Comparison {
    Comparison {
        participant: "bank-1".parse().expect("a name"),
        database_id: database,
        incarnation: incarnation.to_owned(),
        own: Lanes::from_row(own),
        seen: Lanes::from_row(seen),
    }
}

#[test]
fn two_databases_keep_their_session_until_one_of_them_is_another() {
    let it = DatabaseId::generate();
    let here = |incarnation| ours(&[3], &[7], incarnation);
    let there = |incarnation| theirs(it, &[7], &[3], incarnation);
    let first = judge(&here("a"), None, &there("x"));
    assert_eq!(first.state, ParticipantState::InStep);
    assert!(first.session.is_some());
    assert_eq!(judge(&here("a"), Some(&first), &there("x")), first);
    for (own, other) in [("b", "x"), ("a", "y"), ("b", "y")] {
        let again = judge(&here(own), Some(&first), &there(other));
        assert_eq!(again.state, ParticipantState::InStep);
        assert_ne!(again.session, first.session, "{own} {other}");
    }
}

#[test]
fn a_loss_on_either_side_ends_the_session() {
    let it = DatabaseId::generate();
    let first = judge(&ours(&[3], &[7], "a"), None, &theirs(it, &[7], &[3], "x"));
    for (own, seen, their_own, their_seen, state) in [
        (&[2], &[7], &[7], &[3], ParticipantState::Behind),
        (&[3], &[7], &[6], &[3], ParticipantState::CoordinatorBehind),
        (&[3], &[7], &[9], &[2], ParticipantState::InStep),
    ] {
        let here = ours(own, seen, "b");
        let there = theirs(it, their_own, their_seen, "y");
        let found = judge(&here, Some(&first), &there);
        assert_eq!(found.state, state);
        assert_eq!(found.session.is_some(), state == ParticipantState::InStep);
    }
}

#[test]
fn a_statement_that_others_have_overtaken_is_no_loss() {
    let it = DatabaseId::generate();
    let first = judge(&ours(&[3], &[7], "a"), None, &theirs(it, &[7], &[3], "x"));
    let overtaken = judge(
        &ours(&[3], &[9], "b"),
        Some(&first),
        &theirs(it, &[8], &[3], "x"),
    );
    assert_eq!(overtaken.state, ParticipantState::InStep);
}

#[test]
fn another_database_of_the_coordinators_is_not_the_one_that_was_lost() {
    let (it, another) = (DatabaseId::generate(), DatabaseId::generate());
    let first = judge(&ours(&[3], &[7], "a"), None, &theirs(it, &[7], &[3], "x"));
    let found = judge(
        &ours(&[3], &[7], "a"),
        Some(&first),
        &theirs(another, &[99], &[], "x"),
    );
    assert_eq!(found.state, ParticipantState::CoordinatorBehind);
    assert_eq!(found.session, None);
}

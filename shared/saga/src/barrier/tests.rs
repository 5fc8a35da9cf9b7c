use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const R: Reason = Reason::fixed("because");

fn refused() -> Recorded {
    Recorded::Refused { reason: R }
}

#[test]
fn an_action_happens_once_and_never_after_it_was_closed() {
    assert_eq!(on_action(None), OnAction::Perform);
    assert_eq!(
        on_action(Some(&Recorded::Done)),
        OnAction::Answer(Answer::Done)
    );
    assert_eq!(
        on_action(Some(&refused())),
        OnAction::Answer(Answer::Refused(R))
    );
    assert_eq!(
        on_action(Some(&Recorded::Closed)),
        OnAction::Answer(Answer::Refused(CLOSED))
    );
}

#[test]
fn a_compensation_undoes_only_what_was_done_and_only_once() {
    for (compensation, action, expected) in [
        (None, None, OnCompensation::CloseAndRecord),
        (None, Some(Recorded::Done), OnCompensation::Undo),
        (None, Some(refused()), OnCompensation::Record),
        (None, Some(Recorded::Closed), OnCompensation::Record),
        (
            Some(Recorded::Done),
            Some(Recorded::Done),
            OnCompensation::Repeated,
        ),
        (
            Some(Recorded::Done),
            Some(Recorded::Closed),
            OnCompensation::Repeated,
        ),
    ] {
        assert_eq!(
            on_compensation(compensation.as_ref(), action.as_ref()),
            expected,
            "{action:?}"
        );
    }
}

#[test]
fn a_passing_failure_leaves_nothing_behind() {
    for answer in [Answer::<()>::NotNow(R), Answer::Unknown(R)] {
        assert_eq!(after_action(&answer), None);
        assert_eq!(after_compensation(&answer), None);
    }
    assert_eq!(after_action(&Answer::<()>::Refused(R)), Some(refused()));
    // Or an operator's retry could never work.
    assert_eq!(after_compensation(&Answer::<()>::Refused(R)), None);
}

#[test]
fn closing_waits_for_what_is_under_way_and_reverses_what_has_happened() {
    for (standing, expected) in [
        (Standing::Absent, OnClose::Close),
        (Standing::Underway, OnClose::Wait),
        (Standing::Settled(Recorded::Done), OnClose::Reverse),
        (Standing::Settled(refused()), OnClose::Nothing),
        (Standing::Settled(Recorded::Closed), OnClose::Nothing),
    ] {
        assert_eq!(close(&standing), expected, "{standing:?}");
    }
}

/// Rows as one database transaction sees them.
#[derive(Clone, Default)]
struct Rows(BTreeMap<crate::OperationId, Option<Recorded>>);

impl BarrierStore for Rows {
    type Error = std::convert::Infallible;

    async fn enter(
        &mut self,
        operation: crate::OperationId,
    ) -> Result<Option<Recorded>, Self::Error> {
        Ok(self.0.entry(operation).or_default().clone())
    }

    async fn record(
        &mut self,
        operation: crate::OperationId,
        outcome: Recorded,
    ) -> Result<(), Self::Error> {
        self.0.insert(operation, Some(outcome));
        Ok(())
    }
}

fn any_effect() -> impl Strategy<Value = Answer<()>> {
    prop_oneof![
        Just(Answer::Done),
        Just(Answer::Refused(R)),
        Just(Answer::NotNow(R)),
        Just(Answer::Unknown(R)),
    ]
}

proptest! {
    /// Actions and compensations of one step in any order and number, each with any answer of the
    /// performer's: the effect happens once at most, is undone once at most and only if it
    /// happened, and once a compensation was acknowledged nothing of it is there or comes.
    #[test]
    fn no_order_of_messages_leaves_an_effect_that_was_undone(
        messages in proptest::collection::vec((any::<bool>(), any_effect()), 1..20),
    ) {
        let saga = crate::SagaId::generate();
        let action = crate::OperationId::new(saga, "step", crate::Direction::Action);
        let compensation = crate::OperationId::new(saga, "step", crate::Direction::Compensation);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut rows, mut done, mut undone, mut acknowledged) = (Rows::default(), 0, 0, false);
        for (is_action, effect) in messages {
            let request = if is_action {
                Request::Action(action)
            } else {
                Request::Compensation { operation: compensation, undoes: action }
            };
            let mut transaction = rows.clone();
            let mut performed = false;
            let passed = runtime.block_on(pass(&mut transaction, request, || {
                performed = true;
                std::future::ready(effect)
            })).unwrap();
            if passed.commit {
                rows = transaction;
                let happened = u8::from(performed && passed.answer == Answer::Done);
                if is_action { done += happened } else { undone += happened }
                prop_assert!(rows.0.values().all(Option::is_some), "a row without an outcome");
            }
            acknowledged |= !is_action && passed.answer == Answer::Done;
            prop_assert!(done <= 1 && undone <= done);
            prop_assert!(!acknowledged || done == undone);
        }
    }
}

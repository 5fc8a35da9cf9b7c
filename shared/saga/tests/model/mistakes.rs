//! Proof that the model sees: with each mistake made, some property fails.

use stateright::{Checker, HasDiscoveries, Model};

use crate::properties::{COMMITTED, COMPENSATED, LOGGED, NEVER_BACK, ONCE};
use crate::scenario::Scenario;

/// What an executor or a performer can get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    None,
    /// A performer does again what it has done.
    NoBarrier,
    /// A compensation that comes first is not remembered.
    NoPoison,
    /// The next step is asked for while the log is being written.
    AsksBeforeLogging,
    /// An executor goes on although its write is not there.
    LosesWrites,
    /// The log takes writes of an old epoch.
    NoFence,
    /// No answer is taken for a refusal.
    UnknownIsFailure,
    /// An executor forgets that it does not know.
    NoDoubt,
    /// Whoever takes over believes that nothing has been asked.
    NoDoubtAfterTakeover,
}

fn breaks(scenario: Scenario, property: &'static str) -> bool {
    let mistake = scenario.mistake;
    let checker = scenario
        .checker()
        .finish_when(HasDiscoveries::AnyOf([property].into()))
        .target_state_count(1_000_000)
        .spawn_bfs()
        .join();
    let Some(path) = checker.discovery(property) else {
        return false;
    };
    let steps = path.into_actions();
    println!(
        "{mistake:?}: not \"{property}\" after {} steps",
        steps.len()
    );
    for step in steps {
        println!("  {step:?}");
    }
    true
}

#[test]
fn every_mistake_breaks_a_property() {
    for (mistake, scenario, property) in [
        (Mistake::NoBarrier, Scenario::two_steps(), ONCE),
        (Mistake::NoPoison, Scenario::two_steps(), COMPENSATED),
        (Mistake::AsksBeforeLogging, Scenario::two_steps(), LOGGED),
        (Mistake::LosesWrites, Scenario::two_steps(), LOGGED),
        (Mistake::NoFence, Scenario::stale_owner(), COMMITTED),
        (
            Mistake::UnknownIsFailure,
            Scenario::two_steps(),
            COMPENSATED,
        ),
        (Mistake::UnknownIsFailure, Scenario::pivot(), NEVER_BACK),
        (Mistake::NoDoubt, Scenario::undoable_pivot(), NEVER_BACK),
        (
            Mistake::NoDoubtAfterTakeover,
            Scenario::undoable_pivot(),
            NEVER_BACK,
        ),
    ] {
        let wrong = Scenario {
            mistake,
            ..scenario
        };
        assert!(breaks(wrong, property), "{mistake:?} was not seen");
    }
}

//! Proof that the model sees: with each mistake planted, some property fails.

use stateright::{Checker, HasDiscoveries, Model};
use two_phase::planted::{Bug, plant};

use crate::{PLANTED, scenarios};

/// Takes the mistake out again, whatever happens.
struct Planted;

impl Planted {
    fn new(bug: Bug) -> Self {
        plant(Some(bug));
        Self
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        plant(None);
    }
}

/// Whether the property fails with the mistake planted; prints a way there.
fn breaks(bug: Bug, property: &'static str) -> bool {
    let _planted = Planted::new(bug);
    let checker = scenarios::peers()
        .checker()
        .finish_when(HasDiscoveries::AnyOf([property].into()))
        // A mistake may have made the states endless.
        .target_state_count(1_000_000)
        .spawn_bfs()
        .join();
    let Some(path) = checker.discovery(property) else {
        return false;
    };
    let steps = path.into_actions();
    println!("{bug:?}: not \"{property}\" after {} steps", steps.len());
    for step in steps {
        println!("  {step:?}");
    }
    true
}

#[test]
fn every_planted_bug_breaks_a_property() {
    let _alone = PLANTED.write();
    for (bug, property) in [
        (Bug::MissingVoteCountsAsYes, "all participants agree"),
        (Bug::NoTombstone, "all participants agree"),
        (Bug::DoubleApply, "legs are booked once or released"),
        (Bug::DoubleApply, "the books agree with the branches"),
        (Bug::DoubleApply, "money is conserved"),
    ] {
        assert!(breaks(bug, property), "{bug:?} went unnoticed");
    }
}

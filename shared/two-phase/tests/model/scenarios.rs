//! Banks small enough to be explored by a debug build.

use crate::scenario::Scenario;
use crate::state::Faults;

/// Nothing goes wrong but messages.
pub fn calm(name: &'static str, opening: &[i64], transfers: &[&[i64]]) -> Scenario {
    Scenario {
        name,
        opening: opening.to_vec(),
        transfers: transfers.iter().map(|changes| changes.to_vec()).collect(),
        exclusive: false,
        peers_may_be_asked: false,
        faults: Faults::NONE,
    }
}

/// Participants in doubt ask each other.
pub fn peers() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        ..calm("two banks, peers", &[10, 0], &[&[-6, 6]])
    }
}

/// A coordinator crashes.
pub fn crash() -> Scenario {
    Scenario {
        faults: Faults {
            coordinator_crashes: 1,
            ..Faults::NONE
        },
        ..calm("two banks, a crash", &[10, 0], &[&[-6, 6]])
    }
}

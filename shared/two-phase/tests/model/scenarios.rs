//! Banks small enough to be explored by a debug build.

use crate::part::{Account, Leg, escrow, exclusive, linked, transfer};
use crate::scenario::Scenario;
use crate::state::Faults;

/// One account at each of two banks, and money for a transfer.
pub fn two_banks() -> [Account; 2] {
    [escrow(0, 10), escrow(1, 0)]
}

/// The transfer.
pub fn six() -> Vec<Leg> {
    transfer(&[(0, -6), (1, 6)])
}

/// Participants in doubt ask each other.
pub fn peers() -> Scenario {
    Scenario::calm("two banks, peers", &two_banks(), &[six()]).with_peers()
}

/// A coordinator crashes.
pub fn crash() -> Scenario {
    Scenario::calm("two banks, a crash", &two_banks(), &[six()]).with(Faults {
        coordinator_crashes: 1,
        ..Faults::NONE
    })
}

/// A bank is restored to before its promise.
pub fn lost_promise() -> Scenario {
    Scenario::calm("two banks, a lost promise", &two_banks(), &[six()]).with(Faults {
        lost_branches: 1,
        ..Faults::NONE
    })
}

/// The coordinators' database is restored to before the transaction was begun.
pub fn lost_row() -> Scenario {
    Scenario::calm("two banks, a lost row, peers", &two_banks(), &[six()])
        .with_peers()
        .with(Faults {
            lost_rows: 1,
            ..Faults::NONE
        })
}

/// Two transfers within one bank that need the same two exclusive accounts, from either side.
pub fn crossing_at_one_bank() -> Scenario {
    Scenario::calm(
        "one bank, two transfers that cross, exclusive",
        &[exclusive(0, 5), exclusive(0, 5)],
        &[transfer(&[(0, -3), (1, 3)]), transfer(&[(1, -4), (0, 4)])],
    )
}

/// Two transfers within one bank that are alike, and money for both.
pub fn two_alike() -> Scenario {
    let alike = || transfer(&[(0, -6), (1, 6)]);
    let accounts = [escrow(0, 20), escrow(0, 0)];
    Scenario::calm("one bank, two alike", &accounts, &[alike(), alike()])
}

/// The second transfer can only be paid from what the first one brings.
pub fn one_lives_on_the_other() -> Scenario {
    Scenario::calm(
        "one bank, one lives on the other",
        &[escrow(0, 6), escrow(0, 0)],
        &[transfer(&[(0, -6), (1, 6)]), transfer(&[(1, -6), (0, 6)])],
    )
}

/// A linked batch that passes money through an account that has none, and gives some back.
pub fn linked_at_one_bank() -> Scenario {
    let batch = linked(&[&[(0, -8), (1, 8)], &[(1, -8), (2, 8)], &[(2, -3), (0, 3)]]);
    let accounts = [escrow(0, 10), exclusive(0, 0), escrow(0, 0)];
    Scenario::calm("one bank, a linked batch", &accounts, &[batch])
}

/// An operator forces a branch.
pub fn forced() -> Scenario {
    Scenario::calm("two banks, a forced branch", &two_banks(), &[six()]).with(Faults {
        forced: 1,
        ..Faults::NONE
    })
}

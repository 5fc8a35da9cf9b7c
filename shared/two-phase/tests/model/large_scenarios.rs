//! Banks that take an optimised build.

use crate::part::{escrow, exclusive, linked, transfer};
use crate::scenario::Scenario;
use crate::scenarios::{six, two_banks};
use crate::state::Faults;

/// The owner is stopped beyond its lease and wakes up stale, while participants ask each other.
pub fn stale_owner() -> Scenario {
    Scenario::calm("two banks, a stale owner, peers", &two_banks(), &[six()])
        .with_peers()
        .with(Faults {
            lost_leases: 1,
            ..Faults::NONE
        })
}

/// Participants lose what they heard from peers, a coordinator loses its votes.
pub fn crash_of_everybody() -> Scenario {
    let name = "two banks, a crash of each kind, peers";
    Scenario::calm(name, &two_banks(), &[six()])
        .with_peers()
        .with(Faults {
            coordinator_crashes: 1,
            participant_crashes: 1,
            ..Faults::NONE
        })
}

/// The database's clock is set back under a lease, and a coordinator crashes.
pub fn clock_jump() -> Scenario {
    let name = "two banks, a crash, a clock set back";
    Scenario::calm(name, &two_banks(), &[six()]).with(Faults {
        coordinator_crashes: 1,
        clock_jumps: 1,
        ..Faults::NONE
    })
}

/// An operator forces a branch of many legs while the coordinator may crash and peers ask.
pub fn forced() -> Scenario {
    Scenario::calm(
        "two banks, four legs, a crash, a forced branch, peers",
        &[
            escrow(0, 10),
            exclusive(0, 2),
            escrow(1, 0),
            exclusive(1, 0),
        ],
        &[transfer(&[(0, -6), (1, -1), (2, 4), (3, 3)])],
    )
    .with_peers()
    .with(Faults {
        coordinator_crashes: 1,
        forced: 1,
        ..Faults::NONE
    })
}

/// Two operators force two branches, perhaps against each other.
pub fn forced_twice() -> Scenario {
    Scenario::calm("two banks, two forced branches", &two_banks(), &[six()])
        .with_peers()
        .with(Faults {
            forced: 2,
            ..Faults::NONE
        })
}

/// A promise is lost while coordinators crash and peers ask.
pub fn lost_promise_and_crash() -> Scenario {
    let name = "two banks, a lost promise, a crash, peers";
    Scenario::calm(name, &two_banks(), &[six()])
        .with_peers()
        .with(Faults {
            coordinator_crashes: 1,
            lost_branches: 1,
            ..Faults::NONE
        })
}

/// Three legs at three banks, one of them with two peers to ask.
pub fn three_with_peers() -> Scenario {
    let accounts = [escrow(0, 10), escrow(1, 0), escrow(2, 0)];
    let legs = transfer(&[(0, -6), (1, 4), (2, 2)]);
    Scenario::calm("three banks, peers", &accounts, &[legs]).with_peers()
}

/// Three legs at three banks, coordinators crash.
pub fn three_with_crash() -> Scenario {
    let accounts = [escrow(0, 10), escrow(1, 0), escrow(2, 0)];
    let legs = transfer(&[(0, -6), (1, 4), (2, 2)]);
    Scenario::calm("three banks, a crash", &accounts, &[legs]).with(Faults {
        coordinator_crashes: 1,
        ..Faults::NONE
    })
}

/// Three legs at three banks, and an owner that wakes up stale.
pub fn three_with_stale_owner() -> Scenario {
    let accounts = [escrow(0, 10), escrow(1, 0), escrow(2, 0)];
    let legs = transfer(&[(0, -6), (1, 4), (2, 2)]);
    Scenario::calm("three banks, a stale owner", &accounts, &[legs]).with(Faults {
        lost_leases: 1,
        ..Faults::NONE
    })
}

/// Two transfers, and money for one of them.
pub fn money_for_one() -> Scenario {
    let name = "two transfers, money for one";
    Scenario::calm(name, &two_banks(), &[six(), six()])
}

/// The second transfer can only be paid from what the first one brings.
pub fn uncommitted_credit() -> Scenario {
    let back = transfer(&[(0, 6), (1, -6)]);
    let accounts = [escrow(0, 6), escrow(1, 0)];
    let name = "two transfers, one lives on the other";
    Scenario::calm(name, &accounts, &[six(), back])
}

/// Two transfers that need the same account for themselves alone.
pub fn one_exclusive() -> Scenario {
    Scenario::calm(
        "two transfers, one exclusive account",
        &[exclusive(0, 10), escrow(1, 0), escrow(2, 0)],
        &[transfer(&[(0, -3), (1, 3)]), transfer(&[(0, -4), (2, 4)])],
    )
}

/// Two transfers that need two exclusive accounts at two banks, one in each direction: whoever
/// asked them the other way round would wait for ever.
pub fn crossing() -> Scenario {
    Scenario::calm(
        "two banks, two transfers that cross, exclusive",
        &[exclusive(0, 5), exclusive(1, 5)],
        &[transfer(&[(0, -3), (1, 3)]), transfer(&[(1, -4), (0, 4)])],
    )
}

/// A list of two at one bank, and a coordinator that crashes in the middle of it.
pub fn list_with_crash() -> Scenario {
    Scenario::calm(
        "one bank, a list of two, a crash",
        &[escrow(0, 10), escrow(0, 0)],
        &[transfer(&[(0, -4), (1, 4)]), transfer(&[(0, -8), (1, 8)])],
    )
    .with(Faults {
        coordinator_crashes: 1,
        ..Faults::NONE
    })
}

/// A linked batch that passes money through an empty exclusive account of the second bank, while a
/// lone transfer wants the same account and the same money.
pub fn linked_batch() -> Scenario {
    Scenario::calm(
        "two banks, a linked batch and a lone transfer",
        &[escrow(0, 10), exclusive(1, 0), escrow(1, 0)],
        &[
            linked(&[&[(0, -8), (1, 8)], &[(1, -8), (2, 8)], &[(2, -3), (0, 3)]]),
            transfer(&[(0, -5), (1, 5)]),
        ],
    )
}

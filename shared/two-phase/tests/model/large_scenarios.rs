//! Banks that take an optimised build.

use crate::scenario::Scenario;
use crate::scenarios::calm;
use crate::state::Faults;

/// The owner is stopped beyond its lease and wakes up stale, while participants ask each other.
pub fn stale_owner() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        faults: Faults {
            lost_leases: 1,
            ..Faults::NONE
        },
        ..calm("two banks, a stale owner, peers", &[10, 0], &[&[-6, 6]])
    }
}

/// Participants lose what they heard from peers, a coordinator loses its votes.
pub fn crash_of_everybody() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        faults: Faults {
            coordinator_crashes: 1,
            participant_crashes: 1,
            ..Faults::NONE
        },
        ..calm(
            "two banks, a crash of each kind, peers",
            &[10, 0],
            &[&[-6, 6]],
        )
    }
}

/// The database's clock is set back under a lease, and a coordinator crashes.
pub fn clock_jump() -> Scenario {
    Scenario {
        faults: Faults {
            coordinator_crashes: 1,
            clock_jumps: 1,
            ..Faults::NONE
        },
        ..calm(
            "two banks, a crash, a clock set back",
            &[10, 0],
            &[&[-6, 6]],
        )
    }
}

/// An operator forces a branch while the coordinator may crash and peers ask.
pub fn forced() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        faults: Faults {
            coordinator_crashes: 1,
            forced: 1,
            ..Faults::NONE
        },
        ..calm(
            "two banks, a crash, a forced branch, peers",
            &[10, 0],
            &[&[-6, 6]],
        )
    }
}

/// Three legs at three banks, one of them with two peers to ask.
pub fn three_with_peers() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        ..calm("three banks, peers", &[10, 0, 0], &[&[-6, 4, 2]])
    }
}

/// Three legs at three banks, coordinators crash.
pub fn three_with_crash() -> Scenario {
    Scenario {
        faults: Faults {
            coordinator_crashes: 1,
            ..Faults::NONE
        },
        ..calm("three banks, a crash", &[10, 0, 0], &[&[-6, 4, 2]])
    }
}

/// Three legs at three banks, and an owner that wakes up stale.
pub fn three_with_stale_owner() -> Scenario {
    Scenario {
        faults: Faults {
            lost_leases: 1,
            ..Faults::NONE
        },
        ..calm("three banks, a stale owner", &[10, 0, 0], &[&[-6, 4, 2]])
    }
}

/// Two transfers, and money for one of them.
pub fn money_for_one() -> Scenario {
    calm(
        "two transfers, money for one",
        &[10, 0],
        &[&[-6, 6], &[-6, 6]],
    )
}

/// The second transfer can only be paid from what the first one brings.
pub fn uncommitted_credit() -> Scenario {
    calm(
        "two transfers, one lives on the other",
        &[6, 0],
        &[&[-6, 6], &[6, -6]],
    )
}

/// Two transfers that need the same account for themselves alone.
pub fn exclusive() -> Scenario {
    let transfers: &[&[i64]] = &[&[-3, 3, 0], &[-4, 0, 4]];
    Scenario {
        exclusive: true,
        ..calm(
            "two transfers, one exclusive account",
            &[10, 0, 0],
            transfers,
        )
    }
}

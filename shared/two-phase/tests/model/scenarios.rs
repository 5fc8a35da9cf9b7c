//! The banks that are explored.

use crate::scenario::Scenario;
use crate::state::Faults;

fn calm(name: &'static str, opening: &[i64], transfers: &[&[i64]]) -> Scenario {
    Scenario {
        name,
        opening: opening.to_vec(),
        transfers: transfers.iter().map(|changes| changes.to_vec()).collect(),
        exclusive: false,
        peers_may_be_asked: false,
        faults: Faults::NONE,
    }
}

/// One transfer, coordinators crash.
pub fn crash() -> Scenario {
    Scenario {
        faults: Faults {
            coordinator_crashes: 1,
            ..Faults::NONE
        },
        ..calm("two banks, a crash", &[10, 0], &[&[-6, 6]])
    }
}

/// One transfer whose owner is stopped beyond its lease, while participants ask each other.
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

pub fn b1() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        faults: Faults {
            coordinator_crashes: 2,
            participant_crashes: 1,
            lost_leases: 1,
            clock_jumps: 1,
            forced: 0,
        },
        ..calm("b1 two banks, everything", &[10, 0], &[&[-6, 6]])
    }
}
pub fn b2() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        faults: Faults::NONE,
        ..calm("b2 three banks, peers", &[10, 0, 0], &[&[-6, 4, 2]])
    }
}
pub fn b2a() -> Scenario {
    Scenario {
        peers_may_be_asked: false,
        faults: Faults {
            coordinator_crashes: 1,
            ..Faults::NONE
        },
        ..calm("b2a three banks, crash", &[10, 0, 0], &[&[-6, 4, 2]])
    }
}
pub fn b3() -> Scenario {
    Scenario {
        exclusive: true,
        faults: Faults::NONE,
        ..calm("b3 crossing, exclusive", &[6, 6], &[&[-6, 6], &[6, -6]])
    }
}
pub fn b4() -> Scenario {
    Scenario {
        faults: Faults::NONE,
        ..calm("b4 money for one", &[10, 0], &[&[-6, 6], &[-6, 6]])
    }
}
pub fn b6() -> Scenario {
    Scenario {
        peers_may_be_asked: true,
        faults: Faults {
            forced: 1,
            coordinator_crashes: 1,
            ..Faults::NONE
        },
        ..calm("b6 forced", &[10, 0], &[&[-6, 6]])
    }
}

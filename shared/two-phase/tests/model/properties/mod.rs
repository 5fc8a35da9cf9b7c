//! What must hold in every state, what must be reachable, and where every path must end.
//!
//! | about | file |
//! |---|---|
//! | branches, votes and the decision | `promises.rs` |
//! | money, holds and locks | `books.rs` |
//! | the end, and what stands in its way | `progress.rs` |

mod books;
mod progress;
mod promises;

use stateright::Property;
use two_phase::{BranchState, Phase};
use types::views::Status;

use crate::scenario::Scenario;
use crate::state::{Branch, State, Transfer};

/// The properties of a scenario. What it has no faults for is not expected to be reachable, and
/// what holds only of databases that never forget is not asked of those that do.
pub fn of(scenario: &Scenario) -> Vec<Property<Scenario>> {
    let mut properties = always();
    properties.extend(ends());
    if scenario.may_forget() {
        properties.push(Property::sometimes(
            "a lost promise is raised",
            |_, state: &State| state.rows.iter().any(|row| row.phase == Phase::Hazard),
        ));
    } else {
        properties.extend(while_nothing_is_forgotten());
    }
    properties.extend(reachable(scenario));
    properties
}

fn always() -> Vec<Property<Scenario>> {
    vec![
        Property::always("the decision is made once", promises::decided_once),
        Property::always("nothing commits without every yes", promises::every_yes),
        Property::always(
            "legs are booked once or released",
            books::booked_or_released,
        ),
        Property::always(
            "the client is told what is durable",
            promises::told_what_is_durable,
        ),
        Property::always("the books agree with the branches", books::agree),
        Property::always("every bank sums to zero", books::every_bank_sums_to_zero),
        Property::always(
            "every subset of the open branches is legal",
            books::every_subset_is_legal,
        ),
        Property::always("mixed only after force", promises::mixed_only_after_force),
        Property::always("a hazard is never settled", promises::done_means_so),
        Property::always(
            "nobody waits in a circle",
            progress::nobody_waits_in_a_circle,
        ),
        Property::always(
            "an exclusive account has one branch",
            books::exclusive_means_one,
        ),
    ]
}

fn while_nothing_is_forgotten() -> Vec<Property<Scenario>> {
    vec![
        Property::always("all participants agree", promises::agreement),
        Property::always("a yes is kept", promises::a_yes_is_kept),
        Property::always("a tombstone is final", promises::a_tombstone_is_final),
        Property::always("nobody reports a hazard", promises::no_hazard),
        Property::always("done means done", progress::done_means_done),
        Property::always("money is conserved", books::money_is_conserved),
    ]
}

/// Every path ends, because messages only add up and faults are counted; what is over stays so.
/// That makes the checker's answer exact here.
fn ends() -> [Property<Scenario>; 1] {
    [Property::eventually("everything is settled", |_, state| {
        progress::is_over(state)
    })]
}

fn reachable(scenario: &Scenario) -> Vec<Property<Scenario>> {
    let faults = scenario.faults;
    let mut properties = vec![
        Property::sometimes("a transfer commits", |_, state| {
            progress::settled_as(state, Status::Committed, false)
        }),
        Property::sometimes("a transfer aborts", |_, state| {
            progress::settled_as(state, Status::Aborted, false)
        }),
    ];
    if faults.coordinator_crashes + faults.lost_leases + faults.clock_jumps > 0 {
        properties.push(Property::sometimes("recovery commits", |_, state| {
            progress::settled_as(state, Status::Committed, true)
        }));
        properties.push(Property::sometimes("recovery aborts", |_, state| {
            progress::settled_as(state, Status::Aborted, true)
        }));
    }
    if faults.lost_leases > 0 {
        properties.push(Property::sometimes(
            "a stale process obeys",
            progress::stale_obeys,
        ));
    }
    if scenario.peers_may_be_asked {
        properties.push(Property::sometimes("peers resolve a commit", |_, state| {
            resolved_by_peers(state, BranchState::Committed)
        }));
        properties.push(Property::sometimes("peers resolve an abort", |_, state| {
            resolved_by_peers(state, BranchState::Aborted)
        }));
    }
    if faults.forced > 0 {
        properties.push(Property::sometimes(
            "a forced branch ends mixed",
            |_, state| {
                branches(state).any(|(_, branch)| branch.state == Some(BranchState::HeuristicMixed))
            },
        ));
    }
    if faults.lost_rows > 0 {
        properties.push(Property::sometimes(
            "an unknown id is reported",
            |_, state: &State| state.rows.iter().any(|row| row.is_reported_unknown),
        ));
    }
    if scenario.parts.len() > 1 {
        properties.push(Property::sometimes(
            "each goes its own way",
            |_, state: &State| {
                let has = |status| state.rows.iter().any(|row| row.status == status);
                progress::is_over(state) && has(Status::Committed) && has(Status::Aborted)
            },
        ));
    }
    properties
}

fn branches(state: &State) -> impl Iterator<Item = (Transfer, &Branch)> {
    let all = state.participants.iter();
    all.flat_map(|participant| participant.branches.iter().enumerate())
}

fn resolved_by_peers(state: &State, outcome: BranchState) -> bool {
    branches(state).any(|(_, branch)| branch.resolved_by_peers && branch.state == Some(outcome))
}

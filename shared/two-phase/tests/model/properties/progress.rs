//! The end, and what stands in its way.

use two_phase::{BranchState, Phase};
use types::views::{Locking, Status};

use super::branches;
use crate::scenario::Scenario;
use crate::state::{Message, State, Transfer};

/// Every transfer has come to its end: done, or raised because somebody's data were lost.
pub fn is_over(state: &State) -> bool {
    state
        .rows
        .iter()
        .all(|row| row.is_lost || matches!(row.phase, Phase::Done | Phase::Hazard))
}

/// I10: nothing is held for a transfer that is done, whatever still arrives late.
pub fn done_means_done(_: &Scenario, state: &State) -> bool {
    branches(state).all(|(transfer, branch)| {
        state.rows[transfer].phase != Phase::Done || branch.state != Some(BranchState::Prepared)
    })
}

/// A pending transfer waits for another where it was asked for and could not be prepared yet, and
/// the other is prepared on an exclusive account that it needs.
fn waits_for(scenario: &Scenario, state: &State, waiting: Transfer, holder: Transfer) -> bool {
    let is_pending = |transfer: Transfer| state.rows[transfer].status == Status::Pending;
    if waiting == holder || !is_pending(waiting) || !is_pending(holder) {
        return false;
    }
    scenario.parts[waiting].iter().any(|(site, part)| {
        let branches = &state.participants[*site].branches;
        let contended = |other: &&types::AccountId| {
            let account = &scenario.opening[*site][*other];
            account.locking == Locking::Exclusive && part.net.contains_key(*other)
        };
        branches[waiting].state.is_none()
            && branches[holder].state == Some(BranchState::Prepared)
            && scenario.parts[holder][site]
                .net
                .keys()
                .any(|id| contended(&id))
            && state.network.has_seen(Message::Prepare(waiting, *site))
    })
}

/// Whoever waits for a lock waits for somebody who is not, in the end, waiting for it: the prepare
/// deadline is for participants that are gone and never needed to undo a knot.
pub fn nobody_waits_in_a_circle(scenario: &Scenario, state: &State) -> bool {
    let transfers = state.rows.len();
    if transfers < 2 {
        return true;
    }
    // Take away whoever waits for nobody that is left; a circle is what remains.
    let mut left: Vec<Transfer> = (0..transfers).collect();
    loop {
        let free = left.iter().position(|waiting| {
            let mut others = left.iter();
            !others.any(|holder| waits_for(scenario, state, *waiting, *holder))
        });
        match free {
            Some(index) => left.swap_remove(index),
            None => return left.is_empty(),
        };
    }
}

pub fn settled_as(state: &State, status: Status, recovered: bool) -> bool {
    let mut rows = state.rows.iter();
    is_over(state) && rows.any(|row| row.status == status && (row.epoch > 0) == recovered)
}

pub fn stale_obeys(_: &Scenario, state: &State) -> bool {
    state.processes.iter().any(|process| {
        let mut works = process.work.iter().zip(&state.rows);
        works.any(|(work, row)| {
            let stale = work.as_ref().filter(|work| work.epoch < row.epoch);
            stale.is_some_and(|work| work.coordinator.decided().is_some())
        })
    })
}

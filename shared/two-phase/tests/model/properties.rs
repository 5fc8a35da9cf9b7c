//! What must hold in every state, what must be reachable, and where every path must end.

use stateright::Property;
use two_phase::{Acknowledgement, BranchState, Outcome, Phase, Vote};
use types::views::Status;

use crate::scenario::Scenario;
use crate::state::{Branch, Message, Row, State, Transfer};

/// The properties of a scenario. What it has no faults for is not expected to be reachable.
pub fn of(scenario: &Scenario) -> Vec<Property<Scenario>> {
    let faults = scenario.faults;
    let mut properties = vec![
        Property::always("all participants agree", agreement),
        Property::always("the decision is made once", decided_once),
        Property::always("legs are booked once or released", booked_or_released),
        Property::always("the client is told what is durable", told_what_is_durable),
        Property::always("a yes is kept", a_yes_is_kept),
        Property::always("the books agree with the branches", books_agree),
        Property::always("uncommitted credits are not spent", nothing_overdrawn),
        Property::always("nobody reports a hazard", no_hazard),
        Property::always("done means done", done_means_done),
        Property::always("money is conserved", money_is_conserved),
        // Every path ends, because messages only add up and faults are counted; what is settled
        // stays so. That makes the checker's answer exact here.
        Property::eventually("everything is settled", |_, state| is_settled(state)),
        Property::sometimes("a transfer commits", |_, state| {
            settled_as(state, Status::Committed, false)
        }),
        Property::sometimes("a transfer aborts", |_, state| {
            settled_as(state, Status::Aborted, false)
        }),
    ];
    if faults.coordinator_crashes + faults.lost_leases + faults.clock_jumps > 0 {
        properties.push(Property::sometimes("recovery commits", |_, state| {
            settled_as(state, Status::Committed, true)
        }));
        properties.push(Property::sometimes("recovery aborts", |_, state| {
            settled_as(state, Status::Aborted, true)
        }));
    }
    if faults.lost_leases > 0 {
        properties.push(Property::sometimes("a stale process obeys", stale_obeys));
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
            ends_mixed,
        ));
    }
    properties
}

fn branches(state: &State) -> impl Iterator<Item = (Transfer, &Branch)> {
    let all = state.participants.iter();
    all.flat_map(|participant| participant.branches.iter().enumerate())
}

fn agreement(scenario: &Scenario, state: &State) -> bool {
    use BranchState::{Aborted, Committed, Refused};
    (0..state.rows.len()).all(|transfer| {
        let states = || {
            let sites = scenario.sites(transfer);
            sites.map(|site| state.participants[site].branches[transfer].state)
        };
        let committed = states().any(|state| state == Some(Committed));
        let aborted = states().any(|state| matches!(state, Some(Aborted | Refused)));
        match state.rows[transfer].status {
            Status::Committed => !aborted && states().all(|state| state.is_some()),
            Status::Pending | Status::Aborted => !committed,
        }
    })
}

fn decided_once(_: &Scenario, state: &State) -> bool {
    let once = |row: &Row| row.decisions == u8::from(row.status != Status::Pending);
    !state.outcome_changed && state.rows.iter().all(once)
}

fn booked_or_released(_: &Scenario, state: &State) -> bool {
    branches(state).all(|(_, branch)| branch.booked <= 1 && !(branch.booked > 0 && branch.released))
}

fn told_what_is_durable(_: &Scenario, state: &State) -> bool {
    let mut answers = state.told.iter().zip(&state.rows);
    answers.all(|(told, row)| match told {
        None => true,
        Some(Outcome::Commit) => row.status == Status::Committed,
        Some(Outcome::Abort) => row.status == Status::Aborted,
    })
}

fn a_yes_is_kept(_: &Scenario, state: &State) -> bool {
    state.network.messages().all(|message| match message {
        Message::Voted(transfer, site, Vote::Yes) => {
            match state.participants[site].branches[transfer].state {
                None | Some(BranchState::Refused) => false,
                Some(BranchState::Aborted) => state.rows[transfer].status != Status::Committed,
                Some(_) => true,
            }
        }
        _ => true,
    })
}

/// I2 and I4: the balance is what was booked, and the holds are the open branches.
fn books_agree(scenario: &Scenario, state: &State) -> bool {
    (0..state.participants.len()).all(|site| {
        let participant = &state.participants[site];
        let (mut balance, mut debits, mut credits) = (scenario.opening[site], 0, 0);
        for (transfer, branch) in participant.branches.iter().enumerate() {
            let change = scenario.transfers[transfer][site];
            match branch.state {
                Some(BranchState::Prepared) if change < 0 => debits -= change,
                Some(BranchState::Prepared) => credits += change,
                Some(BranchState::Committed | BranchState::HeuristicCommit) => balance += change,
                Some(BranchState::HeuristicMixed) => balance += change * i64::from(branch.booked),
                _ => {}
            }
        }
        let held = (participant.pending_debits, participant.pending_credits);
        participant.balance == balance && held == (debits, credits)
    })
}

/// I3, for every outcome of what is open: no account would be below zero even if every prepared
/// debit committed and every prepared credit aborted.
fn nothing_overdrawn(_: &Scenario, state: &State) -> bool {
    let mut participants = state.participants.iter();
    participants.all(|participant| participant.balance - participant.pending_debits >= 0)
}

/// Nothing here loses durable data, so decision and branch never contradict each other.
fn no_hazard(_: &Scenario, state: &State) -> bool {
    let is_hazard = |message| {
        matches!(
            message,
            Message::Acknowledged(_, _, Acknowledgement::Hazard { .. })
        )
    };
    !state.network.messages().any(is_hazard)
        && state.rows.iter().all(|row| row.phase != Phase::Hazard)
}

/// I10: nothing is held for a transfer that is done, whatever still arrives late.
fn done_means_done(_: &Scenario, state: &State) -> bool {
    branches(state).all(|(transfer, branch)| {
        state.rows[transfer].phase != Phase::Done || branch.state != Some(BranchState::Prepared)
    })
}

fn is_settled(state: &State) -> bool {
    state.rows.iter().all(|row| row.phase == Phase::Done)
}

/// When all is settled, every balance is what the committed transfers made of it; an operator
/// who forces an outcome may lose that, and is told so by the mixed branch.
fn money_is_conserved(scenario: &Scenario, state: &State) -> bool {
    if scenario.faults.forced > 0 || !is_settled(state) {
        return true;
    }
    let expected = |site: usize| -> i64 {
        let rows = state.rows.iter().enumerate();
        let committed = rows.filter(|(_, row)| row.status == Status::Committed);
        let changes = committed.map(|(transfer, _)| scenario.transfers[transfer][site]);
        scenario.opening[site] + changes.sum::<i64>()
    };
    let participants = || state.participants.iter().enumerate();
    let total: i64 = participants()
        .map(|(_, participant)| participant.balance)
        .sum();
    let exact = participants().all(|(site, participant)| participant.balance == expected(site));
    exact && total == scenario.opening.iter().sum::<i64>()
}

fn settled_as(state: &State, status: Status, recovered: bool) -> bool {
    let mut rows = state.rows.iter();
    is_settled(state) && rows.any(|row| row.status == status && (row.epoch > 0) == recovered)
}

fn stale_obeys(_: &Scenario, state: &State) -> bool {
    state.processes.iter().any(|process| {
        let mut works = process.work.iter().zip(&state.rows);
        works.any(|(work, row)| {
            let stale = work.as_ref().filter(|work| work.epoch < row.epoch);
            stale.is_some_and(|work| work.coordinator.decided().is_some())
        })
    })
}

fn resolved_by_peers(state: &State, outcome: BranchState) -> bool {
    branches(state).any(|(_, branch)| branch.resolved_by_peers && branch.state == Some(outcome))
}

fn ends_mixed(_: &Scenario, state: &State) -> bool {
    branches(state).any(|(_, branch)| branch.state == Some(BranchState::HeuristicMixed))
}

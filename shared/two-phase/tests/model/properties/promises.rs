//! Branches, votes and the decision.

use two_phase::{Acknowledgement, BranchState, Outcome, Phase, Vote};
use types::views::Status;

use super::branches;
use crate::scenario::Scenario;
use crate::state::{Message, Row, State, Transfer};

/// The states of a transfer's branches.
fn states(
    scenario: &Scenario,
    state: &State,
    transfer: Transfer,
) -> impl Iterator<Item = Option<BranchState>> {
    let sites = scenario.sites(transfer);
    sites.map(move |site| state.participants[site].branches[transfer].state)
}

pub fn agreement(scenario: &Scenario, state: &State) -> bool {
    use BranchState::{Aborted, Committed, Refused};
    (0..state.rows.len()).all(|transfer| {
        let states = || states(scenario, state, transfer);
        let committed = states().any(|state| state == Some(Committed));
        let aborted = states().any(|state| matches!(state, Some(Aborted | Refused)));
        match state.rows[transfer].status {
            Status::Committed => !aborted && states().all(|state| state.is_some()),
            Status::Pending | Status::Aborted => !committed,
        }
    })
}

pub fn decided_once(_: &Scenario, state: &State) -> bool {
    let once = |row: &Row| row.decisions == u8::from(row.status != Status::Pending);
    !state.outcome_changed && state.rows.iter().all(once)
}

/// A commit was decided, or carried out, only after every participant has promised.
pub fn every_yes(scenario: &Scenario, state: &State) -> bool {
    (0..state.rows.len()).all(|transfer| {
        let commits = state.rows[transfer].status == Status::Committed
            || states(scenario, state, transfer).any(|state| state == Some(BranchState::Committed));
        let yes = |site| Message::Voted(transfer, site, Vote::Yes);
        !commits
            || scenario
                .sites(transfer)
                .all(|site| state.network.has_seen(yes(site)))
    })
}

pub fn told_what_is_durable(_: &Scenario, state: &State) -> bool {
    let mut answers = state.told.iter().zip(&state.rows);
    answers.all(|(told, row)| match told {
        None => true,
        Some(Outcome::Commit) => row.status == Status::Committed,
        Some(Outcome::Abort) => row.status == Status::Aborted,
    })
}

pub fn a_yes_is_kept(_: &Scenario, state: &State) -> bool {
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

/// Who has told a peer that it will never promise never does, and never did.
pub fn a_tombstone_is_final(_: &Scenario, state: &State) -> bool {
    use BranchState::{Aborted, Refused};
    state.network.messages().all(|message| match message {
        Message::PeerAnswer(transfer, site, Aborted | Refused) => {
            let now = state.participants[site].branches[transfer].state;
            matches!(now, Some(Aborted | Refused))
        }
        _ => true,
    })
}

/// Nothing here loses durable data, so decision and branch never contradict each other.
pub fn no_hazard(_: &Scenario, state: &State) -> bool {
    let is_hazard = |message| {
        matches!(
            message,
            Message::Acknowledged(_, _, Acknowledgement::Hazard { .. })
        )
    };
    !state.network.messages().any(is_hazard)
        && state.rows.iter().all(|row| row.phase != Phase::Hazard)
}

/// A forced branch stands as it was forced, and is mixed when and only when the decision was the
/// other one. Nothing else is ever mixed or heuristic.
pub fn mixed_only_after_force(_: &Scenario, state: &State) -> bool {
    use BranchState::{HeuristicAbort, HeuristicCommit, HeuristicMixed};
    use Outcome::{Abort, Commit};
    branches(state).all(|(transfer, branch)| {
        let status = state.rows[transfer].status;
        match (branch.state, branch.forced) {
            (Some(HeuristicCommit), forced) => forced == Some(Commit),
            (Some(HeuristicAbort), forced) => forced == Some(Abort),
            (Some(HeuristicMixed), Some(Commit)) => status == Status::Aborted,
            (Some(HeuristicMixed), Some(Abort)) => status == Status::Committed,
            (Some(HeuristicMixed), None) => false,
            (_, forced) => forced.is_none(),
        }
    })
}

/// Where the coordinator has written that all is done, everybody has done what was decided, or it
/// is on record as mixed. So no contradiction and no missing branch was read as success.
pub fn done_means_so(scenario: &Scenario, state: &State) -> bool {
    use BranchState::{
        Aborted, Committed, HeuristicAbort, HeuristicCommit, HeuristicMixed, Prepared, Refused,
    };
    (0..state.rows.len()).all(|transfer| {
        let row = &state.rows[transfer];
        row.phase != Phase::Done
            || states(scenario, state, transfer).all(|branch| match row.status {
                Status::Pending => false,
                Status::Committed => {
                    matches!(branch, Some(Committed | HeuristicCommit | HeuristicMixed))
                }
                // One that was never asked has nothing to undo, and a late PREPARE may still reach
                // one that was; it asks.
                Status::Aborted => matches!(
                    branch,
                    None | Some(Aborted | Refused | HeuristicAbort | HeuristicMixed | Prepared)
                ),
            })
    })
}

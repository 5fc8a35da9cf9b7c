//! Money, holds and locks: invariants I1 to I4, on every bank in every state.

use two_phase::BranchState;
use types::AccountId;
use types::views::{Locking, Status};

use super::{branches, progress};
use crate::bank::Figures;
use crate::part::Part;
use crate::scenario::Scenario;
use crate::state::{Branch, Participant, Site, State};

/// No balance may reach it.
const LIMIT: i64 = 1_000_000_000_000_000;

pub fn booked_or_released(_: &Scenario, state: &State) -> bool {
    branches(state).all(|(_, branch)| branch.booked <= 1 && !(branch.booked > 0 && branch.released))
}

/// Whether the branch's legs are in the ledger.
fn is_booked(branch: &Branch) -> bool {
    match branch.state {
        Some(BranchState::Committed | BranchState::HeuristicCommit) => true,
        Some(BranchState::HeuristicMixed) => branch.booked > 0,
        _ => false,
    }
}

fn is_open(branch: &Branch) -> bool {
    branch.state == Some(BranchState::Prepared)
}

/// The branches of a bank with what they carry.
fn parts<'a>(
    scenario: &'a Scenario,
    at: Site,
    participant: &'a Participant,
) -> impl Iterator<Item = (&'a Branch, &'a Part)> {
    let branches = participant.branches.iter().zip(&scenario.parts);
    branches.filter_map(move |(branch, parts)| Some((branch, parts.get(&at)?)))
}

/// What an account must look like, by its branches alone.
fn expected(scenario: &Scenario, at: Site, participant: &Participant, id: AccountId) -> Figures {
    let mut figures = Figures::from(&scenario.opening[at][&id]);
    for (branch, part) in parts(scenario, at, participant) {
        let Some(change) = part.net.get(&id).copied() else {
            continue;
        };
        if is_open(branch) {
            figures.pending_debits += (-change).max(0);
            figures.pending_credits += change.max(0);
            figures.lock = figures.lock.or_else(|| part.locks.get(&id).copied());
        } else if is_booked(branch) {
            figures.balance += change;
            figures.version += part.legs[&id];
        }
    }
    figures
}

/// I2, I4 and I7: the balance is what was booked, one version for each leg, holds and locks are
/// those of the open branches.
pub fn agree(scenario: &Scenario, state: &State) -> bool {
    let mut participants = state.participants.iter().enumerate();
    participants.all(|(at, participant)| {
        let mut accounts = scenario.opening[at].keys();
        accounts.all(|id| participant.accounts[id] == expected(scenario, at, participant, *id))
    })
}

/// I1: what a bank's customers gain or lose among themselves is nothing; the rest stands in its
/// clearing accounts, which are the bank's other rows.
pub fn every_bank_sums_to_zero(scenario: &Scenario, state: &State) -> bool {
    let mut participants = state.participants.iter().enumerate();
    participants.all(|(at, participant)| {
        let opening = scenario.opening[at].values();
        let opening: i64 = opening.map(|account| Figures::from(account).balance).sum();
        let rows = participant.accounts.values();
        rows.map(|figures| figures.balance).sum::<i64>() == opening
    })
}

/// I3, for every outcome of what is open: whichever of the prepared branches commit, in whichever
/// order, no account leaves its limits. Uncommitted credits never count.
pub fn every_subset_is_legal(scenario: &Scenario, state: &State) -> bool {
    let mut participants = state.participants.iter().enumerate();
    participants.all(|(at, participant)| {
        let open: Vec<&Part> = parts(scenario, at, participant)
            .filter(|(branch, _)| is_open(branch))
            .map(|(_, part)| part)
            .collect();
        let mut accounts = scenario.opening[at].keys();
        accounts.all(|id| {
            let booked = participant.accounts[id].balance;
            (0_u32..1 << open.len()).all(|subset| {
                let chosen = open.iter().enumerate();
                let chosen = chosen.filter(|(index, _)| subset & (1 << index) != 0);
                let changes = chosen.filter_map(|(_, part)| part.net.get(id));
                (0..LIMIT).contains(&(booked + changes.sum::<i64>()))
            })
        })
    })
}

/// One prepared branch at a time.
pub fn exclusive_means_one(scenario: &Scenario, state: &State) -> bool {
    let mut participants = state.participants.iter().enumerate();
    participants.all(|(at, participant)| {
        let accounts = scenario.opening[at].iter();
        let mut exclusive = accounts.filter(|(_, account)| account.locking == Locking::Exclusive);
        exclusive.all(|(id, _)| {
            let open = parts(scenario, at, participant);
            let open = open.filter(|(branch, part)| is_open(branch) && part.net.contains_key(id));
            open.count() <= 1
        })
    })
}

/// When all is settled, every balance is what the committed transfers made of it, and what the
/// banks owe each other nets to zero; an operator who forces an outcome may lose that, and is told
/// so by the mixed branch.
pub fn money_is_conserved(scenario: &Scenario, state: &State) -> bool {
    if scenario.faults.forced > 0 || scenario.faults.lost_rows > 0 || !progress::is_over(state) {
        return true;
    }
    let committed = |transfer: &usize| state.rows[*transfer].status == Status::Committed;
    let mut owed = 0;
    let mut participants = state.participants.iter().enumerate();
    let exact = participants.all(|(at, participant)| {
        let opening = &scenario.opening[at];
        participant.accounts.iter().all(|(id, figures)| {
            let Some(account) = opening.get(id) else {
                owed += figures.balance;
                return true;
            };
            let transfers = (0..state.rows.len()).filter(committed);
            let parts = transfers.filter_map(|transfer| scenario.parts[transfer].get(&at));
            let changes = parts.filter_map(|part| part.net.get(id));
            figures.balance == Figures::from(account).balance + changes.sum::<i64>()
        })
    });
    exact && owed == 0
}

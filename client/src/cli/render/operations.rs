//! What operators see of the ledgers and of the banks.

use types::ParticipantId;
use types::views::{LedgerCheck, ParticipantState, ParticipantView, ReconciliationAccepted};

use super::{moment, yes_no};
use crate::cli::output::Sheet;
use crate::cli::table::{Cell, Record, Table, Tone};

pub fn participants(banks: &[ParticipantView]) -> Table {
    let mut table = Table::new("There is no bank.")
        .rigid("Bank")
        .rigid("Reachable")
        .rigid("Databases")
        .text("Address");
    for bank in banks {
        table.row(vec![
            (&bank.participant_id).into(),
            yes_no(bank.reachable, "yes", "NO"),
            standing(bank.state),
            (&bank.url).into(),
        ]);
    }
    table
}

fn standing(state: ParticipantState) -> Cell {
    match state {
        ParticipantState::InStep => Cell::toned("in step", Tone::Good),
        ParticipantState::NotCompared => "not compared".to_owned().into(),
        ParticipantState::Behind => Cell::toned("the bank's is behind", Tone::Bad),
        ParticipantState::CoordinatorBehind => {
            Cell::toned("the coordinator's is behind", Tone::Bad)
        }
    }
}

pub fn reconciliation(reconciliation: &ReconciliationAccepted) -> Record {
    Record::new()
        .field("Reconciliation", reconciliation.reconciliation_id)
        .field("Bank", &reconciliation.participant_id)
        .field("It was proposed while", standing(reconciliation.state))
        .field("Reason", &reconciliation.reason)
        .field("Proposed by", &reconciliation.proposed_by)
        .maybe("Confirmed by", reconciliation.confirmed_by.clone())
        .maybe("Reconciled", reconciliation.reconciled_at.map(moment))
}

pub fn ledger(bank: &ParticipantId, check: &LedgerCheck) -> Sheet {
    let mut table = Table::new("No checks.")
        .rigid("Check")
        .rigid("Holds")
        .text("What it says");
    for item in &check.checks {
        let mut words = item.title.clone();
        for found in &item.found {
            words = format!("{words}\n{found}");
        }
        table.row(vec![
            (&item.id).into(),
            yes_no(item.ok, "yes", "NO"),
            words.into(),
        ]);
    }
    let verdict = if check.ok { "ok" } else { "NOT OK" };
    Sheet::All(vec![
        Sheet::Text(format!("Ledger of {bank}: {verdict}")),
        table.into(),
    ])
}

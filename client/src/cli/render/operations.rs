//! What operators see of the ledgers.

use types::ParticipantId;
use types::views::LedgerCheck;

use super::yes_no;
use crate::cli::output::Sheet;
use crate::cli::table::Table;

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

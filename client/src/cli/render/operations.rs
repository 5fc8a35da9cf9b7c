//! What operators see.

use types::ParticipantId;
use types::views::{BranchEvidence, InDoubt, LedgerCheck, ResolutionAccepted, ResolutionOutcome};

use super::{moment, yes_no};
use crate::cli::output::Sheet;
use crate::cli::table::{Cell, Record, Table, Tone};

pub fn in_doubt(items: &[InDoubt]) -> Sheet {
    if items.is_empty() {
        return Sheet::Text("Nothing is in doubt.".to_owned());
    }
    Sheet::All(items.iter().flat_map(one_in_doubt).collect())
}

fn one_in_doubt(item: &InDoubt) -> Vec<Sheet> {
    let status = item.status.map_or_else(
        || Cell::toned("unknown to the coordinator", Tone::Bad),
        super::status,
    );
    let record = Record::new()
        .field("Transaction", item.transaction_id)
        .field("Decision", status)
        .maybe("Phase", item.phase.clone())
        .field("Begun", moment(item.created_at))
        .field("Age", format!("{} s", item.age_seconds))
        .field("Being tried", &item.trying);
    let mut sheets = vec![record.into(), evidence(&item.branches).into()];
    sheets.extend(item.proposed.iter().map(|p| Sheet::Text(proposal(p))));
    sheets
}

fn proposal(proposal: &ResolutionAccepted) -> String {
    let ResolutionAccepted {
        transaction_id,
        resolution_id,
        participant,
        reason,
        proposed_by,
        ..
    } = proposal;
    let outcome = outcome(proposal.outcome);
    let words = format!("{proposed_by} proposed to {outcome} at {participant}: {reason}");
    match &proposal.confirmed_by {
        Some(by) => {
            let result = proposal.result.as_deref().unwrap_or("not known yet");
            format!("{words}\n{by} confirmed it; the branch there: {result}")
        }
        None => format!(
            "{words}\nAnother admin carries it out with\n  banking-cli admin confirm \
             {transaction_id} \\\n      {resolution_id}"
        ),
    }
}

fn evidence(branches: &[BranchEvidence]) -> Table {
    let mut table = Table::new("No branch is known.")
        .rigid("Bank")
        .rigid("Reachable")
        .rigid("Branch")
        .rigid("Acknowledged")
        .text("Hazard");
    for branch in branches {
        table.row(vec![
            (&branch.participant).into(),
            yes_no(branch.reachable, "yes", "no"),
            branch
                .state
                .clone()
                .unwrap_or_else(|| "-".to_owned())
                .into(),
            if branch.acknowledged { "yes" } else { "no" }.into(),
            Cell::toned(branch.hazard.clone().unwrap_or_default(), Tone::Bad),
        ]);
    }
    table
}

const fn outcome(outcome: ResolutionOutcome) -> &'static str {
    match outcome {
        ResolutionOutcome::Commit => "commit",
        ResolutionOutcome::Abort => "abort",
    }
}

pub fn resolution(resolution: &ResolutionAccepted) -> Record {
    Record::new()
        .field("Resolution", resolution.resolution_id)
        .field("Transaction", resolution.transaction_id)
        .field("Bank", &resolution.participant)
        .field("Forced", outcome(resolution.outcome))
        .field("Reason", &resolution.reason)
        .field("Proposed by", &resolution.proposed_by)
        .maybe("Confirmed by", resolution.confirmed_by.clone())
        .maybe("Branch is now", resolution.result.clone())
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

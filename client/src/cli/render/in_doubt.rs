//! What operators see of transactions in doubt.

use types::ParticipantId;
use types::views::{
    AuditEntry, BranchEvidence, BranchInDoubt, Choice, ChoiceAction, CoordinatorEvidence,
    HazardAbout, HazardView, InDoubt, LegEvidence, ResolutionAccepted, ResolutionOutcome,
};

use super::{moment, stacked, yes_no};
use crate::cli::output::Sheet;
use crate::cli::table::{Cell, Record, Table, Tone};

const NOTHING: &str = "Nothing is in doubt.";

pub fn in_doubt(items: &[InDoubt]) -> Sheet {
    if items.is_empty() {
        return Sheet::Text(NOTHING.to_owned());
    }
    Sheet::All(items.iter().flat_map(one).collect())
}

fn one(item: &InDoubt) -> Vec<Sheet> {
    let status = item.status.map_or_else(
        || Cell::toned("unknown to the coordinator", Tone::Bad),
        super::status,
    );
    let mut record = Record::new()
        .field("Transaction", item.transaction_id)
        .field("Decision", status)
        .maybe("Phase", item.phase.clone());
    if let Some(coordinator) = &item.coordinator {
        record = record
            .field("Since", moment(coordinator.since))
            .field("Driven by", driver(coordinator))
            .maybe("Reason", coordinator.reason);
    }
    let record = record
        .field("Begun", moment(item.created_at))
        .field("Age", format!("{} s", item.age_seconds))
        .field("Being tried", &item.trying);
    let mut sheets = vec![record.into(), evidence(item).into()];
    let legs = item.branches.iter();
    let legs = legs.flat_map(|branch| branch.legs.iter().map(|leg| (&branch.participant, leg)));
    sheets.extend(legs_of(legs));
    sheets.push(choices(&item.choices).into());
    sheets.extend(item.proposed.iter().flat_map(|p| proposal(p, None)));
    sheets
}

fn driver(coordinator: &CoordinatorEvidence) -> String {
    let name = coordinator.owner_name.as_deref();
    let name = name.unwrap_or("a process that never registered");
    let lease = match coordinator.lease_until {
        Some(until) if !coordinator.lease_over => format!("lease until {}", moment(until)),
        _ => "its lease is over".to_owned(),
    };
    format!("{name}, epoch {}, {lease}", coordinator.epoch)
}

fn evidence(item: &InDoubt) -> Table {
    let mut table = Table::new("No branch is known.")
        .rigid("Bank")
        .rigid("Branch")
        .rigid("Prepared")
        .rigid("Acknowledged")
        .text("Found");
    for branch in &item.branches {
        let state = match (&branch.state, branch.reachable) {
            (Some(state), _) => state.as_str(),
            (None, true) => "none",
            (None, false) => "not reachable",
        };
        table.row(vec![
            (&branch.participant).into(),
            state.into(),
            branch
                .prepared_at
                .map_or_else(|| "-".to_owned(), stacked)
                .into(),
            yes_no(branch.acknowledged, "yes", "no"),
            Cell::toned(found(branch, &item.hazards), Tone::Bad),
        ]);
    }
    table
}

/// What contradicts what, as either side has it, and why a bank did not answer.
fn found(branch: &BranchEvidence, hazards: &[HazardAbout]) -> String {
    let mut lines: Vec<String> = branch.error.iter().cloned().collect();
    if let Some(delivery) = &branch.delivery {
        let attempts = delivery.attempts;
        lines.push(format!("sent {attempts} times without an answer"));
    }
    let here = hazards.iter();
    let here = here.filter(|about| about.participant == branch.participant);
    lines.extend(here.map(|about| hazard(&about.hazard, "coordinator")));
    lines.extend(branch.recorded.iter().map(|view| hazard(view, "bank")));
    lines.join("\n")
}

fn hazard(hazard: &HazardView, by: &str) -> String {
    let acknowledged = match hazard.acknowledged_at {
        Some(_) => ", acknowledged",
        None => "",
    };
    format!("{} ({by}{acknowledged})", hazard.hazard)
}

fn legs_of<'a>(legs: impl Iterator<Item = (&'a ParticipantId, &'a LegEvidence)>) -> Option<Sheet> {
    let mut table = Table::new("No legs.")
        .rigid("Bank")
        .rigid("Account")
        .number("Leg")
        .text("Held on the account in all");
    let mut any = false;
    for (participant, leg) in legs {
        any = true;
        let mut held = match (leg.pending_debits, leg.pending_credits) {
            (Some(debits), Some(credits)) => format!("{debits} out, {credits} in"),
            _ => "the account is not there".to_owned(),
        };
        if leg.locked {
            held.push_str(", locked by this leg");
        }
        table.row(vec![
            participant.into(),
            leg.account_id.into(),
            leg.change.into(),
            held.into(),
        ]);
    }
    any.then(|| table.into())
}

fn choices(choices: &[Choice]) -> Table {
    let mut table = Table::new("Nothing can be done.")
        .rigid("Choice")
        .text("What it would mean");
    for choice in choices {
        table.row(vec![label(choice).into(), (&choice.means).into()]);
    }
    table
}

/// A choice in a word or two, with what it is about below.
pub fn label(choice: &Choice) -> String {
    let word = match choice.action {
        ChoiceAction::Wait => "wait",
        ChoiceAction::ForceCommit => "force commit",
        ChoiceAction::ForceAbort => "force abort",
        ChoiceAction::Correct => "correct",
        ChoiceAction::Acknowledge => "acknowledge",
    };
    let hazard = choice.hazard.iter().cloned();
    let participant = choice.participant.iter().map(|at| format!("at {at}"));
    let lines = [word.to_owned()]
        .into_iter()
        .chain(hazard)
        .chain(participant);
    lines.collect::<Vec<_>>().join("\n")
}

/// A proposal, and how it is confirmed where it was made.
fn proposal(proposal: &ResolutionAccepted, at: Option<&str>) -> Vec<Sheet> {
    let forced = outcome(proposal.outcome);
    let record = Record::new()
        .field("Proposed", format!("{forced} at {}", proposal.participant))
        .field("By", &proposal.proposed_by)
        .field("Reason", &proposal.reason);
    let ResolutionAccepted {
        transaction_id,
        resolution_id,
        ..
    } = proposal;
    match &proposal.confirmed_by {
        Some(by) => {
            let result = proposal.result.as_deref().unwrap_or("not known yet");
            let record = record.field("Confirmed by", by);
            vec![record.field("Branch is now", result).into()]
        }
        None => {
            let at = at.map_or_else(String::new, |at| {
                format!(" \\\n      --at-participant {at}")
            });
            let command = format!(
                "Another admin carries it out with\n  banking-cli admin confirm {transaction_id} \\\n      \
                 {resolution_id}{at}"
            );
            vec![record.into(), Sheet::Text(command)]
        }
    }
}

const fn outcome(outcome: ResolutionOutcome) -> &'static str {
    match outcome {
        ResolutionOutcome::Commit => "commit",
        ResolutionOutcome::Abort => "abort",
    }
}

/// What one bank knows by itself; `at` is how it was named.
pub fn in_doubt_at(items: &[BranchInDoubt], at: &str) -> Sheet {
    if items.is_empty() {
        return Sheet::Text(NOTHING.to_owned());
    }
    let sheets = items.iter().flat_map(|item| one_branch(item, at));
    Sheet::All(sheets.collect())
}

fn one_branch(item: &BranchInDoubt, at: &str) -> Vec<Sheet> {
    let participants = item.participants.iter().map(ParticipantId::as_str);
    let participants = participants.collect::<Vec<_>>().join(", ");
    let recorded = item.hazards.iter().map(|view| hazard(view, "bank"));
    let recorded = recorded.collect::<Vec<_>>().join("\n");
    let record = Record::new()
        .field("Transaction", item.transaction_id)
        .field("Bank", &item.participant)
        .field("Branch", item.state.as_deref().unwrap_or("none"))
        .maybe("Prepared", item.prepared_at.map(moment))
        .maybe("Age", item.age_seconds.map(|age| format!("{age} s")))
        .field("Takes part", participants)
        .field("Coordinator", &item.coordinator)
        .field("Being tried", &item.trying)
        .maybe(
            "Found",
            (!recorded.is_empty()).then(|| Cell::toned(recorded, Tone::Bad)),
        );
    let mut sheets = vec![record.into()];
    sheets.extend(legs_of(
        item.legs.iter().map(|leg| (&item.participant, leg)),
    ));
    sheets.push(choices(&item.choices).into());
    let proposed = item.proposed.iter();
    sheets.extend(proposed.flat_map(|p| proposal(p, Some(at))));
    sheets
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

/// The audit trail, oldest first.
pub fn audit(entries: &[AuditEntry]) -> Table {
    let mut table = Table::new("Nobody has done anything about it.")
        .rigid("When")
        .rigid("Kept by")
        .rigid("What")
        .text("Details");
    for entry in entries {
        table.row(vec![
            stacked(entry.recorded_at).into(),
            (&entry.recorded_by).into(),
            entry.action.to_string().replace('_', "\n").into(),
            details(entry).into(),
        ]);
    }
    table
}

fn details(entry: &AuditEntry) -> String {
    let what = match (entry.outcome, &entry.hazard) {
        (Some(forced), _) => format!("{} at {}", outcome(forced), entry.participant),
        (None, Some(hazard)) => format!("{hazard} at {}", entry.participant),
        (None, None) => format!("at {}", entry.participant),
    };
    let labelled = |label: &str, value: &Option<String>| {
        let value = value.as_ref().filter(|value| !value.is_empty());
        value.map(|value| format!("{label}{value}"))
    };
    let lines = [
        Some(what),
        labelled("by ", &entry.actor),
        labelled("because: ", &entry.reason),
        labelled("known: ", &entry.evidence),
        labelled("result: ", &entry.detail),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;

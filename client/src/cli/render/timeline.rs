//! What happened to one transaction.

use types::views::{Timeline, TimelineEvent};

use super::tail;
use crate::cli::table::{Cell, Table, Tone};

pub fn timeline(timeline: &Timeline) -> Table {
    let mut table = Table::new("Nothing happened yet.")
        .rigid("Time (UTC)")
        .number("+ms")
        .rigid("Event")
        .rigid("Bank")
        .rigid("Account")
        .text("Detail");
    let begun = timeline.items.first().map(|item| item.at.date_time());
    for item in &timeline.items {
        let after = begun.map(|begun| (item.at.date_time() - begun).num_milliseconds());
        let bank = item.participant.as_ref().map(ToString::to_string);
        table.row(vec![
            item.at.date_time().format("%H:%M:%S%.3f").into(),
            after.unwrap_or_default().into(),
            Cell::toned(item.event, tone(item.event)),
            bank.unwrap_or_default().into(),
            item.account_id.map(tail).unwrap_or_default().into(),
            item.detail.clone().unwrap_or_default().into(),
        ]);
    }
    table
}

const fn tone(event: TimelineEvent) -> Tone {
    match event {
        TimelineEvent::VoteYes | TimelineEvent::DecidedCommit | TimelineEvent::Settled => {
            Tone::Good
        }
        TimelineEvent::VoteNo
        | TimelineEvent::DecidedAbort
        | TimelineEvent::StepFailed
        | TimelineEvent::Stuck => Tone::Bad,
        TimelineEvent::VoteBusy
        | TimelineEvent::Recovered
        | TimelineEvent::CompensationStarted
        | TimelineEvent::CompensationDone => Tone::Warning,
        _ => Tone::Plain,
    }
}

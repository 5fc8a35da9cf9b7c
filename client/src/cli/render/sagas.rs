//! Sagas as operators see them.

use types::views::{SagaStatus, SagaStepStatus, SagaView};

use super::moment;
use crate::cli::output::Sheet;
use crate::cli::table::{Cell, Record, Table, Tone};

pub fn sagas(sagas: &[SagaView]) -> Table {
    let mut table = Table::new("There is no such saga.")
        .rigid("Began")
        .rigid("Saga")
        .rigid("Status")
        .text("At");
    for saga in sagas {
        let last = saga.log.last().map(|line| match &line.step {
            Some(step) => format!("{} {step}", line.event),
            None => line.event.clone(),
        });
        table.row(vec![
            moment(saga.began_at).into(),
            saga.saga_id.to_string().into(),
            Cell::toned(saga.status, status_tone(saga.status)),
            last.unwrap_or_default().into(),
        ]);
    }
    table
}

pub fn saga(saga: &SagaView) -> Sheet {
    let record = Record::new()
        .field("Saga", saga.saga_id)
        .field("Kind", &saga.kind)
        .field("Status", Cell::toned(saga.status, status_tone(saga.status)))
        .field("Began", moment(saga.began_at));
    let mut steps = Table::new("No steps.")
        .rigid("Step")
        .rigid("Status")
        .number("Asked")
        .text("Error");
    for step in &saga.steps {
        steps.row(vec![
            step.step.clone().into(),
            Cell::toned(step.status, step_tone(step.status)),
            step.attempts.into(),
            step.error.clone().unwrap_or_default().into(),
        ]);
    }
    let mut log = Table::new("No log.")
        .rigid("Time (UTC)")
        .rigid("Event")
        .rigid("Step")
        .text("Detail");
    for line in &saga.log {
        log.row(vec![
            line.at.date_time().format("%H:%M:%S%.3f").into(),
            line.event.clone().into(),
            line.step.clone().unwrap_or_default().into(),
            line.detail.clone().unwrap_or_default().into(),
        ]);
    }
    Sheet::All(vec![record.into(), steps.into(), log.into()])
}

const fn status_tone(status: SagaStatus) -> Tone {
    match status {
        SagaStatus::Committed => Tone::Good,
        SagaStatus::Stuck => Tone::Bad,
        SagaStatus::Compensating => Tone::Warning,
        SagaStatus::Started | SagaStatus::Compensated => Tone::Plain,
    }
}

const fn step_tone(status: SagaStepStatus) -> Tone {
    match status {
        SagaStepStatus::Done => Tone::Good,
        SagaStepStatus::Failed => Tone::Bad,
        SagaStepStatus::Compensating | SagaStepStatus::Skipped => Tone::Warning,
        SagaStepStatus::Pending | SagaStepStatus::Running | SagaStepStatus::Compensated => {
            Tone::Plain
        }
    }
}

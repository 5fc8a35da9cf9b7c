//! A saga's row and the lines of its log, put together for people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use saga::{Definition, State};
use types::views::{SagaLogView, SagaStatus, SagaStepStatus, SagaStepView, SagaView};
use uuid::Uuid;

use crate::damaged;

/// What the steps of each kind of saga are called: rows carry only how they stand.
#[derive(Debug, Clone, Default)]
pub struct StepNames(BTreeMap<&'static str, Vec<&'static str>>);

impl StepNames {
    /// Those of one definition.
    #[must_use]
    pub fn of<S: State>(definition: &Definition<S>) -> Self {
        Self::default().and(definition)
    }

    /// And those of another.
    #[must_use]
    pub fn and<S: State>(mut self, definition: &Definition<S>) -> Self {
        let names = definition.step_names().collect();
        self.0.insert(definition.kind(), names);
        self
    }

    fn name(&self, kind: &str, step: usize) -> String {
        let name = self.0.get(kind).and_then(|names| names.get(step));
        // Of a definition that is no longer built in.
        name.map_or_else(|| format!("step {}", step + 1), |name| (*name).to_owned())
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) saga_id: Uuid,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) steps: Vec<String>,
    pub(crate) began_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Line {
    pub(crate) saga_id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) event: String,
    pub(crate) step: Option<i16>,
    pub(crate) reason: Option<String>,
    pub(crate) attempts: i32,
}

impl Line {
    fn step(&self) -> Option<usize> {
        self.step.and_then(|step| usize::try_from(step).ok())
    }
}

impl Row {
    pub(crate) fn view(self, names: &StepNames, log: Vec<Line>) -> Result<SagaView, sqlx::Error> {
        let mut status = SagaStatus::ALL.into_iter();
        let status = status.find(|status| status.as_str() == self.status);
        let mut steps = Vec::with_capacity(self.steps.len());
        for (index, step) in self.steps.iter().enumerate() {
            let mut all = SagaStepStatus::ALL.into_iter();
            let status = all.find(|status| status.as_str() == step);
            steps.push(SagaStepView {
                step: names.name(&self.kind, index),
                status: status.ok_or_else(|| damaged(step))?,
                attempts: 0,
                error: None,
            });
        }
        tell(&mut steps, &log);
        let log = log.into_iter().map(|line| SagaLogView {
            at: line.at.into(),
            step: line.step().map(|step| names.name(&self.kind, step)),
            event: line.event,
            detail: line.reason,
        });
        Ok(SagaView {
            saga_id: self.saga_id.into(),
            log: log.collect(),
            status: status.ok_or_else(|| damaged(&self.status))?,
            began_at: self.began_at.into(),
            kind: self.kind,
            steps,
        })
    }
}

/// Counts the attempts at each step, and finds what was last wrong with it.
///
/// A line's attempts and reason are of the step that was being asked for, also where the line is
/// about the whole saga: "turned back".
fn tell(steps: &mut [SagaStepView], log: &[Line]) {
    let mut asked_for = None;
    for line in log {
        if let Some(step) = asked_for.and_then(|step: usize| steps.get_mut(step)) {
            let attempts = u32::try_from(line.attempts).unwrap_or(0);
            step.attempts = step.attempts.saturating_add(attempts);
            if let Some(reason) = &line.reason
                && matches!(&*line.event, "ACTION_FAILED" | "TURNED_BACK" | "STUCK")
                && !(line.event == "TURNED_BACK" && step.error.is_some())
            {
                step.error = Some(reason.clone());
            }
        }
        if matches!(&*line.event, "ACTION_STARTED" | "COMPENSATION_STARTED") {
            asked_for = line.step();
        }
    }
    for step in steps {
        let is_asked_for = matches!(
            step.status,
            SagaStepStatus::Running | SagaStepStatus::Compensating
        );
        if is_asked_for {
            step.attempts = step.attempts.max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str, step: Option<i16>, reason: Option<&str>, attempts: i32) -> Line {
        Line {
            saga_id: Uuid::from_u128(1),
            at: Utc::now(),
            event: event.to_owned(),
            step,
            reason: reason.map(str::to_owned),
            attempts,
        }
    }

    #[test]
    fn attempts_and_errors_belong_to_the_step_that_was_asked_for() {
        let row = Row {
            saga_id: Uuid::from_u128(1),
            kind: "transfer".to_owned(),
            status: "STUCK".to_owned(),
            steps: ["COMPENSATING", "FAILED", "PENDING"]
                .map(str::to_owned)
                .to_vec(),
            began_at: Utc::now(),
        };
        let names = StepNames([("transfer", vec!["debit", "credit"])].into());
        let log = vec![
            line("ACTION_STARTED", Some(0), None, 0),
            line("ACTION_DONE", Some(0), None, 2),
            line("ACTION_STARTED", Some(1), None, 0),
            line("ACTION_FAILED", Some(1), Some("account_frozen"), 1),
            line("TURNED_BACK", None, Some("account_frozen"), 0),
            line("COMPENSATION_STARTED", Some(0), None, 0),
            line("STUCK", Some(0), Some("no_answer"), 11),
        ];
        let view = row.view(&names, log).expect("whole");
        let told: Vec<_> = view
            .steps
            .iter()
            .map(|step| (&*step.step, step.attempts, step.error.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("debit", 13, Some("no_answer")),
                ("credit", 1, Some("account_frozen")),
                ("step 3", 0, None)
            ]
        );
        assert_eq!(view.log[6].step.as_deref(), Some("debit"));
        assert_eq!(view.log[4].step, None);
    }

    #[test]
    fn a_status_that_nobody_knows_is_damage() {
        let row = Row {
            saga_id: Uuid::from_u128(1),
            kind: String::new(),
            status: "DONE".to_owned(),
            steps: Vec::new(),
            began_at: Utc::now(),
        };
        assert!(row.view(&StepNames::default(), Vec::new()).is_err());
    }
}

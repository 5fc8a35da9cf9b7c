//! What was tried, and what came of it.

use std::collections::BTreeMap;
use std::fmt;

use super::trial::{Outcome, Trial};
use crate::machine::Status;

/// All trials of one saga.
#[derive(Debug, Default)]
pub struct Report {
    /// Trials of each kind.
    pub tried: BTreeMap<&'static str, usize>,
    /// How the trials ended.
    pub committed: usize,
    /// How the trials ended.
    pub compensated: usize,
    /// Killed or taken over before they began.
    pub never_began: usize,
    /// Trials in which an operator had to help.
    pub stuck: usize,
    /// Writes of the log, in all trials.
    pub writes: usize,
    /// What went wrong that must not, each with its trial and the saga's log.
    pub failures: Vec<String>,
}

impl Report {
    /// How many trials there were.
    #[must_use]
    pub fn trials(&self) -> usize {
        self.tried.values().sum()
    }

    /// # Panics
    /// When some trial failed, with what it was.
    pub fn assert_clean(&self) {
        assert!(self.failures.is_empty(), "{self}");
    }

    pub(super) fn add(&mut self, trial: &Trial, outcome: &Outcome) {
        *self.tried.entry(trial.family).or_default() += 1;
        self.writes += outcome.writes;
        match outcome.status {
            None => self.never_began += 1,
            Some(Status::Committed) => self.committed += 1,
            Some(Status::Compensated) => self.compensated += 1,
            Some(Status::Started | Status::Compensating | Status::Stuck) => {}
        }
        let events = || outcome.log.iter().map(|entry| &entry.event);
        if events().any(|event| matches!(event, crate::Event::Stuck { .. })) {
            self.stuck += 1;
        }
        if outcome.wrong.is_empty() {
            return;
        }
        let mut text = format!("{}:", trial.family);
        for fault in &trial.faults {
            text.push_str(&format!(" [{fault}]"));
        }
        for crash in &trial.crashes {
            text.push_str(&format!(" [{crash:?}]"));
        }
        for wrong in &outcome.wrong {
            text.push_str(&format!("\n    {wrong}"));
        }
        text.push_str("\n    log:");
        for event in events() {
            text.push_str(&format!("\n      {event:?}"));
        }
        self.failures.push(text);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} trials, {} writes of the log",
            self.trials(),
            self.writes
        )?;
        for (family, count) in &self.tried {
            writeln!(f, "  {count:>5}  {family}")?;
        }
        writeln!(
            f,
            "{} committed, {} compensated, {} never began; an operator helped {}; {} failed",
            self.committed,
            self.compensated,
            self.never_began,
            self.stuck,
            self.failures.len(),
        )?;
        for failure in self.failures.iter().take(5) {
            writeln!(f, "- {failure}")?;
        }
        Ok(())
    }
}

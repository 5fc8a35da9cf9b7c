//! What an operator is told about a transaction in doubt: what is being tried, what can be done,
//! and what each choice would mean.
//!
//! ```
//! use two_phase::BranchState;
//! use two_phase::console::{Branch, Decision, Evidence, Known, choices, trying};
//!
//! let evidence = Evidence {
//!     decision: Decision::Unreachable { error: "connection refused".to_owned() },
//!     branches: vec![
//!         Branch::of("bank-1".parse().unwrap(), Known::State(Some(BranchState::Aborted))),
//!         Branch::of("bank-2".parse().unwrap(), Known::State(Some(BranchState::Prepared))),
//!     ],
//! };
//! assert!(trying(&evidence).contains("asking the coordinators"));
//! let commit = choices(&evidence).into_iter().find(|choice| {
//!     choice.action == types::views::ChoiceAction::ForceCommit
//! });
//! assert!(commit.unwrap().means.contains("MIXED"));
//! ```

mod change;
mod choices;
#[cfg(test)]
mod tests;

use types::ParticipantId;
use types::views::Status;

use crate::participant::BranchState;
use crate::{Outcome, Phase};

pub use change::{fingerprint, has_changed};
pub use choices::choices;

/// Who drives a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Driver {
    /// The process that answers.
    Here,
    /// Another one, whose lease still runs for so many milliseconds.
    Elsewhere {
        /// Its name.
        name: String,
        /// How long its lease runs.
        remaining_ms: i64,
    },
    /// Nobody: the lease is over, or the driver has stopped.
    Nobody,
}

/// What is known of the decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The coordinator's row.
    Recorded {
        /// The decision.
        status: Status,
        /// What is being done.
        phase: Phase,
        /// By whom.
        driver: Driver,
    },
    /// A coordinator answered that nothing is decided.
    Undecided,
    /// A coordinator answered that it has no record.
    NoRecord,
    /// No coordinator answered.
    Unreachable {
        /// Why.
        error: String,
    },
    /// Nobody was asked yet.
    NotAsked,
}

/// What is known of one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// What its participant says; `None`: it has no such branch.
    State(Option<BranchState>),
    /// The participant did not answer, or was not asked.
    Unreachable {
        /// Why.
        error: String,
    },
}

/// How far the delivery of a decision has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// How often there was no answer.
    pub attempts: u32,
    /// Why.
    pub error: Option<String>,
    /// Milliseconds until it is sent again.
    pub next_in_ms: Option<i64>,
}

/// One branch, with what stands in the way of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// At which participant.
    pub participant: ParticipantId,
    /// What is known of it.
    pub known: Known,
    /// Where the decision is being delivered to it.
    pub delivery: Option<Delivery>,
    /// Hazards that are open about it, each once.
    pub hazards: Vec<String>,
}

impl Branch {
    /// A branch that nothing is being delivered to and no hazard is known of.
    #[must_use]
    pub const fn of(participant: ParticipantId, known: Known) -> Self {
        Self {
            participant,
            known,
            delivery: None,
            hazards: Vec::new(),
        }
    }

    /// Its state, where its participant has told one.
    #[must_use]
    pub const fn state(&self) -> Option<BranchState> {
        match self.known {
            Known::State(state) => state,
            Known::Unreachable { .. } => None,
        }
    }
}

/// All that is known of one transaction at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Of the decision.
    pub decision: Decision,
    /// Of each participant's branch.
    pub branches: Vec<Branch>,
}

impl Evidence {
    /// Whether anything that was recorded waits to be acknowledged.
    fn has_open_hazards(&self) -> bool {
        self.branches
            .iter()
            .any(|branch| !branch.hazards.is_empty())
    }
}

/// The outcome a status stands for.
#[must_use]
pub const fn outcome_of(status: Status) -> Option<Outcome> {
    match status {
        Status::Pending => None,
        Status::Committed => Some(Outcome::Commit),
        Status::Aborted => Some(Outcome::Abort),
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Commit => "COMMIT",
        Outcome::Abort => "ABORT",
    }
}

/// What is being tried right now, in words.
#[must_use]
pub fn trying(evidence: &Evidence) -> String {
    match &evidence.decision {
        Decision::NotAsked => "about to ask the coordinators what was decided".to_owned(),
        Decision::Unreachable { error } => format!(
            "asking the coordinators, and the other banks, again and again; no coordinator \
             answers: {error}"
        ),
        Decision::Undecided => {
            "asking the coordinators again and again; nothing is decided yet".to_owned()
        }
        Decision::NoRecord => "nothing: the coordinator has no record of it".to_owned(),
        Decision::Recorded {
            phase: Phase::Hazard,
            ..
        } => "parked: hazard; nothing more is sent to a bank whose branch contradicts the decision"
            .to_owned(),
        Decision::Recorded {
            status,
            phase,
            driver,
        } => match outcome_of(*status) {
            None => before_the_decision(driver, evidence),
            Some(outcome) if *phase == Phase::Done => after_the_end(outcome, evidence),
            Some(outcome) => delivering(outcome, driver, evidence),
        },
    }
}

fn before_the_decision(driver: &Driver, evidence: &Evidence) -> String {
    match driver {
        Driver::Here => {
            let promised = |branch: &Branch| branch.state() == Some(BranchState::Prepared);
            if evidence.branches.iter().all(promised) {
                "writing the decision: every bank has promised".to_owned()
            } else {
                "gathering votes".to_owned()
            }
        }
        Driver::Elsewhere { name, remaining_ms } => format!(
            "waiting for its coordinator's lease: {name} drives it and has {} s left; then it is \
             taken over and aborted",
            seconds(*remaining_ms)
        ),
        Driver::Nobody => {
            "nobody drives it: a coordinator is about to take it over and to abort it".to_owned()
        }
    }
}

fn delivering(outcome: Outcome, driver: &Driver, evidence: &Evidence) -> String {
    let outcome = word(outcome);
    match driver {
        Driver::Elsewhere { name, remaining_ms } => format!(
            "{name} is delivering {outcome}; its lease runs for {} s, then another coordinator \
             delivers it",
            seconds(*remaining_ms)
        ),
        Driver::Nobody => format!(
            "nobody drives it: a coordinator is about to take it over and to deliver {outcome}"
        ),
        Driver::Here => {
            let late = evidence.branches.iter().filter_map(|branch| {
                let delivery = branch.delivery.as_ref()?;
                Some(attempt(&branch.participant, delivery))
            });
            let late: Vec<String> = late.collect();
            if late.is_empty() {
                format!("delivering {outcome} until every bank has acknowledged it")
            } else {
                format!("delivering {outcome} {}", late.join("; "))
            }
        }
    }
}

fn attempt(participant: &ParticipantId, delivery: &Delivery) -> String {
    let error = delivery.error.as_deref().unwrap_or("no answer");
    let next = match delivery.next_in_ms {
        Some(ms) if ms > 0 => format!("next try in {} s", seconds(ms)),
        Some(_) | None => "trying now".to_owned(),
    };
    format!(
        "to {participant}, attempt {}, last error: {error}, {next}",
        delivery.attempts + 1
    )
}

fn after_the_end(outcome: Outcome, evidence: &Evidence) -> String {
    let waiting = |branch: &Branch| branch.state() == Some(BranchState::Prepared);
    if evidence.branches.iter().any(waiting) {
        format!(
            "nothing is sent: the coordinator takes it for done; a bank that is in doubt asks, and \
             is told {}",
            word(outcome)
        )
    } else if evidence.has_open_hazards() {
        "nothing: it is over, and what was recorded waits to be acknowledged".to_owned()
    } else {
        "nothing: it is over".to_owned()
    }
}

/// Seconds with one place, rounded up, so that what is still to come is never 0.
fn seconds(milliseconds: i64) -> String {
    let tenths = milliseconds.max(0).saturating_add(99) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

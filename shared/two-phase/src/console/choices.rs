//! What an operator can do, and what each choice would mean.

use types::ParticipantId;
use types::views::{Choice, ChoiceAction};

use super::{Branch, Decision, Driver, Evidence, Known, outcome_of, word};
use crate::participant::BranchState;
use crate::{Outcome, Phase};

/// What speaks for an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outlook {
    /// The decision, or what another bank has carried out: this is what will come, and why.
    Certain(Outcome, String),
    /// Banks have carried out both: whatever is forced contradicts one of them.
    Torn(String),
    /// Nothing is decided, and what nobody decides is aborted.
    Pending,
    /// Nobody who can be asked knows.
    Open(String),
}

/// Every choice there is, the mildest first. Waiting is always one.
#[must_use]
pub fn choices(evidence: &Evidence) -> Vec<Choice> {
    let mut choices = vec![Choice {
        action: ChoiceAction::Wait,
        participant: None,
        hazard: None,
        means: waiting(evidence),
    }];
    for branch in &evidence.branches {
        if branch.state() == Some(BranchState::Prepared) {
            let outlook = outlook(evidence, &branch.participant);
            for (action, outcome) in [
                (ChoiceAction::ForceCommit, Outcome::Commit),
                (ChoiceAction::ForceAbort, Outcome::Abort),
            ] {
                choices.push(Choice {
                    action,
                    participant: Some(branch.participant.clone()),
                    hazard: None,
                    means: forcing(outcome, &branch.participant, &outlook),
                });
            }
        }
    }
    for branch in &evidence.branches {
        if let Some(means) = correcting(evidence, branch) {
            choices.push(Choice {
                action: ChoiceAction::Correct,
                participant: Some(branch.participant.clone()),
                hazard: None,
                means,
            });
        }
        choices.extend(branch.hazards.iter().map(|hazard| Choice {
            action: ChoiceAction::Acknowledge,
            participant: Some(branch.participant.clone()),
            hazard: Some(hazard.clone()),
            means: format!(
                "{hazard} at {} is no longer shown or counted as open; nothing is mended by it, \
                 and the audit trail keeps it",
                branch.participant
            ),
        }));
    }
    choices
}

fn waiting(evidence: &Evidence) -> String {
    let in_doubt = evidence
        .branches
        .iter()
        .any(|branch| branch.state() == Some(BranchState::Prepared));
    let holds = if in_doubt {
        "; until then the holds stay"
    } else {
        ""
    };
    match &evidence.decision {
        Decision::Recorded {
            phase: Phase::Hazard,
            ..
        } => "it does not end by itself: somebody has to find out what happened".to_owned(),
        Decision::Recorded {
            phase: Phase::Done, ..
        } if !in_doubt && evidence.has_open_hazards() => {
            "it is over; only what was recorded about it is still open".to_owned()
        }
        Decision::Recorded {
            phase: Phase::Done, ..
        } if !in_doubt => "it is over".to_owned(),
        Decision::Recorded { status, driver, .. } => match (outcome_of(*status), driver) {
            (Some(outcome), _) => format!(
                "it ends as {} at every bank as soon as each can be reached{holds}",
                word(outcome)
            ),
            (None, Driver::Here) => format!("its coordinator is at work and decides{holds}"),
            (None, Driver::Elsewhere { .. } | Driver::Nobody) => {
                format!("it is decided, or taken over and aborted, by itself{holds}")
            }
        },
        Decision::Undecided | Decision::Unreachable { .. } | Decision::NotAsked => format!(
            "it ends as decided as soon as a coordinator, or a bank that knows, can be asked{holds}"
        ),
        Decision::NoRecord if in_doubt => {
            "it does not end by itself: the decision is lost, and the holds stay".to_owned()
        }
        Decision::NoRecord => {
            "it does not end by itself: somebody has to find out what happened".to_owned()
        }
    }
}

/// What another participant's branch shows about the outcome.
const fn shows(state: BranchState) -> Option<Outcome> {
    match state {
        BranchState::Committed | BranchState::HeuristicCommit => Some(Outcome::Commit),
        BranchState::Refused | BranchState::Aborted | BranchState::HeuristicAbort => {
            Some(Outcome::Abort)
        }
        BranchState::Prepared | BranchState::HeuristicMixed => None,
    }
}

fn outlook(evidence: &Evidence, own: &ParticipantId) -> Outlook {
    let others = || {
        evidence
            .branches
            .iter()
            .filter(move |branch| branch.participant != *own)
    };
    if let Decision::Recorded { status, .. } = evidence.decision {
        return match outcome_of(status) {
            Some(outcome) => {
                Outlook::Certain(outcome, format!("the decision is {}", word(outcome)))
            }
            None => Outlook::Pending,
        };
    }
    let of = |outcome: Outcome| -> Vec<String> {
        others()
            .filter_map(|branch| {
                let state = branch.state()?;
                (shows(state) == Some(outcome))
                    .then(|| format!("{} is {state}", branch.participant))
            })
            .collect()
    };
    let (committed, aborted) = (of(Outcome::Commit), of(Outcome::Abort));
    match (committed.is_empty(), aborted.is_empty()) {
        (false, false) => Outlook::Torn([committed, aborted].concat().join(", ")),
        (false, true) => Outlook::Certain(Outcome::Commit, committed.join(", ")),
        (true, false) => Outlook::Certain(Outcome::Abort, aborted.join(", ")),
        (true, true) if evidence.decision == Decision::Undecided => Outlook::Pending,
        (true, true) => {
            let silent: Vec<&str> = others()
                .filter(|branch| matches!(branch.known, Known::Unreachable { .. }))
                .map(|branch| branch.participant.as_str())
                .collect();
            Outlook::Open(if silent.is_empty() {
                "no bank has carried out anything".to_owned()
            } else {
                format!("what {} did is not known", silent.join(", "))
            })
        }
    }
}

fn forcing(outcome: Outcome, participant: &ParticipantId, outlook: &Outlook) -> String {
    let does = match outcome {
        Outcome::Commit => format!("{participant} books its legs now and releases the holds"),
        Outcome::Abort => format!("{participant} releases the holds now and books nothing"),
    };
    let other = match outcome {
        Outcome::Commit => Outcome::Abort,
        Outcome::Abort => Outcome::Commit,
    };
    let consequence = match outlook {
        Outlook::Certain(certain, why) if *certain == outcome => format!(
            "{why}, so this is what it will be told anyway; it agrees and nothing has to be \
             corrected"
        ),
        Outlook::Certain(certain, why) => format!(
            "but {why}: that makes it MIXED, money has moved at one bank and not at another, and \
             has to be corrected by an entry (the true outcome is {})",
            word(*certain)
        ),
        Outlook::Torn(why) => format!(
            "but {why}: the banks contradict each other already, and either choice leaves it MIXED \
             with money to be corrected"
        ),
        Outlook::Pending if outcome == Outcome::Abort => {
            "nothing is decided, and what nobody decides is aborted, so it probably agrees; if its \
             coordinator still commits, it is MIXED and money has to be corrected"
                .to_owned()
        }
        Outlook::Pending => "but nothing is decided, and what nobody decides is aborted: that \
             would make it MIXED, and money has to be corrected"
            .to_owned(),
        Outlook::Open(why) => format!(
            "{why}; if the decision was {} it becomes MIXED, and money has to be corrected",
            word(other)
        ),
    };
    format!("{does}; {consequence}")
}

/// What has to be booked by hand, where decision and branch differ for good.
fn correcting(evidence: &Evidence, branch: &Branch) -> Option<String> {
    let decided = match evidence.decision {
        Decision::Recorded { status, .. } => outcome_of(status),
        _ => None,
    };
    let participant = &branch.participant;
    match (branch.state(), decided) {
        (Some(BranchState::HeuristicMixed), Some(Outcome::Commit)) => Some(format!(
            "the decision is COMMIT and {participant} was forced to ABORT: book its legs there by \
             a correcting entry (deposit or withdrawal), then acknowledge"
        )),
        (Some(BranchState::HeuristicMixed), Some(Outcome::Abort)) => Some(format!(
            "the decision is ABORT and {participant} was forced to COMMIT: book the opposite of \
             its legs there by a correcting entry (deposit or withdrawal), then acknowledge"
        )),
        (Some(BranchState::HeuristicMixed), None) => Some(format!(
            "{participant} was forced against the decision: find out what was decided, book what \
             is missing or too much by a correcting entry, then acknowledge"
        )),
        (Some(BranchState::Aborted | BranchState::Refused), Some(Outcome::Commit)) => {
            Some(format!(
                "the decision is COMMIT and {participant} has aborted: book its legs there by a \
                 correcting entry (deposit or withdrawal), then acknowledge"
            ))
        }
        (Some(BranchState::Committed), Some(Outcome::Abort)) => Some(format!(
            "the decision is ABORT and {participant} has committed: book the opposite of its legs \
             there by a correcting entry (deposit or withdrawal), then acknowledge"
        )),
        (None, Some(Outcome::Commit)) if matches!(branch.known, Known::State(None)) => {
            Some(format!(
                "the decision is COMMIT and {participant} has no such branch: its data were lost; \
                 see what its ledger has of the transfer, restore it or book its legs there by a \
                 correcting entry, then acknowledge"
            ))
        }
        _ => None,
    }
}

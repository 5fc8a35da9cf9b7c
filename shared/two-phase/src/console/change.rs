//! Whether the evidence a proposal was made upon has changed.

use std::collections::BTreeMap;

use super::{Decision, Evidence, Known};

/// What nobody could tell.
const UNKNOWN: &str = "unreachable";

/// The evidence in one line, as it is kept beside a proposal:
/// `coordinator=pending bank-1=PREPARED bank-2=unreachable`.
#[must_use]
pub fn fingerprint(evidence: &Evidence) -> String {
    let decision = match &evidence.decision {
        Decision::Recorded { status, .. } => status.as_str(),
        Decision::Undecided => "pending",
        Decision::NoRecord => "no-record",
        Decision::Unreachable { .. } | Decision::NotAsked => UNKNOWN,
    };
    let mut line = format!("coordinator={decision}");
    for branch in &evidence.branches {
        let state = match &branch.known {
            Known::State(Some(state)) => state.as_str(),
            Known::State(None) => "absent",
            Known::Unreachable { .. } => UNKNOWN,
        };
        line = format!("{line} {}={state}", branch.participant);
    }
    line
}

/// Whether more or other things are known now than when the first line was written.
///
/// That somebody no longer answers changes nothing: what they said then is still the last that is
/// known. That somebody answers who did not is news, and so is any other answer.
#[must_use]
pub fn has_changed(before: &str, now: &str) -> bool {
    let before = parts(before);
    parts(now)
        .into_iter()
        .any(|(who, what)| what != UNKNOWN && before.get(who) != Some(&what))
}

fn parts(line: &str) -> BTreeMap<&str, &str> {
    line.split(' ')
        .filter_map(|part| part.split_once('='))
        .collect()
}

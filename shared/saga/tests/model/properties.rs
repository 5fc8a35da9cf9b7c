//! What must be true in every state, and at every end.

use saga::Status;
use saga::barrier::Recorded;
use stateright::Property;

use crate::scenario::Scenario;
use crate::state::{Message, State};

pub const ONCE: &str = "an effect happens once and is undone once";
pub const COMMITTED: &str = "a committed saga has all of its effects";
pub const COMPENSATED: &str = "a compensated saga has none, whatever still arrives";
pub const LOGGED: &str = "nothing is asked for that is not in the log";
pub const NEVER_FORWARD: &str = "what has turned back never goes forward";
pub const NEVER_BACK: &str = "behind the pivot nothing goes back";
pub const ENDS: &str = "every path comes to an end";

pub fn of(scenario: &Scenario) -> Vec<Property<Scenario>> {
    let mut properties = vec![
        Property::always(ONCE, once),
        Property::always(COMMITTED, committed_has_all),
        Property::always(COMPENSATED, compensated_has_none),
        Property::always(LOGGED, logged_before_asked),
        Property::always(NEVER_FORWARD, never_forward),
        Property::always(NEVER_BACK, never_back),
        Property::eventually(ENDS, |_, state: &State| has_ended(state)),
        Property::sometimes("it commits", |_, state: &State| {
            status(state) == Status::Committed
        }),
        Property::sometimes("it is compensated", |_, state: &State| {
            status(state) == Status::Compensated
        }),
        Property::sometimes("an action is closed before it comes", |_, state: &State| {
            let mut performers = state.performers.iter();
            performers.any(|step| step.action == Some(Recorded::Closed))
        }),
    ];
    if scenario.faults.lost_leases > 0 {
        properties.push(Property::sometimes(
            "a stale executor wants to write",
            |_, state: &State| {
                let mut works = state.processes.iter().flatten();
                works.any(|work| work.writing.is_some() && work.epoch < state.row.epoch)
            },
        ));
    }
    if scenario.may_get_stuck {
        properties.push(Property::sometimes("it gets stuck", |_, state: &State| {
            status(state) == Status::Stuck
        }));
    }
    properties
}

const fn status(state: &State) -> Status {
    state.row.snapshot.status
}

/// A stuck saga without an operator stays so.
fn has_ended(state: &State) -> bool {
    status(state).is_final() || (status(state) == Status::Stuck && state.faults.retries == 0)
}

fn once(_: &Scenario, state: &State) -> bool {
    state
        .performers
        .iter()
        .all(|step| step.done <= 1 && step.undone <= step.done)
}

fn committed_has_all(_: &Scenario, state: &State) -> bool {
    let there = state
        .performers
        .iter()
        .all(|step| (step.done, step.undone) == (1, 0));
    status(state) != Status::Committed || there
}

fn compensated_has_none(_: &Scenario, state: &State) -> bool {
    let gone = state.performers.iter().all(|step| step.done == step.undone);
    status(state) != Status::Compensated || gone
}

fn logged_before_asked(_: &Scenario, state: &State) -> bool {
    state.network.messages().all(|message| match message {
        Message::Request(step, direction) => state.row.asked.contains(&(*step, *direction)),
        Message::Answer(..) | Message::Write(..) => true,
    })
}

fn never_forward(_: &Scenario, state: &State) -> bool {
    let forward = status(state) == Status::Started || status(state) == Status::Committed;
    !(state.row.has_turned && forward)
}

fn never_back(_: &Scenario, state: &State) -> bool {
    !state.row.turned_behind_pivot
}

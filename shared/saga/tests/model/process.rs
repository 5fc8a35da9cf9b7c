//! The executors: what `saga::executor` does, on a toy log.

use saga::decide::{Circumstances, Command, Reaction, Written, command, react};
use saga::machine::Ask;
use saga::{Direction, Event, Snapshot, Status, Verdict};

use crate::mistakes::Mistake;
use crate::performer::R;
use crate::scenario::Scenario;
use crate::state::{Action, Message, Network, Patience, Process, Row, State, StepIndex, Work};

fn asked(snapshot: &Snapshot) -> Option<(StepIndex, Direction)> {
    match snapshot.ask() {
        Ask::Act(step) => Some((step, Direction::Action)),
        Ask::Compensate(step) => Some((step, Direction::Compensation)),
        Ask::Nothing => None,
    }
}

pub fn ask(network: &mut Network, snapshot: &Snapshot) {
    if let Some((step, direction)) = asked(snapshot) {
        network.send(Message::Request(step, direction));
    }
}

pub fn write(row: &mut Row, written: &Written) {
    row.snapshot = written.snapshot.clone();
    row.sequence += written.events.len();
    row.has_turned |= written
        .events
        .iter()
        .any(|event| matches!(event, Event::TurnedBack { .. }));
    if let Some(asked) = asked(&row.snapshot)
        && !row.asked.contains(&asked)
    {
        row.asked.push(asked);
    }
}

pub fn waits_for(state: &State, process: Process, step: StepIndex, direction: Direction) -> bool {
    let work = state.processes[process].as_ref();
    let idle = work.filter(|work| work.writing.is_none());
    idle.is_some_and(|work| asked(&work.snapshot) == Some((step, direction)))
}

pub fn perform(scenario: &Scenario, state: &mut State, action: &Action) {
    match action {
        Action::Performs(..) => {}
        Action::Logs(Message::Write(epoch, after, written)) => {
            let fits = state.row.epoch == *epoch || scenario.mistake == Mistake::NoFence;
            if fits && state.row.sequence == *after {
                let had_turned = state.row.has_turned;
                write(&mut state.row, written);
                let pivot = scenario.shape.pivot.map(|pivot| &state.performers[pivot]);
                let has_happened = pivot.is_some_and(|pivot| pivot.done > pivot.undone);
                let turns = state.row.has_turned && !had_turned;
                state.row.turned_behind_pivot |= turns && has_happened;
            }
        }
        Action::Logs(_) => {}
        Action::Confirms(process) => confirm(scenario, state, *process),
        Action::Hears(process, verdict, patience) => {
            let work = state.processes[*process].as_ref();
            let asked = work.and_then(|work| asked(&work.snapshot));
            if let (Some((step, direction)), Verdict::NotNow(_)) = (asked, verdict) {
                let heard = Message::Answer(step, direction, verdict.clone());
                state.network.consume(&heard);
            }
            decide(scenario, state, *process, verdict, *patience);
        }
        Action::GivesUp(process, patience) => {
            let waits = state.processes[*process].as_ref();
            if waits.is_some_and(|work| work.writing.is_none() && asked(&work.snapshot).is_some()) {
                let verdict = match scenario.mistake {
                    Mistake::UnknownIsFailure => Verdict::Refused(R),
                    _ => Verdict::Unknown(R),
                };
                decide(scenario, state, *process, &verdict, *patience);
            }
        }
        Action::Claims(process) => claim(scenario, state, *process),
        Action::Crashes(process) => {
            if state.faults.crashes > 0 && state.processes[*process].take().is_some() {
                state.faults.crashes -= 1;
                state.row.lease_is_over |= state.row.owner == *process;
            }
        }
        Action::LeaseRunsOut => {
            if state.faults.lost_leases > 0 && !state.row.lease_is_over {
                state.faults.lost_leases -= 1;
                state.row.lease_is_over = true;
            }
        }
        Action::Retried(process) => {
            if state.faults.retries > 0 && state.row.snapshot.status == Status::Stuck {
                state.faults.retries -= 1;
                let written = command(scenario.shape, &state.row.snapshot, &Command::Retry, R);
                write(&mut state.row, &written.expect("it is stuck"));
                take(scenario, state, *process);
            }
        }
    }
}

fn claim(scenario: &Scenario, state: &mut State, process: Process) {
    let open = matches!(
        state.row.snapshot.status,
        Status::Started | Status::Compensating
    );
    if open && state.row.lease_is_over {
        take(scenario, state, process);
    }
}

fn take(scenario: &Scenario, state: &mut State, process: Process) {
    let row = &mut state.row;
    row.epoch += 1;
    row.owner = process;
    row.lease_is_over = false;
    ask(&mut state.network, &row.snapshot);
    state.processes[process] = Some(Work {
        epoch: row.epoch,
        snapshot: row.snapshot.clone(),
        sequence: row.sequence,
        in_doubt: scenario.mistake != Mistake::NoDoubtAfterTakeover,
        writing: None,
    });
}

fn decide(
    scenario: &Scenario,
    state: &mut State,
    process: Process,
    verdict: &Verdict,
    patience: Patience,
) {
    let Some(work) = &mut state.processes[process] else {
        return;
    };
    work.in_doubt |= matches!(verdict, Verdict::Unknown(_)) && scenario.mistake != Mistake::NoDoubt;
    let circumstances = Circumstances {
        may_retry: patience != Patience::Exhausted,
        timed_out: patience == Patience::Late,
        in_doubt: work.in_doubt,
        compensate_on_timeout: true,
    };
    let verdict = match (verdict, scenario.mistake) {
        // What an executor without doubt makes of silence.
        (Verdict::Unknown(reason), Mistake::NoDoubt) => Verdict::NotNow(reason.clone()),
        (verdict, _) => verdict.clone(),
    };
    let reaction = react(scenario.shape, &work.snapshot, &verdict, circumstances);
    match reaction.expect("a legal answer") {
        Reaction::Retry => ask(&mut state.network, &work.snapshot),
        Reaction::Log(written) => {
            let message = Message::Write(work.epoch, work.sequence, written.clone());
            state.network.send(message);
            if scenario.mistake == Mistake::AsksBeforeLogging {
                ask(&mut state.network, &written.snapshot);
            }
            work.writing = Some(written);
        }
    }
}

/// The write is repeated until its answer is known: it is there, or somebody has taken over.
fn confirm(scenario: &Scenario, state: &mut State, process: Process) {
    let Some(work) = &mut state.processes[process] else {
        return;
    };
    let Some(written) = &work.writing else {
        return;
    };
    let sequence = work.sequence + written.events.len();
    let fenced = state.row.epoch > work.epoch && scenario.mistake != Mistake::NoFence;
    let is_there = state.row.sequence >= sequence && !fenced;
    if fenced {
        state.processes[process] = None;
    } else if is_there || scenario.mistake == Mistake::LosesWrites {
        work.snapshot = written.snapshot.clone();
        work.sequence = sequence;
        work.in_doubt = false;
        work.writing = None;
        ask(&mut state.network, &work.snapshot);
    }
}

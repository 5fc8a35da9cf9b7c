//! The driver of `two_phase::coordinator`: what transactions-service does, on a toy database.

use std::sync::Arc;

use two_phase::coordinator::{Action as Step, IllegalEvent};
use two_phase::inquiry::{InquiryStep, answer};
use two_phase::message::InquiryAnswer;
use two_phase::recovery::{Plan, lease_is_over, plan};
use two_phase::{Coordinator, Event, Outcome, Phase};
use types::ParticipantId;
use types::views::Status;

use crate::scenario::Scenario;
use crate::state::{Action, LEASE_MS, Message, Process, Row, State, Transfer, Work};

fn participants(scenario: &Scenario, transfer: Transfer) -> impl Iterator<Item = ParticipantId> {
    let sites = scenario.sites(transfer);
    sites.map(|site| scenario.banks[site].clone())
}

const fn outcome(status: Status) -> Option<Outcome> {
    match status {
        Status::Pending => None,
        Status::Committed => Some(Outcome::Commit),
        Status::Aborted => Some(Outcome::Abort),
    }
}

/// A row just written by the process that received the transfer, and that process's memory.
pub fn begin(scenario: &Scenario, state: &mut State, process: Process, transfer: Transfer) {
    state.rows.push(Row {
        status: Status::Pending,
        phase: Phase::Preparing,
        epoch: 0,
        owner: process,
        lease_remaining_ms: LEASE_MS,
        decisions: 0,
        is_lost: false,
        is_reported_unknown: false,
    });
    let coordinator = Coordinator::begun(participants(scenario, transfer));
    let work = Work {
        epoch: 0,
        coordinator,
    };
    state.process(process).work[transfer] = Some(work);
    drive(scenario, state, process, transfer);
}

/// Sends what is to be sent, at once: a message sent early and delivered late is no different
/// from one sent late, and one never delivered is no different from a crash before sending.
fn drive(scenario: &Scenario, state: &mut State, process: Process, transfer: Transfer) {
    let memory = Arc::make_mut(&mut state.processes[process]);
    let Some(work) = &mut memory.work[transfer] else {
        return;
    };
    for step in work.coordinator.next() {
        let message = match step {
            Step::Prepare(to) => {
                work.coordinator.contacted(&to).expect("it takes part");
                Message::Prepare(transfer, scenario.site(&to))
            }
            Step::Decide(outcome, _) => Message::Decide(transfer, work.epoch, outcome),
            Step::Deliver(outcome, to) => Message::Decision(transfer, scenario.site(&to), outcome),
            // May be lost, so it is an action of its own.
            Step::Finish(_) => continue,
        };
        state.network.send(message);
    }
}

fn report(
    scenario: &Scenario,
    state: &mut State,
    process: Process,
    transfer: Transfer,
    event: Event,
) {
    if state.processes[process].work[transfer].is_none() {
        return;
    }
    let memory = Arc::make_mut(&mut state.processes[process]);
    let Some(work) = &mut memory.work[transfer] else {
        return;
    };
    match work.coordinator.apply(event) {
        Ok(()) => {
            if let Some(outcome) = work.coordinator.decided() {
                state.told[transfer] = Some(outcome);
            }
            drive(scenario, state, process, transfer);
        }
        Err(IllegalEvent::OutcomeChanged(_)) => state.outcome_changed = true,
        // An acknowledgement of what an earlier life delivered: this one has not read the row.
        Err(IllegalEvent::NotDecided) => {}
        Err(IllegalEvent::Stranger(_)) => unreachable!("only participants are heard"),
    }
}

/// What a process does with a message.
fn hears(scenario: &Scenario, state: &mut State, process: Process, message: Message) {
    match message {
        Message::Voted(transfer, from, vote) => {
            report(
                scenario,
                state,
                process,
                transfer,
                Event::Voted(scenario.banks[from].clone(), vote),
            );
        }
        Message::Acknowledged(transfer, from, acknowledgement) => {
            let event = Event::Acknowledged(scenario.banks[from].clone(), acknowledgement);
            report(scenario, state, process, transfer, event);
        }
        Message::Inquiry(transfer) => {
            let row = &state.rows[transfer];
            let over = lease_is_over(row.lease_remaining_ms, LEASE_MS);
            let record = (!row.is_lost).then_some((row.status, over));
            let message = match answer(record) {
                // Answered when the inquiry is repeated and the decision stands.
                InquiryStep::DecideAbort => Message::Decide(transfer, row.epoch, Outcome::Abort),
                InquiryStep::Answer(InquiryAnswer::Committed) => {
                    Message::Answer(transfer, Outcome::Commit)
                }
                InquiryStep::Answer(InquiryAnswer::Aborted) => {
                    Message::Answer(transfer, Outcome::Abort)
                }
                // Tells nobody anything.
                InquiryStep::Answer(InquiryAnswer::Pending) => return,
                InquiryStep::Answer(InquiryAnswer::Unknown) => {
                    state.rows[transfer].is_reported_unknown = true;
                    return;
                }
            };
            state.network.send(message);
        }
        _ => {}
    }
}

/// The one compare-and-set. The connection may be lost around it, so nobody hears of the result
/// unless it reads the row.
fn executes(state: &mut State, message: Message) {
    let Message::Decide(transfer, epoch, outcome) = message else {
        return;
    };
    let row = &mut state.rows[transfer];
    if row.status == Status::Pending && row.epoch == epoch && !row.is_lost {
        row.status = match outcome {
            Outcome::Commit => Status::Committed,
            Outcome::Abort => Status::Aborted,
        };
        row.phase = Phase::Delivering;
        row.decisions += 1;
    }
}

const fn is_over(row: &Row) -> bool {
    matches!(row.phase, Phase::Done | Phase::Hazard)
}

/// Whether the process could claim the row: it is left behind, or it was this process's own.
fn may_claim(state: &State, process: Process, transfer: Transfer) -> bool {
    let row = &state.rows[transfer];
    let work = state.processes[process].work[transfer].as_ref();
    let owns = work.is_some_and(|work| work.epoch == row.epoch);
    let left_behind =
        lease_is_over(row.lease_remaining_ms, LEASE_MS) || (row.owner == process && work.is_none());
    left_behind && !owns && !row.is_lost && !is_over(row)
}

fn claim(scenario: &Scenario, state: &mut State, process: Process, transfer: Transfer) {
    let row = &mut state.rows[transfer];
    row.epoch += 1;
    row.owner = process;
    row.lease_remaining_ms = LEASE_MS;
    let status = match plan(&[row.status])[..] {
        [Plan::DecideAbort] => Status::Pending,
        [Plan::Deliver(Outcome::Commit)] => Status::Committed,
        [Plan::Deliver(Outcome::Abort)] => Status::Aborted,
        _ => unreachable!("one plan for one row"),
    };
    let coordinator = Coordinator::recovered(participants(scenario, transfer), status);
    let work = Work {
        epoch: row.epoch,
        coordinator,
    };
    state.process(process).work[transfer] = Some(work);
    drive(scenario, state, process, transfer);
}

fn final_phase(state: &State, process: Process, transfer: Transfer) -> Option<Phase> {
    let work = state.processes[process].work[transfer].as_ref()?;
    match work.coordinator.next()[..] {
        [Step::Finish(phase)] => Some(phase),
        _ => None,
    }
}

fn owner_is_alive(state: &State, transfer: Transfer) -> bool {
    let row = &state.rows[transfer];
    state.processes[row.owner].work[transfer].is_some()
}

/// What coordinators and their database might do now.
pub fn actions(state: &State, actions: &mut Vec<Action>) {
    for (process, memory) in state.processes.iter().enumerate() {
        if !memory.up {
            actions.push(Action::CoordinatorRestarts(process));
            continue;
        }
        if state.faults.coordinator_crashes > 0 {
            actions.push(Action::CoordinatorCrashes(process));
        }
        for message in state.network.messages() {
            if let Message::Voted(..) | Message::Acknowledged(..) | Message::Inquiry(_) = message {
                actions.push(Action::ReachesCoordinator(process, message));
            }
        }
        for (transfer, work) in memory.work.iter().enumerate() {
            if may_claim(state, process, transfer) {
                actions.push(Action::Claim(process, transfer));
            }
            match work.as_ref().map(|work| work.coordinator.decided()) {
                None => {}
                Some(None) => {
                    actions.push(Action::DeadlinePasses(process, transfer));
                    let row = &state.rows[transfer];
                    if row.status != Status::Pending && !row.is_lost {
                        actions.push(Action::Read(process, transfer));
                    }
                }
                Some(Some(_)) => {
                    actions.push(Action::Finish(process, transfer));
                }
            }
        }
    }
    for message in state.network.messages() {
        if let Message::Decide(..) = message {
            actions.push(Action::ReachesDatabase(message));
        }
    }
    for (transfer, row) in state.rows.iter().enumerate() {
        if is_over(row) || row.is_lost {
            continue;
        }
        if state.faults.lost_rows > 0 {
            actions.push(Action::RowIsLost(transfer));
        }
        if row.lease_remaining_ms != LEASE_MS {
            continue;
        }
        if state.faults.clock_jumps > 0 {
            actions.push(Action::ClockIsSetBack(transfer));
        }
        if state.faults.lost_leases > 0 || !owner_is_alive(state, transfer) {
            actions.push(Action::LeaseRunsOut(transfer));
        }
    }
}

/// Performs one of [`actions`].
pub fn perform(scenario: &Scenario, state: &mut State, action: Action) {
    match action {
        Action::ReachesCoordinator(process, message) => hears(scenario, state, process, message),
        Action::ReachesDatabase(message) => executes(state, message),
        Action::Read(process, transfer) => {
            if let Some(outcome) = outcome(state.rows[transfer].status) {
                report(scenario, state, process, transfer, Event::Decided(outcome));
            }
        }
        Action::DeadlinePasses(process, transfer) => {
            report(scenario, state, process, transfer, Event::DeadlinePassed);
        }
        Action::LeaseRunsOut(transfer) => {
            if owner_is_alive(state, transfer) {
                state.faults.lost_leases -= 1;
            }
            state.rows[transfer].lease_remaining_ms = 0;
        }
        Action::ClockIsSetBack(transfer) => {
            state.faults.clock_jumps -= 1;
            state.rows[transfer].lease_remaining_ms = 100 * LEASE_MS;
        }
        Action::RowIsLost(transfer) => {
            state.faults.lost_rows -= 1;
            state.rows[transfer].is_lost = true;
        }
        Action::Claim(process, transfer) => claim(scenario, state, process, transfer),
        Action::Finish(process, transfer) => {
            let Some(phase) = final_phase(state, process, transfer) else {
                return;
            };
            let work = state.process(process).work[transfer].take();
            let row = &mut state.rows[transfer];
            let owns = work.is_some_and(|work| work.epoch == row.epoch);
            if owns && !row.is_lost && row.phase != Phase::Done {
                row.phase = phase;
            }
        }
        Action::CoordinatorCrashes(process) => {
            state.faults.coordinator_crashes -= 1;
            let memory = state.process(process);
            memory.up = false;
            memory.work.fill(None);
        }
        Action::CoordinatorRestarts(process) => state.process(process).up = true,
        _ => {}
    }
}

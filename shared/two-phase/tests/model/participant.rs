//! The driver of `two_phase::participant`: what accounts-service does, with a few accounts.
//!
//! A crash between a durable step and its answer is the loss of that answer, which the network
//! sees to; what else a crash takes away is what was heard from peers.

#[allow(dead_code)]
#[path = "../../../../services/accounts-service/src/participant/vote.rs"]
pub mod vote;

use two_phase::inquiry::{Peer, conclude};
use two_phase::participant::{PrepareStep, after_vote, on_decision, on_force, on_prepare};
use two_phase::{Acknowledgement, BranchState, Effect, Hazard, Outcome};

use crate::bank;
use crate::ledger::CannotFinish;
use crate::scenario::Scenario;
use crate::state::{Action, Branch, Message, Site, State, Transfer};

/// Does to the money what is asked for. What cannot be done changes nothing.
fn move_money(
    scenario: &Scenario,
    state: &mut State,
    at: Site,
    transfer: Transfer,
    effect: Effect,
) -> Result<(), CannotFinish> {
    if matches!(effect, Effect::Nothing | Effect::Tombstone) {
        return Ok(());
    }
    let participant = state.participant(at);
    let part = &scenario.parts[transfer][&at];
    bank::finish(scenario, participant, at, part, effect)?;
    let branch = &mut participant.branches[transfer];
    if effect == Effect::Apply {
        branch.booked += 1;
    } else {
        branch.released = true;
    }
    Ok(())
}

fn prepare(scenario: &Scenario, state: &mut State, at: Site, transfer: Transfer) {
    let participant = state.participant(at);
    let vote = match on_prepare(participant.branches[transfer].state, true) {
        PrepareStep::Answer(vote) => vote,
        PrepareStep::Examine => {
            let part = &scenario.parts[transfer][&at];
            let (durable, vote) = after_vote(bank::examine(scenario, participant, at, part));
            participant.branches[transfer].state = durable;
            if durable == Some(BranchState::Prepared) {
                asks_around(scenario, state, at, transfer);
            }
            vote
        }
    };
    state.network.send(Message::Voted(transfer, at, vote));
}

/// In doubt from the promise on: the questions are there, and may be delivered at any time.
fn asks_around(scenario: &Scenario, state: &mut State, at: Site, transfer: Transfer) {
    state.network.send(Message::Inquiry(transfer));
    if scenario.peers_may_be_asked {
        for peer in scenario.sites(transfer).filter(|peer| *peer != at) {
            state.network.send(Message::PeerQuestion(transfer, peer));
        }
    }
}

fn decide(
    scenario: &Scenario,
    state: &mut State,
    at: Site,
    transfer: Transfer,
    outcome: Outcome,
) -> Acknowledgement {
    let step = on_decision(state.participants[at].branches[transfer].state, outcome);
    if move_money(scenario, state, at, transfer, step.effect).is_err() {
        let hazard = Hazard::CannotApply;
        return Acknowledgement::Hazard { hazard };
    }
    let branch = state.branch(at, transfer);
    branch.state = step.next;
    branch.heard.clear();
    step.acknowledgement
}

fn is_in_doubt(state: &State, at: Site, transfer: Transfer) -> bool {
    state.participants[at].branches[transfer].state == Some(BranchState::Prepared)
}

/// What a participant does with a message.
fn receives(scenario: &Scenario, state: &mut State, at: Site, message: Message) {
    match message {
        Message::Prepare(transfer, _) => prepare(scenario, state, at, transfer),
        Message::Decision(transfer, _, outcome) => {
            let acknowledgement = decide(scenario, state, at, transfer, outcome);
            let message = Message::Acknowledged(transfer, at, acknowledgement);
            state.network.send(message);
        }
        Message::Answer(transfer, outcome) => {
            decide(scenario, state, at, transfer, outcome);
        }
        Message::PeerQuestion(transfer, _) => {
            let known = state.participants[at].branches[transfer].state;
            let told = known.unwrap_or_else(|| {
                // From now on this participant can never vote yes.
                decide(scenario, state, at, transfer, Outcome::Abort);
                BranchState::Aborted
            });
            state.network.send(Message::PeerAnswer(transfer, at, told));
        }
        Message::PeerAnswer(transfer, peer, told) => {
            let heard = &mut state.branch(at, transfer).heard;
            let news = Peer::Branch(told);
            // Answers overtake each other; a conclusive one is not forgotten for one that is not.
            if conclude(&[news]).is_some() || !heard.contains_key(&peer) {
                heard.insert(peer, news);
            }
        }
        _ => {}
    }
}

fn resolve_with_peers(scenario: &Scenario, state: &mut State, at: Site, transfer: Transfer) {
    let heard = &state.participants[at].branches[transfer].heard;
    let peers: Vec<_> = scenario
        .sites(transfer)
        .filter(|peer| *peer != at)
        .map(|peer| heard.get(&peer).copied().unwrap_or(Peer::Unreachable))
        .collect();
    if let Some(outcome) = conclude(&peers) {
        decide(scenario, state, at, transfer, outcome);
        state.branch(at, transfer).resolved_by_peers = true;
    }
}

/// Whom a message concerns. An answer that finds nobody in doubt any more is of no interest.
fn is_for(state: &State, at: Site, message: Message) -> bool {
    match message {
        Message::Prepare(_, to) | Message::Decision(_, to, _) | Message::PeerQuestion(_, to) => {
            to == at
        }
        Message::Answer(transfer, _) => is_in_doubt(state, at, transfer),
        Message::PeerAnswer(transfer, from, _) => from != at && is_in_doubt(state, at, transfer),
        _ => false,
    }
}

/// What participants might do now.
pub fn actions(state: &State, actions: &mut Vec<Action>) {
    for (at, participant) in state.participants.iter().enumerate() {
        if !participant.up {
            actions.push(Action::ParticipantRestarts(at));
            continue;
        }
        if state.faults.participant_crashes > 0 {
            actions.push(Action::ParticipantCrashes(at));
        }
        for message in state.network.messages() {
            if is_for(state, at, message) {
                actions.push(Action::ReachesParticipant(at, message));
            }
        }
        for transfer in 0..participant.branches.len() {
            if !is_in_doubt(state, at, transfer) {
                continue;
            }
            actions.push(Action::Conclude(at, transfer));
            if state.faults.lost_branches > 0 {
                actions.push(Action::BranchIsLost(at, transfer));
            }
            if state.faults.forced > 0 {
                actions.push(Action::Force(at, transfer, Outcome::Commit));
                actions.push(Action::Force(at, transfer, Outcome::Abort));
            }
        }
    }
}

/// Performs one of [`actions`].
pub fn perform(scenario: &Scenario, state: &mut State, action: Action) {
    match action {
        Action::ReachesParticipant(at, message) => receives(scenario, state, at, message),
        Action::Conclude(at, transfer) => resolve_with_peers(scenario, state, at, transfer),
        Action::Force(at, transfer, outcome) => {
            let before = state.participants[at].branches[transfer].state;
            if let Ok((next, effect)) = on_force(before, outcome) {
                state.faults.forced -= 1;
                move_money(scenario, state, at, transfer, effect).expect("it was promised");
                let branch = state.branch(at, transfer);
                branch.state = Some(next);
                branch.forced = Some(outcome);
                branch.heard.clear();
            }
        }
        Action::BranchIsLost(at, transfer) => {
            state.faults.lost_branches -= 1;
            move_money(scenario, state, at, transfer, Effect::Release).expect("it was promised");
            *state.branch(at, transfer) = Branch::default();
        }
        Action::ParticipantCrashes(at) => {
            state.faults.participant_crashes -= 1;
            let participant = state.participant(at);
            participant.up = false;
            for branch in &mut participant.branches {
                branch.heard.clear();
            }
        }
        Action::ParticipantRestarts(at) => state.participant(at).up = true,
        _ => {}
    }
}

//! One transaction, from its first PREPARE to its last acknowledgement.
//!
//! [`two_phase::Coordinator`] says what to do next; this does it and reports back. Whatever goes
//! wrong here only stops the driver: the transaction stays in the database, and recovery drives
//! it on. So every step may be interrupted, and none may announce what is not durable.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use service_kit::failpoints;
use tokio::sync::watch;
use tokio::time::Instant;
use two_phase::message::{Acknowledgement, Outcome, Prepare, Vote};
use two_phase::planted::{Bug, is_planted};
use two_phase::{Action, Coordinator, Event, Phase};
use types::views::TimelineEvent;
use types::{Code, ParticipantId, TransactionId};

use super::alarm::{contradiction, raise_hazard, shown};
use super::in_flight::{Delivery, Entry};
use super::{Coordination, Decision, Progress};
use crate::record::{Moment, NewTransaction};
use crate::store::decisions::{Decided, Finished, NewDecision};
use crate::store::leases::Claimed;

/// Why a driver stopped before the end. Recovery goes on from what is durable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error("{0}")]
    Step(#[from] super::queues::StepError),
    #[error("{0}")]
    Illegal(#[from] two_phase::coordinator::IllegalEvent),
    #[error("injected failure at {0}")]
    Injected(#[from] failpoints::Injected),
    #[error("another coordinator has taken it over")]
    TakenOver,
    #[error("its row is gone")]
    RowGone,
    #[error("nothing to do, and not at the end")]
    Idle,
    #[error("{0}")]
    Database(#[from] sqlx::Error),
}

/// The driver of one transaction.
pub(crate) struct Drive {
    transaction_id: TransactionId,
    participants: Vec<ParticipantId>,
    machine: Coordinator,
    epoch: i32,
    /// The PREPARE for each participant; empty for a transaction that was taken over.
    prepares: Vec<(ParticipantId, Prepare)>,
    prepare_until: Instant,
    attempts: u32,
    moments: Vec<Moment>,
    decision: Option<Decision>,
    report: watch::Sender<Progress>,
}

impl Drive {
    /// Drives a transaction that was just begun, durably.
    pub(crate) fn begun(
        transaction: NewTransaction,
        prepare_deadline: Duration,
        report: watch::Sender<Progress>,
    ) -> Self {
        let participants = transaction.participants();
        Self {
            transaction_id: transaction.transaction_id,
            participants: participants.clone(),
            machine: Coordinator::begun(participants.iter().cloned()),
            epoch: 1,
            prepares: participants
                .into_iter()
                .filter_map(|participant| {
                    let prepare = prepare_for(&transaction, &participant)?;
                    Some((participant, prepare))
                })
                .collect(),
            prepare_until: Instant::now() + prepare_deadline,
            attempts: 0,
            moments: Vec::new(),
            decision: None,
            report,
        }
    }

    /// Drives a transaction that was taken over, under its new epoch.
    pub(crate) fn recovered(claimed: Claimed, report: watch::Sender<Progress>) -> Self {
        Self {
            transaction_id: claimed.transaction_id,
            participants: claimed.participants.clone(),
            machine: Coordinator::recovered(claimed.participants, claimed.status),
            epoch: claimed.epoch,
            prepares: Vec::new(),
            prepare_until: Instant::now(),
            attempts: 0,
            moments: Vec::new(),
            decision: None,
            report,
        }
    }

    pub(crate) const fn transaction_id(&self) -> TransactionId {
        self.transaction_id
    }

    /// Drives it to its end.
    pub(crate) async fn run(
        mut self,
        coordination: &Arc<Coordination>,
        entry: &Entry,
    ) -> Result<(), Stopped> {
        let result = self.drive(coordination, entry).await;
        if result.is_err() {
            self.report.send_replace(Progress::Elsewhere);
        }
        result
    }

    async fn drive(
        &mut self,
        coordination: &Arc<Coordination>,
        entry: &Entry,
    ) -> Result<(), Stopped> {
        loop {
            let actions = self.machine.next();
            match actions.first() {
                Some(Action::Prepare(participant)) => {
                    let participant = participant.clone();
                    self.prepare(coordination, entry, &participant).await?;
                }
                Some(Action::Decide(outcome, reason)) => {
                    self.decide(coordination, *outcome, *reason).await?;
                }
                Some(Action::Deliver(..)) => self.deliver(coordination, entry, actions).await?,
                Some(Action::Finish(phase)) => {
                    return self.finish(coordination, entry, *phase).await;
                }
                None => return Err(Stopped::Idle),
            }
        }
    }

    /// Asks one participant once. The state machine says whether it is asked again.
    async fn prepare(
        &mut self,
        coordination: &Coordination,
        entry: &Entry,
        participant: &ParticipantId,
    ) -> Result<(), Stopped> {
        if self.attempts > 0 {
            let pause = coordination.timings.prepare_pause(self.attempts);
            tokio::time::sleep(pause).await;
        }
        if Instant::now() >= self.prepare_until {
            return Ok(self.machine.apply(Event::DeadlinePassed)?);
        }
        let own = self.prepares.iter().find(|(of, _)| of == participant);
        let prepare = own
            .map(|(_, prepare)| prepare.clone())
            .ok_or(Stopped::Idle)?;
        failpoints::hit("before_prepare_send").await?;
        self.machine.contacted(participant)?;
        if self.attempts == 0 {
            self.moment(entry, TimelineEvent::PrepareSent, participant);
        }
        let vote = coordination
            .participants
            .prepare(participant, prepare, self.prepare_until)
            .await;
        match vote {
            Some(vote) => {
                self.note_vote(entry, participant, vote);
                self.attempts = match vote {
                    Vote::Busy => self.attempts + 1,
                    Vote::Yes | Vote::No { .. } | Vote::Contradiction => 0,
                };
                self.machine
                    .apply(Event::Voted(participant.clone(), vote))?;
            }
            None => self.attempts += 1,
        }
        Ok(())
    }

    fn note_vote(&mut self, entry: &Entry, participant: &ParticipantId, vote: Vote) {
        let (event, detail) = match vote {
            Vote::Yes => (TimelineEvent::VoteYes, None),
            Vote::No { reason } => (TimelineEvent::VoteNo, Some(reason.to_string())),
            Vote::Contradiction => (TimelineEvent::VoteNo, Some("other content".to_owned())),
            Vote::Busy if self.attempts > 0 => return,
            Vote::Busy => (TimelineEvent::VoteBusy, None),
        };
        let mut moment = Moment::now(event, Some(participant));
        moment.detail = detail;
        self.note(entry, moment);
    }

    /// Makes the outcome durable, or learns that somebody else's is.
    async fn decide(
        &mut self,
        coordination: &Coordination,
        outcome: Outcome,
        reason: Option<Code>,
    ) -> Result<(), Stopped> {
        failpoints::hit("after_votes").await?;
        let decided_at = Utc::now();
        let decision = NewDecision {
            transaction_id: self.transaction_id,
            epoch: self.epoch,
            outcome,
            reason,
            decided_at,
            moments: self.moments.clone(),
            participants: self.participants.clone(),
        };
        let made = Decision {
            outcome,
            reason,
            decided_at,
        };
        if is_planted(Bug::ReplyBeforeDecision) {
            self.report
                .send_replace(Progress::Settled(made, decided_at));
        }
        failpoints::hit("before_decide").await?;
        match coordination.queues.decide(decision).await? {
            Decided::Written => {
                self.moments.clear();
                failpoints::hit("after_decide").await?;
                self.decided(made)?;
                log_decision(self.transaction_id, outcome, reason);
                Ok(())
            }
            // Nothing is decided: the state machine asks for it again.
            Decided::NotInStep => {
                Box::pin(coordination.numbers.in_step(&self.participants)).await;
                Ok(())
            }
            // Whoever wrote it, or took the row over, drives it: obey.
            Decided::Already(..) | Decided::NotOurs => Err(Stopped::TakenOver),
            Decided::Missing => Err(Stopped::RowGone),
        }
    }

    fn decided(&mut self, decision: Decision) -> Result<(), Stopped> {
        self.machine.apply(Event::Decided(decision.outcome))?;
        self.decision = Some(decision);
        self.report.send_replace(Progress::Decided(decision));
        Ok(())
    }

    /// Tells every participant that still has to know, at once, until each has answered.
    async fn deliver(
        &mut self,
        coordination: &Arc<Coordination>,
        entry: &Entry,
        actions: Vec<Action>,
    ) -> Result<(), Stopped> {
        failpoints::hit("before_decision_send").await?;
        let id = self.transaction_id;
        let (mut decided, mut deliveries) = (None, Vec::with_capacity(actions.len()));
        for action in actions {
            if let Action::Deliver(outcome, participant) = action {
                decided = Some(outcome);
                self.moment(entry, sent(outcome), &participant);
                deliveries.push(deliver_one(coordination, entry, id, outcome, participant));
            }
        }
        for (participant, acknowledgement) in join_all(deliveries).await {
            self.moment(entry, TimelineEvent::Acknowledged, &participant);
            if let Some(what) = contradiction(acknowledgement) {
                let mixed = acknowledgement == Acknowledgement::Mixed;
                let result = decided.filter(|_| mixed).map(shown);
                let raised = raise_hazard(&coordination.pool, id, &participant, &what, result);
                // Rare and large: not a part of every driver.
                Box::pin(raised).await?;
            }
            self.machine
                .apply(Event::Acknowledged(participant, acknowledgement))?;
        }
        failpoints::hit("after_acks").await?;
        Ok(())
    }

    /// Reports the end, then writes it: the reply need not wait for a fact that may be lost.
    async fn finish(
        &mut self,
        coordination: &Coordination,
        entry: &Entry,
        phase: Phase,
    ) -> Result<(), Stopped> {
        let settled_at = (phase == Phase::Done).then(Utc::now);
        if let Some(at) = settled_at {
            entry.settled(at);
            if let Some(decision) = self.decision {
                self.report.send_replace(Progress::Settled(decision, at));
            }
        }
        failpoints::hit("before_done").await?;
        let finished = Finished {
            transaction_id: self.transaction_id,
            epoch: self.epoch,
            settled_at,
            moments: std::mem::take(&mut self.moments),
        };
        Ok(coordination.queues.finish(finished).await?)
    }

    fn moment(&mut self, entry: &Entry, event: TimelineEvent, participant: &ParticipantId) {
        self.note(entry, Moment::now(event, Some(participant)));
    }

    /// Seen at once by whoever looks at the transaction here; written with the next durable step.
    fn note(&mut self, entry: &Entry, moment: Moment) {
        entry.happened(moment.clone());
        self.moments.push(moment);
    }
}

fn prepare_for(transaction: &NewTransaction, participant: &ParticipantId) -> Option<Prepare> {
    Some(Prepare {
        transaction_id: transaction.transaction_id,
        currency: transaction.currency?,
        legs: transaction.legs_at(participant),
        debits_owned_by: transaction.debits_owned_by,
        shares: transaction.shares()?,
        descriptions: transaction.descriptions.clone(),
    })
}

const fn sent(outcome: Outcome) -> TimelineEvent {
    match outcome {
        Outcome::Commit => TimelineEvent::CommitSent,
        Outcome::Abort => TimelineEvent::AbortSent,
    }
}

/// Repeats one decision until the participant answers: an acknowledgement that never comes is
/// asked for for ever, and nothing else is concluded from the silence.
async fn deliver_one(
    coordination: &Coordination,
    entry: &Entry,
    id: TransactionId,
    outcome: Outcome,
    participant: ParticipantId,
) -> (ParticipantId, Acknowledgement) {
    let mut attempts = 0;
    loop {
        let answer = coordination
            .participants
            .decide(&participant, outcome, id)
            .await;
        if let Some(acknowledgement) = answer {
            entry.delivery(&participant, Delivery::Answered);
            return (participant, acknowledgement);
        }
        attempts += 1;
        let pause = coordination.timings.backoff(attempts);
        let unanswered = Delivery::Unanswered {
            attempts,
            error: coordination.participants.last_error(&participant),
            next_try_at: Utc::now() + pause,
        };
        entry.delivery(&participant, unanswered);
        tokio::time::sleep(pause).await;
    }
}

fn log_decision(id: TransactionId, outcome: Outcome, reason: Option<Code>) {
    match outcome {
        Outcome::Commit => {
            metrics::counter!("bank_decisions_total", "outcome" => "committed").increment(1);
            tracing::info!(event = "TRANSACTION_COMMITTED", transaction_id = %id);
        }
        Outcome::Abort => {
            metrics::counter!("bank_decisions_total", "outcome" => "aborted").increment(1);
            let reason = reason.map_or("", Code::as_str);
            tracing::info!(event = "TRANSACTION_ABORTED", transaction_id = %id, reason);
        }
    }
}

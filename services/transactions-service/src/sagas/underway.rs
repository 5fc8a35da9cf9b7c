//! Transfers by saga that this process drives, and who waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use saga::SagaId;
use tokio::sync::watch;
use types::{LoginId, ParticipantId};

use crate::coordinator::in_flight::Entry;
use crate::coordinator::{Decision, Progress};

/// What an operator has ordered, for the audit trail.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    pub(crate) actor: LoginId,
    pub(crate) reason: String,
}

/// One of them.
pub(crate) struct Live {
    pub(crate) participants: Vec<ParticipantId>,
    pub(crate) report: watch::Sender<Progress>,
    pub(crate) entry: Entry,
    pub(crate) ordered: Option<Ordered>,
    pub(crate) decision: Option<Decision>,
    pub(crate) settled_at: Option<DateTime<Utc>>,
}

/// All of them. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Underway(Arc<Mutex<HashMap<SagaId, Live>>>);

impl Underway {
    fn all(&self) -> MutexGuard<'_, HashMap<SagaId, Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, saga_id: SagaId, live: Live) {
        self.all().insert(saga_id, live);
    }

    /// It is no longer driven here: whoever waits looks into the database.
    pub(super) fn leave(&self, saga_id: SagaId) {
        let left = self.all().remove(&saga_id);
        if let Some(live) = left {
            let is_settled = matches!(*live.report.borrow(), Progress::Settled(..));
            if !is_settled {
                live.report.send_replace(Progress::Elsewhere);
            }
        }
    }

    /// Who takes part in a transfer; nobody is known of one that is not driven here.
    pub(super) fn participants(&self, saga_id: SagaId) -> Vec<ParticipantId> {
        let all = self.all();
        all.get(&saga_id)
            .map(|live| live.participants.clone())
            .unwrap_or_default()
    }

    /// What an operator has ordered and nobody has written down yet.
    pub(super) fn ordered(&self, saga_id: SagaId) -> Option<Ordered> {
        self.all().get(&saga_id)?.ordered.clone()
    }

    /// The decision is about to be written. Repeated, it stays what it was.
    pub(super) fn deciding(&self, saga_id: SagaId, decision: Decision) -> Decision {
        match self.all().get_mut(&saga_id) {
            Some(live) => *live.decision.get_or_insert(decision),
            None => decision,
        }
    }

    /// When nothing was left to do: now, unless that was before.
    pub(super) fn settling(&self, saga_id: SagaId) -> DateTime<Utc> {
        match self.all().get_mut(&saga_id) {
            Some(live) => *live.settled_at.get_or_insert_with(Utc::now),
            None => Utc::now(),
        }
    }

    /// The decision is durable: whoever waits may know.
    pub(super) fn decided(&self, saga_id: SagaId) {
        if let Some(live) = self.all().get(&saga_id)
            && let Some(decision) = live.decision
        {
            live.report.send_replace(Progress::Decided(decision));
        }
    }

    /// Every bank has done, or undone, its part: whoever waits may know, and reads its own write.
    pub(super) fn settled(&self, saga_id: SagaId) {
        let at = self.settling(saga_id);
        if let Some(live) = self.all().get(&saga_id)
            && let Some(decision) = live.decision
        {
            live.entry.settled(at);
            live.report.send_replace(Progress::Settled(decision, at));
        }
    }
}

//! Which transactions this process drives.
//!
//! An entry lives as long as its driver. What is open in the database, ours and not here has lost
//! its driver, and recovery takes it up again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use types::{ParticipantId, TransactionId};
use uuid::Uuid;

use crate::record::Moment;

type Entries = HashMap<TransactionId, Live>;

/// What a driver knows before it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live {
    /// When every participant had acknowledged.
    pub(crate) settled_at: Option<DateTime<Utc>>,
    /// What has happened so far, written or not.
    pub(crate) moments: Vec<Moment>,
    /// How far the decision has come to each participant.
    pub(crate) deliveries: HashMap<ParticipantId, Delivery>,
}

/// The delivery of a decision to one participant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// It has answered.
    Answered,
    /// It has not.
    Unanswered {
        attempts: u32,
        error: Option<String>,
        next_try_at: DateTime<Utc>,
    },
}

/// The transactions this process drives.
#[derive(Clone)]
pub(crate) struct InFlight {
    entries: Arc<Mutex<Entries>>,
    /// Somebody left, and nobody is there any more.
    left: Arc<Notify>,
    limit: usize,
}

impl InFlight {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            entries: Arc::default(),
            left: Arc::default(),
            limit,
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many more may begin.
    pub(crate) fn has_room_for(&self, more: usize) -> bool {
        self.entries().len() + more <= self.limit
    }

    pub(crate) fn enter(&self, id: TransactionId) -> Entry {
        self.entries().insert(id, Live::default());
        Entry {
            id,
            in_flight: self.clone(),
        }
    }

    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.entries().keys().map(|id| id.uuid()).collect()
    }

    /// Whether this process is at work on it.
    pub(crate) fn drives(&self, id: TransactionId) -> bool {
        self.entries().contains_key(&id)
    }

    /// Ends when nothing is in flight.
    pub(crate) async fn idle(&self) {
        loop {
            // Registered before looking, so that the last one to leave is not missed.
            let left = self.left.notified();
            if self.entries().is_empty() {
                return;
            }
            left.await;
        }
    }

    /// What is known here of these and perhaps not written yet.
    ///
    /// Ask before reading the rows: what is no longer here by then is written, and what is read
    /// twice is easily told. The other way round, what is written in between is in neither.
    pub(crate) fn live(&self, ids: &[TransactionId]) -> HashMap<TransactionId, Live> {
        let entries = self.entries();
        ids.iter()
            .filter_map(|id| Some((*id, entries.get(id)?.clone())))
            .collect()
    }
}

/// A transaction that is being driven; dropping it says that it no longer is.
pub(crate) struct Entry {
    id: TransactionId,
    in_flight: InFlight,
}

impl Entry {
    pub(crate) fn settled(&self, at: DateTime<Utc>) {
        if let Some(live) = self.in_flight.entries().get_mut(&self.id) {
            live.settled_at = Some(at);
        }
    }

    pub(crate) fn delivery(&self, participant: &ParticipantId, delivery: Delivery) {
        if let Some(live) = self.in_flight.entries().get_mut(&self.id) {
            live.deliveries.insert(participant.clone(), delivery);
        }
    }

    pub(crate) fn happened(&self, moment: Moment) {
        if let Some(live) = self.in_flight.entries().get_mut(&self.id) {
            live.moments.push(moment);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut entries = self.in_flight.entries();
        entries.remove(&self.id);
        if entries.is_empty() {
            self.in_flight.left.notify_waiters();
        }
    }
}

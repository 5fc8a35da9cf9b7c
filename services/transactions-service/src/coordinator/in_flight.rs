//! Which transactions this process drives.
//!
//! An entry lives as long as its driver. What is open in the database, ours and not here has lost
//! its driver, and recovery takes it up again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use types::TransactionId;
use uuid::Uuid;

type Entries = HashMap<TransactionId, Option<DateTime<Utc>>>;

/// The transactions this process drives, with the time each was settled while that is not yet
/// written.
#[derive(Clone)]
pub(crate) struct InFlight {
    entries: Arc<Mutex<Entries>>,
    limit: usize,
}

impl InFlight {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            entries: Arc::default(),
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
        self.entries().insert(id, None);
        Entry {
            id,
            in_flight: self.clone(),
        }
    }

    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.entries().keys().map(|id| id.uuid()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries().len()
    }

    /// When it was settled, if that happened here and is not written yet.
    pub(crate) fn settled_at(&self, id: TransactionId) -> Option<DateTime<Utc>> {
        self.entries().get(&id).copied().flatten()
    }
}

/// A transaction that is being driven; dropping it says that it no longer is.
pub(crate) struct Entry {
    id: TransactionId,
    in_flight: InFlight,
}

impl Entry {
    pub(crate) fn settled(&self, at: DateTime<Utc>) {
        self.in_flight.entries().insert(self.id, Some(at));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.in_flight.entries().remove(&self.id);
    }
}

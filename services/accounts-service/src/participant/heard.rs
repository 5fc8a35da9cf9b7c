//! What the last look at the branches in doubt heard, for operators. In memory only: a process that
//! starts again has asked nobody yet, and says so.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use two_phase::BranchState;
use two_phase::console::Decision;
use types::{ParticipantId, TransactionId};

/// What was heard about one transaction.
#[derive(Debug, Clone)]
pub struct Word {
    /// From the coordinators.
    pub decision: Decision,
    /// From the other banks, which are asked only when no coordinator answers.
    pub peers: BTreeMap<ParticipantId, BranchState>,
}

impl Default for Word {
    fn default() -> Self {
        Self {
            decision: Decision::NotAsked,
            peers: BTreeMap::new(),
        }
    }
}

/// The last words about every branch in doubt. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<HashMap<TransactionId, Word>>>);

impl Heard {
    fn words(&self) -> MutexGuard<'_, HashMap<TransactionId, Word>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was heard last; that nobody was asked when nothing was.
    #[must_use]
    pub fn about(&self, id: TransactionId) -> Word {
        self.words().get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn note(&self, id: TransactionId, word: Word) {
        self.words().insert(id, word);
    }

    /// Forgets what is no longer in doubt.
    pub(super) fn keep_only(&self, ids: &HashSet<TransactionId>) {
        self.words().retain(|id, _| ids.contains(id));
    }
}

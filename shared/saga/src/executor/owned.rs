//! Which sagas this process drives. What is ours, open and not here has lost its driver, and
//! recovery takes it up again.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::SagaId;
use crate::machine::Snapshot;
use crate::store::Claimed;

/// The sagas that this process drives.
#[derive(Clone, Default)]
pub(super) struct Driven(Arc<Mutex<HashSet<SagaId>>>);

impl Driven {
    pub(super) fn enter(&self, saga_id: SagaId) -> Entered {
        self.ids().insert(saga_id);
        Entered {
            saga_id,
            driven: self.clone(),
        }
    }

    pub(super) fn list(&self) -> Vec<SagaId> {
        self.ids().iter().copied().collect()
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<SagaId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A saga is, or is about to be, driven by this process. Dropping it says that it no longer is.
#[must_use = "recovery takes over what nobody drives"]
pub struct Entered {
    saga_id: SagaId,
    driven: Driven,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.driven.ids().remove(&self.saga_id);
    }
}

/// A saga to be driven by this process, under its epoch.
#[must_use = "a saga that is not driven waits for recovery"]
pub struct Owned {
    pub(crate) claimed: Claimed,
    /// Somebody may have asked already for what is to be asked.
    pub(super) in_doubt: bool,
    pub(super) _entered: Entered,
}

impl Owned {
    /// The saga.
    #[must_use]
    pub const fn saga_id(&self) -> SagaId {
        self.claimed.saga_id
    }

    /// Its state, as it is kept.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.claimed.record.state
    }

    /// How it stands.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.claimed.record.snapshot
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.claimed.fmt(f)
    }
}

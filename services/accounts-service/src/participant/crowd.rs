//! Whether lists get in each other's way.
//!
//! A list without locks that is overtaken has been worked on for nothing. Where that happens it will
//! happen again: several processes, or tasks, that want the same few accounts. So the lists after it
//! wait for locks instead, for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// After a list was overtaken, so many are worked on with locks.
const CAREFUL_FOR: u32 = 50;

/// Shared by all lists of a participant.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd {
    careful: Arc<AtomicU32>,
}

impl Crowd {
    /// A list was overtaken.
    pub(super) fn overtaken(&self) {
        self.careful.store(CAREFUL_FOR, Ordering::Relaxed);
        metrics::counter!("bank_lists_overtaken_total").increment(1);
    }

    /// Whether the next list may do without locks.
    pub(super) fn is_thin(&self) -> bool {
        let fewer = |careful: u32| careful.checked_sub(1);
        let counted = self
            .careful
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
        counted.is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_overtaken_is_careful_for_a_while() {
        let crowd = Crowd::default();
        assert!(crowd.is_thin());
        crowd.overtaken();
        assert!((0..CAREFUL_FOR).all(|_| !crowd.is_thin()));
        assert!(crowd.is_thin());
    }
}

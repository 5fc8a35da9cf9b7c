//! Deliberate mistakes. They exist only with the feature `planted-bugs` and cost nothing without.
//!
//! A check that never fails proves nothing. Each switch here breaks one rule of the protocol, and
//! a test asserts that some check then fails.

/// One deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// A participant that has not voted counts as one that voted yes.
    MissingVoteCountsAsYes = 1,
    /// An abort for an unknown branch leaves no tombstone, so a late PREPARE is voted on.
    NoTombstone = 2,
    /// A COMMIT that arrives twice is applied twice.
    DoubleApply = 3,
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    static ACTIVE: AtomicU8 = AtomicU8::new(0);

    /// Switches one mistake on for the whole process, and any other off; `None` switches off.
    pub fn plant(bug: Option<Bug>) {
        ACTIVE.store(bug.map_or(0, |bug| bug as u8), Ordering::SeqCst);
    }

    /// Whether the mistake is switched on.
    pub fn is_planted(bug: Bug) -> bool {
        ACTIVE.load(Ordering::SeqCst) == bug as u8
    }

    impl std::str::FromStr for Bug {
        type Err = &'static str;

        fn from_str(name: &str) -> Result<Self, Self::Err> {
            match name {
                "missing_vote_counts_as_yes" => Ok(Self::MissingVoteCountsAsYes),
                "no_tombstone" => Ok(Self::NoTombstone),
                "double_apply" => Ok(Self::DoubleApply),
                _ => Err("no such planted bug"),
            }
        }
    }
}

#[cfg(feature = "planted-bugs")]
pub use switch::{is_planted, plant};

/// Whether the mistake is switched on: never, in this build.
#[cfg(not(feature = "planted-bugs"))]
#[inline]
#[must_use]
pub const fn is_planted(_: Bug) -> bool {
    false
}

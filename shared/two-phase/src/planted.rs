//! Deliberate mistakes. They exist only with the feature `planted-bugs` and cost nothing without.
//!
//! A check that never fails proves nothing. Each switch here breaks one rule, in the code that
//! keeps it, here or in a service; `docs/planted-bugs.md` names for each the check that then
//! fails and the test that sees it fail.

/// The mistakes of this file, their names in settings, and the list of them all.
macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// One deliberate mistake.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Bug {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What it is called in `TRANSACTIONS_PLANTED_BUG` and `ACCOUNTS_PLANTED_BUG`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

bugs! {
    /// A participant that has not voted counts as one that voted yes.
    MissingVoteCountsAsYes = "missing_vote_counts_as_yes",
    /// An abort for an unknown branch leaves no tombstone, so a late PREPARE is voted on.
    NoTombstone = "no_tombstone",
    /// A COMMIT that arrives twice is applied twice.
    DoubleApply = "double_apply",
    /// COMMIT is sent while the decision is still on its way to the database.
    CommitBeforeDecision = "commit_before_decision",
    /// One participant's acknowledgement counts for all of them.
    FirstAcknowledgementSettles = "first_acknowledgement_settles",
    /// Recovery delivers the abort of a pending transaction without writing it.
    RecoveryAbortsUnwritten = "recovery_aborts_unwritten",
    /// An inquiry about a pending transaction is answered "aborted" without writing it.
    InquiryAbortsUnwritten = "inquiry_aborts_unwritten",
    /// A peer that does not answer counts as one that has aborted.
    SilentPeerMeansAbort = "silent_peer_means_abort",
    /// A PREPARE with another amount gets the answer of the first one.
    ContradictionAccepted = "contradiction_accepted",
    /// A COMMIT for a branch that is not there is acknowledged.
    HazardAcknowledged = "hazard_acknowledged",
    /// The vote is given before the database has committed the branch, which it then does not.
    VoteBeforeCommit = "vote_before_commit",
    /// The acknowledgement is given before the database has committed, which it then does not.
    AcknowledgementBeforeCommit = "acknowledgement_before_commit",
    /// A credit that is only announced may be spent.
    UncommittedCreditSpendable = "uncommitted_credit_spendable",
    /// What an unfinished saga has credited may be spent.
    ReservedCreditSpendable = "reserved_credit_spendable",
    /// A saga's step that was undone before it came is performed when it comes late.
    LateStepPerformed = "late_step_performed",
    /// A prepared debit on an escrow account is not held.
    DebitWithoutHold = "debit_without_hold",
    /// An abort leaves the holds behind.
    ReleaseForgetsHold = "release_forgets_hold",
    /// Nobody looks whether another branch has the account for itself.
    LockNotChecked = "lock_not_checked",
    /// BUSY leaves its branch behind, as if it had been promised.
    BusyLeavesBranch = "busy_leaves_branch",
    /// A NO is said and not written.
    RefusalNotWritten = "refusal_not_written",
    /// Several entries on one account raise its version by one.
    VersionRaisedOnce = "version_raised_once",
    /// Of several changes of one account only the first reaches its balance.
    ChangesNotSummed = "changes_not_summed",
    /// A bank that holds only some legs leaves out what it owes the others.
    ClearingLeftOut = "clearing_left_out",
    /// The two sides of a transfer become visible one after the other.
    LegsBookedApart = "legs_booked_apart",
    /// A message that names another bank is taken all the same.
    WrongParticipantAccepted = "wrong_participant_accepted",
    /// What the coordinator does not know is read as aborted.
    UnknownMeansAborted = "unknown_means_aborted",
    /// A peer in doubt is told "aborted" of a branch that never was, and no tombstone is written.
    PeerTombstoneUnwritten = "peer_tombstone_unwritten",
    /// A forced branch whose decision was the other one is acknowledged as if nothing were wrong.
    MixedNotTold = "mixed_not_told",
    /// An outcome is forced whatever the branch has become since the operators looked.
    EvidenceNotCompared = "evidence_not_compared",
    /// The client is answered before the decision is written.
    ReplyBeforeDecision = "reply_before_decision",
    /// The decision is written under whatever epoch the row has by then.
    DecisionIgnoresEpoch = "decision_ignores_epoch",
    /// A request under a key that is taken begins a second time.
    RepeatedKeyBeginsAgain = "repeated_key_begins_again",
    /// The key of a request is written in a later database transaction than what it began.
    KeyWrittenLater = "key_written_later",
    /// A decision that got no answer counts as acknowledged.
    SilenceAcknowledges = "silence_acknowledges",
    /// An account is "not found" although a bank has not answered.
    SilentBankHasNoAccounts = "silent_bank_has_no_accounts",
    /// A key is said to be closed, and nothing stands in the way of whoever comes later.
    ClosedKeyNotWritten = "closed_key_not_written",
    /// Whoever closes the key of a payment takes it back, whether somebody has or not.
    EachClosingReverses = "each_closing_reverses",
    /// A write of a saga's log is taken for durable, and is not.
    SagaLogWriteLost = "saga_log_write_lost",
    /// A bank that does not answer has done its step of a saga.
    SilentStepIsDone = "silent_step_is_done",
    /// A step that one of several banks refuses is not undone at the others.
    RefusedInPartNotUndone = "refused_in_part_not_undone",
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    const NONE: u8 = u8::MAX;

    static ACTIVE: AtomicU8 = AtomicU8::new(NONE);

    /// Switches one mistake on for the whole process, and any other off; `None` switches off.
    pub fn plant(bug: Option<Bug>) {
        ACTIVE.store(bug.map_or(NONE, |bug| bug as u8), Ordering::SeqCst);
    }

    /// Whether the mistake is switched on.
    pub fn is_planted(bug: Bug) -> bool {
        ACTIVE.load(Ordering::SeqCst) == bug as u8
    }

    impl std::str::FromStr for Bug {
        type Err = &'static str;

        fn from_str(name: &str) -> Result<Self, Self::Err> {
            let mut all = Self::ALL.iter().copied();
            all.find(|bug| bug.name() == name)
                .ok_or("no such planted bug")
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

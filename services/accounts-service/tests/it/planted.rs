//! Proof that these tests see: with a mistake planted, the test that is to catch it fails, and says
//! what is wrong.
//!
//! The very same test is run by itself, without the mistake and with it.

use service_kit::testing::assert_catches;
use two_phase::planted::Bug;

/// Each test: the check passes without the mistake, and fails with it in these words.
macro_rules! caught {
    ($($name:ident: $bug:ident by $check:literal in $words:literal;)+) => {$(
        #[test]
        fn $name() {
            assert_catches($check, "ACCOUNTS_PLANTED_BUG", Bug::$bug.name(), $words);
        }
    )+};
}

caught! {
    a_vote_before_the_commit_is_caught: VoteBeforeCommit
        by "prepare::a_yes_is_a_durable_branch_with_holds_and_moves_no_money" in "left: None";
    an_acknowledgement_before_the_commit_is_caught: AcknowledgementBeforeCommit
        by "decisions::a_commit_books_both_sides_and_releases_the_holds" in "left: (\"1000.00\"";
    a_contradiction_that_is_accepted_is_caught: ContradictionAccepted
        by "prepare::case_35_a_prepare_with_another_amount_is_a_contradiction_and_an_alert"
        in "left: Yes";
    a_hazard_that_is_acknowledged_is_caught: HazardAcknowledged
        by "decisions::case_36_a_commit_before_the_prepare_is_a_hazard_and_nothing_is_done"
        in "left: Done";
    an_uncommitted_credit_that_is_spent_is_caught: UncommittedCreditSpendable
        by "prepare::an_announced_credit_is_not_spent_before_it_is_booked" in "left: [None]";
    a_reserved_credit_that_is_spent_is_caught: ReservedCreditSpendable
        by "reserved::case_74_money_credited_by_an_unfinished_saga_is_not_spent" in "left: (\"40.00\"";
    a_late_step_that_is_performed_is_caught: LateStepPerformed
        by "steps::case_70_the_late_action_after_it_has_no_effect" in "left: Done";
    a_debit_without_a_hold_is_caught: DebitWithoutHold
        by "decisions::case_62_of_twenty_open_legs_on_one_account_any_subset_commits"
        in "left: Yes";
    a_release_that_forgets_the_hold_is_caught: ReleaseForgetsHold
        by "decisions::an_abort_releases_the_holds_and_books_nothing"
        in "left: (\"1000.00\", \"40.00\"";
    a_lock_that_nobody_looks_at_is_caught: LockNotChecked
        by "prepare::an_account_that_is_busy_leaves_no_branch_and_the_same_prepare_succeeds_later"
        in "left: [Some(Yes), Some(Yes)]";
    a_branch_that_busy_leaves_behind_is_caught: BusyLeavesBranch
        by "prepare::an_account_that_is_busy_leaves_no_branch_and_the_same_prepare_succeeds_later"
        in "left: Yes";
    a_refusal_that_is_not_written_is_caught: RefusalNotWritten
        by "prepare::a_refusal_is_durable_and_says_the_same_every_time" in "left: Yes";
    a_version_that_is_raised_once_for_many_is_caught: VersionRaisedOnce
        by "linked::holds_are_the_net_and_entries_are_the_legs"
        in "left: (\"975.00\", \"0.00\", \"0.00\", 2)";
    changes_that_are_not_summed_are_caught: ChangesNotSummed
        by "linked::holds_are_the_net_and_entries_are_the_legs" in "left: (\"970.00\"";
    a_clearing_entry_that_is_left_out_is_caught: ClearingLeftOut
        by "clearing::the_first_bank_and_another_settle_with_each_other"
        in "the entries sum to -30";
    legs_that_are_booked_apart_are_caught: LegsBookedApart
        by "concurrency::nobody_who_looks_while_transfers_are_booked_sees_half_of_one"
        in "the balances sum to -1";
    a_message_for_another_bank_that_is_taken_is_caught: WrongParticipantAccepted
        by "messages::a_message_for_another_bank_is_refused_before_anything_is_looked_at"
        in "messages";
    an_unknown_transaction_that_is_aborted_is_caught: UnknownMeansAborted
        by "in_doubt::case_99_a_transaction_that_the_coordinator_forgot_is_a_hazard_and_never_aborted"
        in "resolved: 1";
    a_tombstone_that_a_peer_does_not_write_is_caught: PeerTombstoneUnwritten
        by "in_doubt::a_peer_that_was_never_asked_writes_its_tombstone_first" in "left: None";
    a_mixed_branch_that_nobody_is_told_of_is_caught: MixedNotTold
        by "force::case_101_a_forced_branch_against_the_decision_is_mixed_and_visible"
        in "left: Done";
    evidence_that_is_not_compared_is_caught: EvidenceNotCompared
        by "force::nothing_is_forced_on_evidence_that_has_changed_or_by_one_person"
        in "left: (409, \"conflict\")";
}

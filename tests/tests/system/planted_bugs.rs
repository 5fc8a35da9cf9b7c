//! A check that never fails proves nothing: with a mistake planted, the checks of this harness must
//! fail, and say what is wrong. Where a test of another file is the check, it is run in a process of
//! its own, without the mistake and with it.

use service_kit::testing::assert_catches;
use tests::TestBank;
use two_phase::planted::Bug;

use crate::seed::{ALICE, BOB};

/// The check of the first one: the invariants across all databases, after one transfer.
#[tokio::test]
async fn one_transfer_is_carried_out_at_every_bank_that_takes_part() {
    let bank = TestBank::start().await;
    let alice = bank.alice().await;
    let answer = alice.transfer(ALICE, BOB, "100", "planted").await.unwrap();
    bank.settles().await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    bank.stop().await;
}

/// Each test: the check passes without the mistake, and fails with it in these words.
macro_rules! caught {
    ($($name:ident: $bug:ident by $check:literal in $words:literal;)+) => {$(
        #[test]
        fn $name() {
            assert_catches($check, "TRANSACTIONS_PLANTED_BUG", Bug::$bug.name(), $words);
        }
    )+};
}

caught! {
    a_missing_vote_that_counts_as_yes_is_caught_by_the_invariants: MissingVoteCountsAsYes
        by "planted_bugs::one_transfer_is_carried_out_at_every_bank_that_takes_part"
        in "has not carried it out";
    a_reply_before_the_decision_is_caught: ReplyBeforeDecision
        by "coordinator_leases::case_13_a_coordinator_that_wakes_after_its_lease_changes_nothing"
        in "it reads and obeys";
    a_decision_that_ignores_the_epoch_is_caught: DecisionIgnoresEpoch
        by "coordinator_leases::case_13_a_coordinator_that_was_taken_over_decides_nothing_although_nothing_is_decided"
        in "left: \"\"";
    a_repeated_key_that_begins_again_is_caught: RepeatedKeyBeginsAgain
        by "clients::case_58_one_key_fifty_times_at_once_is_one_transfer"
        in "right: \"990.00\"";
    a_key_that_is_written_later_is_caught: KeyWrittenLater
        by "coordinator_killed::case_02_after_the_begin_row_it_aborts"
        in "left: (201, \"\")";
    a_silence_that_acknowledges_is_caught: SilenceAcknowledges
        by "participant_killed::case_30_dead_after_its_yes_it_commits_when_it_returns"
        in "\"settled\":true";
    a_silent_bank_that_has_no_accounts_is_caught: SilentBankHasNoAccounts
        by "transfers::case_117_a_bank_that_is_down_is_not_an_account_that_is_missing"
        in "account_not_found";
    a_closed_key_that_is_not_written_is_caught: ClosedKeyNotWritten
        by "refunds::case_107_a_refund_that_overtakes_its_payment_leaves_nothing_to_pay"
        in "left: (201, \"\")";
    a_closing_that_reverses_each_time_is_caught: EachClosingReverses
        by "refunds::a_payment_is_taken_back_once_however_often_it_is_asked_for"
        in "right: 2";
    a_write_of_a_sagas_log_that_is_lost_is_caught: SagaLogWriteLost
        by "sagas::a_transfer_by_saga_moves_money_at_one_bank_and_between_two_and_tells_how"
        in "outcome_unknown";
    a_silent_step_that_counts_as_done_is_caught: SilentStepIsDone
        by "sagas::case_75_what_happened_although_its_answer_was_lost_is_undone"
        in "participant_unavailable";
    a_step_refused_in_part_that_is_not_undone_is_caught: RefusedInPartNotUndone
        by "sagas::case_64_a_step_that_is_refused_leaves_everything_as_it_was"
        in "every transaction is done";
}

//! Proof that the model sees: with each mistake planted, some property fails.

use stateright::{Checker, HasDiscoveries, Model};
use two_phase::planted::{Bug, plant};

use crate::scenario::Scenario;
use crate::{PLANTED, scenarios};

/// Takes the mistake out again, whatever happens.
struct Planted;

impl Planted {
    fn new(bug: Bug) -> Self {
        plant(Some(bug));
        Self
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        plant(None);
    }
}

/// Whether the property holds wherever the checker came to within the bound; prints a way to where
/// it does not.
fn holds(scenario: &Scenario, property: &'static str, bug: Option<Bug>) -> bool {
    let _planted = bug.map(Planted::new);
    let checker = scenario
        .clone()
        .checker()
        .finish_when(HasDiscoveries::AnyOf([property].into()))
        // A mistake may have made the states endless.
        .target_state_count(1_000_000)
        .spawn_bfs()
        .join();
    let Some(path) = checker.discovery(property) else {
        return true;
    };
    let steps = path.into_actions();
    println!("{bug:?}: not \"{property}\" after {} steps", steps.len());
    for step in steps {
        println!("  {step:?}");
    }
    false
}

/// Each test: without the mistake the properties hold in the scenario, with it each of them fails.
macro_rules! caught {
    ($($name:ident: $bug:ident in $scenario:ident breaks $($property:literal),+;)+) => {$(
        #[test]
        fn $name() {
            let _alone = PLANTED.write();
            let scenario = scenarios::$scenario();
            for property in [$($property),+] {
                assert!(holds(&scenario, property, None), "{property} without a mistake");
                let bug = Bug::$bug;
                assert!(!holds(&scenario, property, Some(bug)), "{bug:?} went unnoticed");
            }
        }
    )+};
}

caught! {
    a_missing_vote_that_counts_as_yes_is_caught:
        MissingVoteCountsAsYes in peers breaks "all participants agree";
    an_abort_without_a_tombstone_is_caught:
        NoTombstone in peers breaks "all participants agree";
    a_commit_that_is_applied_twice_is_caught:
        DoubleApply in two_alike breaks "legs are booked once or released",
            "the books agree with the branches", "money is conserved";
    a_commit_that_is_sent_before_the_decision_is_durable_is_caught:
        CommitBeforeDecision in peers breaks "all participants agree";
    one_acknowledgement_that_counts_for_all_is_caught:
        FirstAcknowledgementSettles in peers breaks "done means done";
    a_recovery_that_aborts_without_writing_it_is_caught:
        RecoveryAbortsUnwritten in crash breaks "the client is told what is durable";
    an_inquiry_that_is_answered_aborted_without_writing_it_is_caught:
        InquiryAbortsUnwritten in crash breaks "all participants agree";
    a_silent_peer_that_counts_as_one_that_aborted_is_caught:
        SilentPeerMeansAbort in peers breaks "all participants agree";
    a_commit_without_every_yes_is_seen:
        MissingVoteCountsAsYes in peers breaks "nothing commits without every yes";
    a_tombstone_that_is_not_final_is_seen:
        NoTombstone in peers breaks "a tombstone is final";
    a_hazard_that_is_settled_is_seen:
        HazardAcknowledged in lost_promise breaks "a hazard is never settled";
    a_mixed_branch_that_is_settled_as_done_is_seen:
        MixedNotTold in forced breaks "a hazard is never settled";
    an_illegal_subset_of_open_branches_is_seen:
        UncommittedCreditSpendable in one_lives_on_the_other
            breaks "every subset of the open branches is legal";
    a_missing_hold_is_seen:
        DebitWithoutHold in two_alike breaks "the books agree with the branches";
    a_hold_that_stays_is_seen:
        ReleaseForgetsHold in crash breaks "the books agree with the branches";
    two_branches_on_an_exclusive_account_are_seen:
        LockNotChecked in crossing_at_one_bank breaks "an exclusive account has one branch";
    a_bank_that_does_not_sum_to_zero_is_seen:
        ClearingLeftOut in peers breaks "every bank sums to zero";
    a_version_that_is_missing_is_seen:
        VersionRaisedOnce in linked_at_one_bank breaks "the books agree with the branches";
    a_change_that_is_missing_is_seen:
        ChangesNotSummed in linked_at_one_bank breaks "every bank sums to zero";
}

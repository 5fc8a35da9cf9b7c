//! The protocol under a model checker: two coordinator processes on one database, two or three
//! participants, a network that loses, repeats and reorders, and crashes of everybody.
//!
//! What is checked is the code that runs in production: the drivers here do no more than carry
//! plain data between the functions of the crate and a toy database. The network that only grows,
//! and the properties, are those of Gray and Lamport, "Consensus on Transaction Commit" (2006).
//!
//! Votes, holds and books are those of accounts-service: its pure modules are compiled into this
//! program, from the same files. What is modelled and what is not, with the counts: `docs/model.md`.
//!
//! A debug build explores a few small banks within seconds, a release build all of them:
//! `cargo test --release -p two-phase --test model -- --nocapture`.

#[allow(dead_code)]
#[path = "../../../../services/accounts-service/src/account.rs"]
mod account;
#[allow(dead_code)]
#[path = "../../../../services/accounts-service/src/branch.rs"]
mod branch;
#[allow(dead_code)]
#[path = "../../../../services/accounts-service/src/ledger.rs"]
mod ledger;

mod bank;
mod coordinator;
#[cfg(not(debug_assertions))]
mod large_scenarios;
mod part;
mod participant;
#[cfg(feature = "planted-bugs")]
mod planted;
mod properties;
mod scenario;
mod scenarios;
#[cfg(not(debug_assertions))]
mod slow_scenarios;
mod state;

use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use scenario::Scenario;
use stateright::{Checker, Model};

/// Explorations may run side by side, but a planted bug is planted for the whole process.
static PLANTED: RwLock<()> = RwLock::new(());

/// States of all explorations so far.
static TOTAL: AtomicUsize = AtomicUsize::new(0);

/// Explores every state of a scenario.
///
/// Depth first and in one thread: breadth first keeps all that is waiting in memory, and two
/// threads of one checker hinder each other more than two explorations do.
fn explore(scenario: &Scenario) {
    let _nothing_planted = PLANTED.read();
    let started = Instant::now();
    let checker = scenario.clone().checker().spawn_dfs().join();
    let unique = checker.unique_state_count();
    println!(
        "{}: {unique} unique states, {} transitions, depth {}, {:.1} s; {} states in all so far",
        scenario.name,
        checker.state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32(),
        TOTAL.fetch_add(unique, Ordering::Relaxed) + unique,
    );
    checker.assert_properties();
}

macro_rules! explorations {
    ($($(#[$attribute:meta])? $name:ident: $scenario:path;)+) => {$(
        #[test]
        $(#[$attribute])?
        fn $name() {
            explore(&$scenario());
        }
    )+};
}

explorations! {
    two_banks_agree_when_a_coordinator_crashes: scenarios::crash;
    two_banks_agree_when_they_ask_each_other: scenarios::peers;
    a_lost_promise_is_a_hazard_and_never_settled: scenarios::lost_promise;
    an_id_that_nobody_knows_is_never_presumed_aborted: scenarios::lost_row;
    transfers_that_cross_within_a_bank_never_wait_for_each_other: scenarios::crossing_at_one_bank;
    two_that_are_alike_share_an_account: scenarios::two_alike;
    an_uncommitted_credit_is_not_spent: scenarios::one_lives_on_the_other;
    a_linked_batch_passes_money_through_an_empty_account: scenarios::linked_at_one_bank;
    a_forced_branch_ends_mixed_or_as_decided: scenarios::forced;
}

#[cfg(not(debug_assertions))]
explorations! {
    two_banks_agree_when_an_owner_wakes_up_stale: large_scenarios::stale_owner;
    two_banks_agree_when_everybody_crashes: large_scenarios::crash_of_everybody;
    two_banks_agree_when_the_clock_is_set_back: large_scenarios::clock_jump;
    the_unforced_agree_when_an_operator_forces_a_branch: large_scenarios::forced;
    three_banks_agree_when_they_ask_each_other: large_scenarios::three_with_peers;
    three_banks_agree_when_a_coordinator_crashes: large_scenarios::three_with_crash;
    three_banks_agree_when_an_owner_wakes_up_stale: large_scenarios::three_with_stale_owner;
    money_for_one_transfer_is_spent_once: large_scenarios::money_for_one;
    money_that_may_still_be_aborted_is_not_spent: large_scenarios::uncommitted_credit;
    an_exclusive_account_serves_one_transfer_after_the_other: large_scenarios::one_exclusive;
    two_forced_branches_end_mixed_or_as_decided: large_scenarios::forced_twice;
    a_lost_promise_stays_a_hazard_through_crashes: large_scenarios::lost_promise_and_crash;
    transfers_that_cross_between_banks_never_wait_for_each_other: large_scenarios::crossing;
    each_item_of_a_list_is_recovered_by_itself: large_scenarios::list_with_crash;
    a_linked_batch_commits_as_a_whole_on_its_net: large_scenarios::linked_batch;
}

#[cfg(not(debug_assertions))]
explorations! {
    #[ignore = "slow: seven million states, a minute or more"]
    each_item_of_a_list_goes_its_own_way: slow_scenarios::list;
}

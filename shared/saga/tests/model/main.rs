//! Sagas under a model checker: two executors on one log, performers with a barrier, a network
//! that loses, repeats and reorders, crashes, leases that run out under a living owner.
//!
//! What is checked is the code that runs in production: the drivers here only carry plain data
//! between `saga::decide`, `saga::machine`, `saga::barrier` and a toy database.
//!
//! `cargo test --release -p saga --test model -- --nocapture` prints the counts.

mod mistakes;
mod performer;
mod process;
mod properties;
mod refund;
mod scenario;
mod state;

use std::time::Instant;

use scenario::Scenario;
use stateright::{Checker, Model};

/// Explores every state, depth first and in one thread.
fn explore<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + std::fmt::Debug + std::hash::Hash + PartialEq + Send + Sync,
    M::Action: Clone + std::fmt::Debug + PartialEq,
{
    let started = Instant::now();
    let checker = model.checker().spawn_dfs().join();
    println!(
        "{name}: {} unique states, {} transitions, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32(),
    );
    checker.assert_properties();
}

macro_rules! explorations {
    ($($name:ident: $scenario:expr;)+) => {$(
        #[test]
        fn $name() {
            explore(stringify!($name), $scenario);
        }
    )+};
}

explorations! {
    two_steps_end_clean_when_an_executor_crashes: Scenario::two_steps();
    a_pivot_is_never_gone_back_behind: Scenario::pivot();
    a_pivot_is_given_up_only_when_it_never_happened: Scenario::undoable_pivot();
    a_refund_that_overtakes_its_payment_leaves_nothing_paid: refund::Refund::right();
}

#[cfg(not(debug_assertions))]
explorations! {
    three_steps_end_clean_when_an_owner_wakes_up_stale: Scenario::three_steps();
    a_transfer_ends_clean_when_an_owner_wakes_up_stale: Scenario::transfer();
    a_pivot_is_given_up_only_when_it_never_happened_after_a_step: Scenario::undoable_pivot_after_a_step();
    a_stuck_saga_ends_when_an_operator_has_it_try_again: Scenario::stuck();
    a_late_saga_goes_back_and_ends_clean: Scenario::late();
    two_crashes_and_a_lost_lease_end_clean: Scenario::two_crashes();
}

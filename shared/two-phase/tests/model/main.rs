//! The protocol under a model checker: two coordinator processes on one database, two or three
//! participants, a network that loses, repeats and reorders, and crashes of everybody.
//!
//! What is checked is the code that runs in production: the drivers here do no more than carry
//! plain data between the functions of the crate and a toy database. The network that only grows,
//! and the properties, are those of Gray and Lamport, "Consensus on Transaction Commit" (2006).
//!
//! A debug build explores a few small banks within seconds, a release build all of them:
//! `cargo test --release -p two-phase --test model -- --nocapture`.

mod coordinator;
mod participant;
mod properties;
mod scenario;
mod scenarios;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use scenario::Scenario;
use stateright::{Checker, Model};

/// One exploration at a time: each uses every core, and a planted bug is planted for the whole
/// process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Explores every state of a scenario; how many there are.
fn explore(scenario: Scenario) -> usize {
    let name = scenario.name;
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let checker = scenario
        .checker()
        .threads(threads)
        .timeout(std::time::Duration::from_secs(25))
        .spawn_bfs()
        .join();
    println!(
        "{name}: {} unique states, {} generated, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        started.elapsed().as_secs_f32(),
    );
    checker.assert_properties();
    checker.unique_state_count()
}

#[test]
fn t_crash() {
    let _alone = alone();
    explore(scenarios::crash());
}

#[test]
fn t_stale_owner() {
    let _alone = alone();
    explore(scenarios::stale_owner());
}

#[test]
fn t_b1() {
    let _alone = alone();
    explore(scenarios::b1());
}

#[test]
fn t_b2() {
    let _alone = alone();
    explore(scenarios::b2());
}

#[test]
fn t_b2a() {
    let _alone = alone();
    explore(scenarios::b2a());
}

#[test]
fn t_b3() {
    let _alone = alone();
    explore(scenarios::b3());
}

#[test]
fn t_b4() {
    let _alone = alone();
    explore(scenarios::b4());
}

#[test]
fn t_b6() {
    let _alone = alone();
    explore(scenarios::b6());
}

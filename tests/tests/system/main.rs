//! System tests. Every test that carries a number is that case of the fault list (docs/faults.md).
#![allow(clippy::unwrap_used)]

mod bad_links;
mod batches;
mod cash_killed;
mod clients;
mod clocks;
mod comparison_demo;
mod compose;
mod concurrency;
mod console;
mod console_direct;
mod contention;
mod contract;
mod coordinator_killed;
mod coordinator_killed_two_banks;
mod coordinator_leases;
mod crash_demo;
mod databases;
mod desk;
mod disks;
mod fault_tools;
mod history;
mod impostors;
mod interactive;
mod messages;
mod nemesis;
mod no_coordinator;
mod operations;
mod orders;
mod pair;
mod participant_killed;
mod partitions;
mod planted_bugs;
mod refunds;
mod restored;
mod retention;
mod sagas;
mod sagas_killed;
mod sagas_stuck;
mod security;
mod terminal;
mod transfers;

/// The seed accounts.
pub(crate) mod seed {
    pub(crate) const ALICE: &str = "660e8400-e29b-41d4-a716-446655440001";
    pub(crate) const ALICE_2: &str = "660e8400-e29b-41d4-a716-446655440002";
    pub(crate) const BOB: &str = "660e8400-e29b-41d4-a716-446655440003";
    pub(crate) const CAROL: &str = "660e8400-e29b-41d4-a716-446655440004";
}

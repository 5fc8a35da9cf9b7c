//! Where money is: balances, the ledger, and the participant's side of two-phase commit.

pub mod account;
pub mod branch;
pub mod ledger;
pub mod participant;
pub mod store;

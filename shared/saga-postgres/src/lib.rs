//! The log of sagas in PostgreSQL: [`saga::SagaStore`] for whoever owns a database, instead of one
//! in every service.
//!
//! The tables are [`TABLES`], the same text in the migrations of each owner. There are two ways to
//! use them:
//!
//! - [`PgSagaLog`] is a whole log: what arrives together is written in one database transaction.
//! - [`begin_in`] and [`write_in`] write on a connection, so that an owner puts rows of its own into
//!   the same database transaction, and implements `SagaStore` with them.
//!
//! The statements are checked when the tests run and not when they are compiled: what a compiler
//! writes down about the queries of a crate includes those of the crates that depend on it.
//!
//! | where is … | file |
//! |---|---|
//! | the compare-and-set that safety rests on | `write.rs` |
//! | leases, and taking over | `lease.rs`, `claim.rs` |
//! | a saga for people to read | `read.rs`, `view.rs` |

mod claim;
mod lease;
mod log;
mod read;
mod view;
mod write;

pub use claim::{claim, take_stuck};
pub use lease::{ExecutorId, Lease};
pub use log::{PgSagaLog, store_error};
pub use read::{SagaFilter, saga, sagas, stuck};
pub use view::StepNames;
pub use write::{Wrote, begin_in, write_in};

/// The tables, to be copied into a migration of each owner.
pub const TABLES: &str = include_str!("tables.sql");

/// A row says something that cannot be.
fn damaged(what: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("damaged row: {what}").into())
}

/// States as an array literal: an array of arrays must be rectangular, a text of each is not bound
/// by that.
fn literal(steps: &[saga::machine::StepState]) -> String {
    let names: Vec<_> = steps.iter().map(|step| step.as_str()).collect();
    format!("{{{}}}", names.join(","))
}

//! All SQL, one file per table group. Rows are validated again when they are read.

pub mod accounts;
pub mod audit;
pub mod branches;
pub mod check;
mod contents;
pub mod entries;
mod error;
pub mod evidence;
pub mod hazards;
pub mod identity;
pub mod in_doubt;
pub mod numbers;
pub mod parts;
pub mod proposals;
pub mod requests;
pub mod resolutions;
pub mod retention;
mod rows;
pub mod sandbox;
pub mod steps;
pub mod written;

pub use error::StoreError;

/// The schema of `accounts_db`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/accounts");

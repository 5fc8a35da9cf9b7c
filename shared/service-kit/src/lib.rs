//! Plumbing every service needs: configuration, logs, problem documents, strict extractors, tokens,
//! the database pool, failpoints, calls to other services, and serving with graceful shutdown.
//!
//! A service is put together in its `lib.rs::build` and handed to [`serve::run`].

pub mod auth;
pub mod client;
pub mod config;
pub mod context;
pub mod database;
pub mod extract;
pub mod failpoints;
pub mod halving;
pub mod idempotency;
pub mod lists;
pub mod metrics;
pub mod problem;
pub mod program;
pub mod rate_limit;
pub mod retention;
pub mod serve;
pub mod slices;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use problem::{Problem, Result};

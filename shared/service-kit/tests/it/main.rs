//! The kit against a real PostgreSQL and over real connections.

mod bank;
mod client;
mod connections;
mod database;
mod envelope;
mod failpoints;
mod keys;
mod tokens;

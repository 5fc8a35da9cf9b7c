//! What strangers and careless callers send to running services. docs/security.md has the list.

mod abuse;
mod at_rest;
mod authorization;
mod console;
mod input;
mod internal_transfers;
mod matrix;
mod production;
mod secrets;
mod tokens;

//! customer-service over HTTP, on a real port and a real PostgreSQL.

mod bank;
mod configuration;
mod customers;
mod keys;
mod login;
mod logins;
mod program;
mod search;
mod sessions;

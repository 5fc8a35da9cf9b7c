//! Starts a whole bank on this machine: a private PostgreSQL cluster, one role and one database per
//! service, migrations, seed data, and the services themselves as child processes.
//!
//! [`Bank`] is what the system tests and the `stack` program share. The program adds what a person
//! needs: checks, a build with progress, supervision, a bank in the background.

pub mod bank;
pub mod data_dir;
pub mod databases;
pub mod error;
pub mod http;
pub mod leash;
pub mod leftovers;
pub mod logs;
pub mod options;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod state;
pub mod topology;

pub use bank::{Bank, Running};
pub use error::{Error, Result};
pub use options::{ClusterChoice, DatabaseRoute, Options};
pub use ports::PortLease;
pub use rustix::process::Signal;

//! A PostgreSQL server of our own: finding its programs, making a private cluster, running it.

mod cluster;
mod find;
pub mod install;
mod place;
mod unprivileged;

pub use cluster::{Cluster, Purpose, Saved};
pub use find::{Binaries, OLDEST_MAJOR};
pub use unprivileged::Unprivileged;

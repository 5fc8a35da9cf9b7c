//! The harness of the system tests: a whole bank of real processes on a real PostgreSQL, actors
//! who use it through HTTP, faults, and the invariants that must hold whatever happens.
//!
//! Every test gets a bank of its own, with leases and deadlines shortened so that a fault heals
//! within moments. Nothing here sleeps for luck: [`eventually`] asks again until it is so.

mod actor;
mod bank;
mod clock;
mod disk;
mod eventually;
pub mod fault_table;
mod faults;
mod impostor;
mod invariants;
mod money;
pub mod nemesis;
mod network;
mod protocol;
mod proxy;
mod restored;
mod server;

pub use actor::{Actor, Answer, NoAnswer, answer};
pub use bank::{
    ACCOUNTS, ACCOUNTS_2, CUSTOMER, ORDERS, SECOND_COORDINATOR, TRANSACTIONS, TestBank,
};
pub use clock::Clock;
pub use disk::SmallDisk;
pub use eventually::{PATIENCE, eventually};
pub use faults::Failpoint;
pub use impostor::{Asked, Impostor, Lie, http_answer};
pub use money::{amount, minus, plus};
pub use network::{DATABASE, Network};
pub use protocol::Messenger;
pub use proxy::{Flow, Proxy};
pub use restored::Copy;
pub use server::Server;

//! Two-phase commit as pure functions.
//!
//! Nothing here can reach a database or a network: this crate has no dependency that could. A
//! driver feeds these functions what it read and performs what they return, *after* the commit
//! that makes it durable. The model checker runs the same functions (`tests/model`).
//!
//! | question | file |
//! |---|---|
//! | commit or abort? | [`decision`] |
//! | what does a coordinator do next? | [`coordinator`] |
//! | what does a participant do with a message? | [`participant`] |
//! | what does a recovering coordinator do? | [`recovery`] |
//! | what is a participant in doubt told, and what does it make of its peers? | [`inquiry`] |
//! | has one of two databases lost its last commits? | [`numbers`] |
//! | what may be deleted, and when? | [`retention`] |
//! | what crosses the wire? | [`message`]; for a transfer by saga, [`steps`] |
//! | what is an operator told about a transaction in doubt? | [`console`] |
//!
//! The protocol is Gray's two-phase commit (Gray 1978; Bernstein, Hadzilacos and Goodman 1987,
//! chapter 7) with a durable begin, so that a missing coordinator record is never read as an
//! answer.

pub mod console;
pub mod coordinator;
pub mod decision;
pub mod inquiry;
pub mod message;
pub mod messages;
pub mod numbers;
pub mod participant;
pub mod planted;
pub mod recovery;
pub mod retention;
pub mod steps;

pub use coordinator::{Action, Coordinator, Event, Phase};
pub use decision::{Ballot, Verdict, decide};
pub use message::{Acknowledgement, Hazard, Outcome, Vote};
pub use participant::{BranchState, Effect};

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

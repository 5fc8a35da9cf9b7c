//! A bank that is used while everything that can go wrong does, and what is left to be found fault
//! with: faults drawn from a seed, clients that write down what they see, invariants looked at while
//! it runs, and a check of the whole history at the end.

mod answers;
mod fault;
mod finals;
mod ground;
mod load;
mod perform;
mod random;
mod recorder;
mod recovery;
mod report;
mod run;
mod schedule;
mod verdicts;
mod watch;
mod wishes;
mod world;

pub use fault::{Fault, Kind, Weather};
pub use report::Report;
pub use run::{Settings, run};
pub use schedule::{Planned, schedule};

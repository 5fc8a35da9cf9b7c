//! Sagas: steps that cannot share a database transaction, done in order, or undone in reverse.
//!
//! A saga (Garcia-Molina and Salem 1987) is a list of steps over one typed state. Each has an
//! action and a compensation; an optional *pivot* is the step behind which it only goes forward.
//! Every transition is in the saga log before its effect is asked for, so that any process can go
//! on where another one died.
//!
//! | question | file |
//! |---|---|
//! | which transitions are there? | [`machine`] |
//! | what happens next? | [`decide`] |
//! | how is a saga written? | [`definition`], [`options`] |
//! | what does a log have to promise? | [`store`] |
//! | who writes, asks and decides again? | [`executor`] |
//! | who goes on when that one is gone? | [`recovery`] |
//! | what can a person do about a stuck saga? | [`operator`] |
//! | how does an effect happen once, and a late one never? | [`barrier`] |
//! | how is a saga tested? | `testing`, with the feature of that name |
//!
//! Nothing here can reach a database or a network. [`machine`], [`decide`] and [`barrier`] are pure
//! functions, and a model checker runs them (`tests/model`).

pub mod answer;
pub mod barrier;
pub mod clock;
pub mod decide;
pub mod definition;
pub mod executor;
pub mod ids;
pub mod machine;
#[cfg(feature = "testing")]
pub mod memory;
pub mod operator;
pub mod options;
pub mod recovery;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use answer::{Answer, Reason, Verdict};
pub use decide::Command;
pub use definition::{Call, Definition, DefinitionError, State, Step};
pub use executor::{Executor, Finished, Owned, Stopped};
pub use ids::{Direction, OperationId, SagaId};
pub use machine::{Event, Snapshot, Status, StepState};
pub use options::{Backoff, Options};
pub use store::SagaStore;

/// Runs the README's example.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../README.md")]
struct Readme;

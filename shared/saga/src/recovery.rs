//! Recovery: sagas that nobody drives are taken over and driven to their end.
//!
//! The race it survives: an executor is stopped (not dead) beyond its lease, this loop takes its
//! saga over and compensates it, then the stopped one wakes and goes forward. Taking over raises
//! the epoch, and every write of the log is a compare-and-set on it, so the late one changes no row
//! and nothing it would have led to is asked for. What it had asked for *before* may still arrive:
//! the performer's barrier refuses it, because the compensation has closed that operation. Two
//! loops that claim at once are kept apart by the store (`FOR UPDATE SKIP LOCKED`).

use std::time::Duration;

use tokio::sync::watch;

use crate::definition::State;
use crate::executor::{Executor, Owned};
use crate::store::{SagaStore, StoreError};

/// Bounds of the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How often it looks. Well below the lease, which it renews.
    pub tick: Duration,
    /// Taken over in one go; a full one is followed by the next at once.
    pub limit: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
            limit: 2_000,
        }
    }
}

/// Runs until `stop` says so. What is taken over goes to `spawn`, which has it driven in a task of
/// its own; what goes wrong goes to `report`.
pub async fn run<S: State, L: SagaStore>(
    executor: &Executor<S, L>,
    pace: Pace,
    spawn: impl Fn(Owned) + Send,
    report: impl Fn(StoreError) + Send,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let pause = match executor.take_over(pace.limit).await {
            Ok(taken) => {
                let is_full = taken.len() == pace.limit;
                taken.into_iter().for_each(&spawn);
                if is_full { Duration::ZERO } else { pace.tick }
            }
            Err(error) => {
                report(error);
                pace.tick
            }
        };
        let stopped = crate::clock::within(
            Box::pin(tokio::time::sleep(pause)),
            // A sender that is gone cannot say so any more: that is a stop, too.
            async { drop(stop.wait_for(|stop| *stop).await) },
        );
        if stopped.await.is_some() {
            return;
        }
    }
}

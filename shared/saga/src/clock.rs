//! Time, so that a test can have its own.

use std::fmt::Debug;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// Something to wait for.
pub type Timer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What an executor knows of time: how long things take, never what o'clock it is.
pub trait Clock: Debug + Send + Sync {
    /// Monotonic.
    fn now(&self) -> Instant;

    /// Ends when this much time has passed: a wait between attempts.
    fn pause(&self, length: Duration) -> Timer;

    /// Ends when an answer has been waited for this long.
    fn patience(&self, length: Duration) -> Timer;
}

/// Tokio's.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn pause(&self, length: Duration) -> Timer {
        if length.is_zero() {
            // Tokio's shortest sleep is a millisecond.
            return Box::pin(std::future::ready(()));
        }
        Box::pin(tokio::time::sleep(length))
    }

    fn patience(&self, length: Duration) -> Timer {
        Box::pin(tokio::time::sleep(length))
    }
}

/// What the future gives, or `None` if the timer ends before it.
pub(crate) async fn within<F: Future>(mut timer: Timer, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // The answer first: one that is there is never thrown away for being late.
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        timer.as_mut().poll(context).map(|()| None)
    })
    .await
}

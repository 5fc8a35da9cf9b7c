//! Time that passes by itself as soon as somebody waits for it.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::{Clock, Timer};

/// A clock that a wait moves on. Hours of retries take no time, and the same run takes the same
/// hours every time.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    started: Instant,
    passed_us: Arc<AtomicU64>,
    is_impatient: bool,
}

impl SimulatedClock {
    /// Every answer is waited for until it comes, however long: for performers that do come back.
    #[must_use]
    pub fn patient() -> Self {
        Self {
            started: Instant::now(),
            passed_us: Arc::default(),
            is_impatient: false,
        }
    }

    /// An answer that is not there at once has timed out: for performers that never come back.
    #[must_use]
    pub fn impatient() -> Self {
        Self {
            is_impatient: true,
            ..Self::patient()
        }
    }

    /// How much time has passed.
    #[must_use]
    pub fn passed(&self) -> Duration {
        Duration::from_micros(self.passed_us.load(Ordering::SeqCst))
    }

    /// Lets time pass.
    pub fn advance(&self, length: Duration) {
        let length = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.passed_us.fetch_add(length, Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        self.started + self.passed()
    }

    fn pause(&self, length: Duration) -> Timer {
        let clock = self.clone();
        let mut has_yielded = false;
        Box::pin(poll_fn(move |context| {
            // Whoever runs beside this one has its turn first.
            if !std::mem::replace(&mut has_yielded, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            clock.advance(length);
            Poll::Ready(())
        }))
    }

    fn patience(&self, length: Duration) -> Timer {
        if !self.is_impatient {
            return Box::pin(pending());
        }
        let clock = self.clone();
        Box::pin(async move { clock.advance(length) })
    }
}

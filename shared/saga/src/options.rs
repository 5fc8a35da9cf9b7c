//! How long a saga may take, and how often it tries.

use std::time::Duration;

use crate::ids::OperationId;

/// Bounds of a saga. A step may have retries and an attempt time-out of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long the whole saga may take until its pivot; behind it there is no way back.
    pub timeout: Duration,
    /// A saga that takes longer goes back. Otherwise it gets stuck: an operator decides.
    pub compensate_on_timeout: bool,
    /// How long an answer is waited for. What has not come by then is unknown, not failed.
    pub attempt_timeout: Duration,
    /// How often a step is asked for again by one executor before it counts as failing.
    ///
    /// Not durable: an executor that takes over begins to count anew.
    pub retries: u32,
    /// How often a compensation is asked for again before the saga is stuck. More than `retries`,
    /// because what follows is work for a person.
    pub compensation_retries: u32,
    /// Waits between attempts.
    pub backoff: Backoff,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            compensate_on_timeout: true,
            attempt_timeout: Duration::from_secs(2),
            retries: 3,
            compensation_retries: 10,
            backoff: Backoff::default(),
        }
    }
}

/// Capped exponential waits with jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first attempt; it doubles from there.
    pub first: Duration,
    /// No wait is longer.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(50),
            cap: Duration::from_secs(5),
        }
    }
}

impl Backoff {
    /// How long to wait after this many attempts (at least 1): between half of the exponential
    /// value and all of it.
    ///
    /// The jitter comes from the operation's id, which no two sagas share: it needs no random
    /// numbers, and a test that repeats itself waits as long as before.
    #[must_use]
    pub fn wait(&self, operation: OperationId, attempts: u32) -> Duration {
        let doubled = 1_u32
            .checked_shl(attempts.saturating_sub(1))
            .unwrap_or(u32::MAX);
        let longest = self.first.saturating_mul(doubled).min(self.cap);
        let half = longest / 2;
        let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        let (high, low) = operation.uuid().as_u64_pair();
        // Another part of the id for each attempt, or two that start together stay together.
        let noise = (high ^ low).rotate_left(attempts.wrapping_mul(7) % 64);
        half + Duration::from_micros(noise % spread.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Direction, SagaId};

    fn waits(backoff: Backoff, attempts: u32) -> Vec<Duration> {
        let operation = |step: u32| {
            let saga = SagaId::from_uuid(uuid::Uuid::from_u128(1));
            OperationId::new(saga, &step.to_string(), Direction::Action)
        };
        (0..100)
            .map(|step| backoff.wait(operation(step), attempts))
            .collect()
    }

    #[test]
    fn a_wait_doubles_up_to_its_cap_and_is_never_less_than_half() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            cap: Duration::from_secs(1),
        };
        for (attempts, longest) in [
            (1, 100),
            (2, 200),
            (4, 800),
            (5, 1_000),
            (40, 1_000),
            (u32::MAX, 1_000),
        ] {
            let longest = Duration::from_millis(longest);
            for wait in waits(backoff, attempts) {
                assert!(
                    wait <= longest && wait >= longest / 2,
                    "{attempts}: {wait:?}"
                );
            }
        }
    }

    #[test]
    fn sagas_that_fail_together_do_not_try_again_together() {
        let mut waits = waits(Backoff::default(), 6);
        waits.sort();
        waits.dedup();
        assert!(waits.len() > 90, "{}", waits.len());
    }

    #[test]
    fn no_backoff_is_no_wait() {
        let none = Backoff {
            first: Duration::ZERO,
            cap: Duration::ZERO,
        };
        assert!(waits(none, 3).iter().all(Duration::is_zero));
    }
}

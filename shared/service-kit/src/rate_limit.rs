//! Rate limits: so many per second for each caller, with one second's worth at once.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Mutex;
use std::time::Instant;

use types::Code;

use crate::Problem;

/// Locks are shared by this many groups of callers, so that cores seldom wait for each other.
const SHARDS: usize = 16;

/// Idle callers are forgotten once a shard knows this many; it bounds the memory an attacker with
/// many addresses can take.
const CALLERS_PER_SHARD: usize = 4_096;

/// Limits each caller on its own (generic cell rate algorithm, ITU-T I.371).
#[derive(Debug)]
pub struct RateLimit {
    /// Nanoseconds that one request uses up.
    cost: u64,
    started: Instant,
    hasher: RandomState,
    /// For each caller, when it will have used up what it was given, in nanoseconds since `started`.
    shards: [Mutex<HashMap<u64, u64>>; SHARDS],
}

const SECOND: u64 = 1_000_000_000;

impl RateLimit {
    /// A limit of `per_second` requests per second for each caller; 0 means none are let through.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self {
            cost: SECOND
                .checked_div(u64::from(per_second))
                .unwrap_or(u64::MAX)
                .max(1),
            started: Instant::now(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::new(HashMap::new())),
        }
    }

    /// Counts one request of `caller`.
    ///
    /// # Errors
    /// 429 `rate_limited` with `Retry-After` when it had its share; then nothing was counted.
    pub fn check(&self, caller: impl Hash) -> Result<(), Problem> {
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.check_at(caller, now).map_err(|wait| {
            Problem::new(Code::RateLimited)
                .detail("Too many requests; nothing was begun.")
                .retry_after(wait.div_ceil(SECOND))
        })
    }

    /// As [`RateLimit::check`] at a given time; the error is how long to wait. Nanoseconds.
    fn check_at(&self, caller: impl Hash, now: u64) -> Result<(), u64> {
        let key = self.hasher.hash_one(caller);
        let index = usize::try_from(key % SHARDS as u64).unwrap_or(0);
        let mut shard = self.shards[index]
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if shard.len() >= CALLERS_PER_SHARD && !shard.contains_key(&key) {
            shard.retain(|_, used_until| *used_until > now);
            if shard.len() >= CALLERS_PER_SHARD {
                shard.clear();
            }
        }
        let used_until = shard.get(&key).copied().unwrap_or(0).max(now);
        let after = used_until.saturating_add(self.cost);
        let limit = now.saturating_add(SECOND);
        if after > limit {
            return Err(after - limit);
        }
        shard.insert(key, after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_may_use_a_second_s_worth_at_once_and_then_its_rate() {
        let limit = RateLimit::new(10);
        let passed = (0..20)
            .filter(|_| limit.check_at("alice", 0).is_ok())
            .count();
        assert_eq!(passed, 10);
        assert_eq!(limit.check_at("alice", SECOND / 20), Err(SECOND / 20));
        assert_eq!(limit.check_at("alice", SECOND / 10), Ok(()));
    }

    #[test]
    fn one_caller_does_not_use_up_another_s_share() {
        let limit = RateLimit::new(1);
        assert_eq!(limit.check_at("alice", 0), Ok(()));
        assert!(limit.check_at("alice", 0).is_err());
        assert_eq!(limit.check_at("bob", 0), Ok(()));
    }

    #[test]
    fn many_callers_do_not_take_unbounded_memory() {
        let limit = RateLimit::new(1);
        for caller in 0..200_000_u32 {
            assert_eq!(limit.check_at(caller, 0), Ok(()));
        }
        let kept: usize = limit
            .shards
            .iter()
            .map(|s| s.lock().expect("lock").len())
            .sum();
        assert!(kept <= SHARDS * CALLERS_PER_SHARD);
    }
}

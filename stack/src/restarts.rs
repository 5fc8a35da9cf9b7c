//! When to start again what has ended.

use std::{collections::BTreeMap, time::Duration};

/// Who ran this long was well, and begins anew.
const WELL: Duration = Duration::from_secs(10);

/// At once, because most ends are accidents; then slower, because a process that ends as soon as it
/// is started needs something that takes time. The longest stays below the 5 s that are promised.
const DELAYS: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// How often each process has ended shortly after its start, one time after the other.
#[derive(Debug, Default)]
pub struct Restarts(BTreeMap<String, usize>);

impl Restarts {
    /// How long to wait before `name`, which ran for `age`, is started again.
    pub fn delay(&mut self, name: &str, age: Duration) -> Duration {
        let ends = self.0.entry(name.to_owned()).or_default();
        if age >= WELL {
            *ends = 0;
        }
        let delay = DELAYS[(*ends).min(DELAYS.len() - 1)];
        *ends += 1;
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_restart_is_at_once_and_later_ones_never_wait_five_seconds() {
        let mut restarts = Restarts::default();
        let short = Duration::from_secs(1);
        let delays: Vec<_> = (0..8)
            .map(|_| restarts.delay("a", short).as_millis())
            .collect();
        assert_eq!(delays, [50, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
        assert_eq!(restarts.delay("b", short).as_millis(), 50);
        assert_eq!(restarts.delay("a", WELL).as_millis(), 50);
    }
}

//! The loop that deletes what is long finished, in each service.
//!
//! The race it survives: payments come in while a week's rows are deleted. One database transaction
//! that deletes them all would hold its locks and keep every version of every row for as long as it
//! takes, and the disk would be busy with nothing else. So a sweep is made of batches, one after the
//! other, each a short database transaction of its own, with a pause after each; and a process that
//! stops in between has lost nothing: the next sweep begins anew.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use uuid::Uuid;

use crate::metrics::DELETED;

/// Rows of one batch: few enough to be gone within milliseconds.
pub const BATCH: usize = 1_000;

/// When to sweep.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two sweeps.
    pub tick: Duration,
    /// After each batch.
    pub pause: Duration,
}

/// Rows that were deleted, by table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted(BTreeMap<&'static str, u64>);

impl Deleted {
    /// So many rows of one table.
    #[must_use]
    pub fn of(table: &'static str, rows: u64) -> Self {
        Self::default().and(table, rows)
    }

    /// And so many of another one.
    #[must_use]
    pub fn and(mut self, table: &'static str, rows: u64) -> Self {
        if rows > 0 {
            *self.0.entry(table).or_default() += rows;
        }
        self
    }

    /// All rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.0.values().sum()
    }

    /// Adds what another batch has deleted.
    pub fn add(&mut self, more: &Self) {
        for (table, rows) in &more.0 {
            *self.0.entry(table).or_default() += rows;
        }
    }
}

impl Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (table, rows)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{table} {rows}")?;
        }
        Ok(())
    }
}

/// What deletes.
pub trait Sweeper: Send {
    /// What can go wrong.
    type Error: Display + Send;

    /// Deletes the next batch, if there is one, and says what; durable when it returns. `None`: the
    /// sweep is over, and the next call begins another one. So does the one after an error.
    fn batch(&mut self) -> impl Future<Output = Result<Option<Deleted>, Self::Error>> + Send;
}

/// Sweeps again and again, until `stop` says so; a batch that is under way is finished first.
pub async fn run(mut sweeper: impl Sweeper, pace: Pace, mut stop: watch::Receiver<bool>) {
    loop {
        if waits(pace.tick, &mut stop).await || sweep(&mut sweeper, pace, &mut stop).await {
            return;
        }
    }
}

/// One sweep; whether it was told to stop.
async fn sweep(sweeper: &mut impl Sweeper, pace: Pace, stop: &mut watch::Receiver<bool>) -> bool {
    let mut all = Deleted::default();
    let stopped = loop {
        match sweeper.batch().await {
            Ok(Some(deleted)) => {
                count(&deleted);
                all.add(&deleted);
            }
            Ok(None) => break false,
            Err(error) => {
                tracing::warn!(event = "RETENTION_INTERRUPTED", %error);
                break false;
            }
        }
        if waits(pace.pause, stop).await {
            break true;
        }
    };
    if all.rows() > 0 {
        tracing::info!(event = "OLD_ROWS_DELETED", rows = all.rows(), tables = %all);
    }
    stopped
}

fn count(deleted: &Deleted) {
    for (table, rows) in &deleted.0 {
        metrics::counter!(DELETED, "table" => *table).increment(*rows);
    }
}

/// Waits; whether it was told to stop. A sender that is gone cannot say so any more: that is a stop,
/// too.
async fn waits(pause: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => true,
        () = tokio::time::sleep(pause) => false,
    }
}

/// The time, as ids tell it: since 1970. Zero for a clock that is set earlier.
#[must_use]
pub fn since_1970() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

/// Every id that was made earlier than this long ago is smaller (UUIDv7, RFC 9562).
#[must_use]
pub fn first_id_since(age: Duration) -> Uuid {
    let since = since_1970().saturating_sub(age);
    Uuid::from_u128(since.as_millis() << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers in turn; tells when it has nothing left to say.
    struct Script {
        answers: std::vec::IntoIter<Result<Option<Deleted>, &'static str>>,
        told: watch::Sender<bool>,
        calls: watch::Sender<usize>,
    }

    impl Sweeper for Script {
        type Error = &'static str;

        async fn batch(&mut self) -> Result<Option<Deleted>, &'static str> {
            self.calls.send_modify(|calls| *calls += 1);
            self.answers.next().unwrap_or_else(|| {
                self.told.send_replace(true);
                Ok(None)
            })
        }
    }

    const AT_ONCE: Pace = Pace {
        tick: Duration::ZERO,
        pause: Duration::ZERO,
    };

    fn script(
        answers: Vec<Result<Option<Deleted>, &'static str>>,
    ) -> (Script, watch::Receiver<bool>, watch::Receiver<usize>) {
        let (told, stop) = watch::channel(false);
        let (calls, called) = watch::channel(0);
        let answers = answers.into_iter();
        let script = Script {
            answers,
            told,
            calls,
        };
        (script, stop, called)
    }

    #[tokio::test]
    async fn a_sweep_that_fails_is_followed_by_another_one() {
        let some = || Ok(Some(Deleted::of("branches", 3)));
        let answers = vec![some(), Err("no coordinator"), some(), Ok(None), some()];
        let (script, stop, called) = script(answers);
        run(script, AT_ONCE, stop).await;
        assert_eq!(*called.borrow(), 6);
    }

    #[tokio::test]
    async fn a_sweep_ends_between_two_batches_when_the_service_stops() {
        let (script, stop, called) = script(vec![Ok(Some(Deleted::of("branches", 3))); 5]);
        script.told.send_replace(true);
        run(script, AT_ONCE, stop).await;
        assert_eq!(*called.borrow(), 0);
    }

    #[test]
    fn what_was_deleted_is_told_by_table() {
        let mut all = Deleted::of("transactions", 2).and("sagas", 0);
        all.add(&Deleted::of("transfer_legs", 4).and("transactions", 1));
        assert_eq!(all.to_string(), "transactions 3, transfer_legs 4");
        assert_eq!(all.rows(), 7);
    }

    #[test]
    fn an_id_of_before_is_smaller_and_one_of_now_is_greater() {
        let hour = Duration::from_secs(3_600);
        let first = first_id_since(hour);
        assert!(first < Uuid::now_v7());
        assert!(first_id_since(hour * 2) < first);
    }
}

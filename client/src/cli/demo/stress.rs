//! Many transfers at once, timed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use types::views::Locking;
use types::{AccountId, Balance};

use super::stage::{Stage, outcome};
use crate::cli::failure::Failure;

/// What came of a number of transfers of 10 that were sent at once.
pub struct Stress {
    pub locking: Locking,
    pub count: usize,
    /// How often each outcome.
    pub outcomes: BTreeMap<String, usize>,
    /// Sorted.
    latencies: Vec<Duration>,
    pub wall: Duration,
    pub before: Balance,
    pub after: Balance,
    pub arrived: Balance,
}

impl Stress {
    pub fn committed(&self) -> usize {
        self.outcomes.get("committed").copied().unwrap_or(0)
    }

    /// The latency that `percent` of the transfers did not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }

    /// The total is what it was, what arrived is what committed, and nobody is left in doubt.
    pub fn is_right(&self) -> bool {
        let unknown = ["unknown", "unreachable"];
        let arrived: Option<Balance> = format!("{}", self.committed() * 10).parse().ok();
        self.before == self.after
            && arrived == Some(self.arrived)
            && !unknown.iter().any(|word| self.outcomes.contains_key(*word))
    }

    pub fn others(&self) -> String {
        let others = self
            .outcomes
            .iter()
            .filter(|(word, _)| *word != "committed");
        let others: Vec<_> = others.map(|(word, n)| format!("{n} {word}")).collect();
        if others.is_empty() {
            "-".to_owned()
        } else {
            others.join(", ")
        }
    }
}

/// The latency that `percent` of these did not exceed; they are sorted.
pub fn percentile(latencies: &[Duration], percent: usize) -> Duration {
    let rank = (latencies.len() * percent).div_ceil(100).max(1);
    latencies.get(rank - 1).copied().unwrap_or_default()
}

/// Opens two accounts, the first with just enough, and sends `count` transfers of 10 at once.
pub async fn stress(stage: &Stage, locking: Locking, count: usize) -> Result<Stress, Failure> {
    let opening = format!("{}", count * 10);
    let source = stage.open(&opening, locking, 0).await?;
    let sink = stage.open("0", locking, 0).await?;
    let before = total(stage, source, sink).await?;
    let begun = Instant::now();
    let timed = (0..count).map(|n| async move {
        let begun = Instant::now();
        let result = stage
            .transfer(source, sink, "10", &format!("stress {n}"))
            .await;
        (outcome(&result), begun.elapsed())
    });
    let results = join_all(timed).await;
    let wall = begun.elapsed();
    let mut outcomes = BTreeMap::new();
    for (word, _) in &results {
        *outcomes.entry(word.clone()).or_default() += 1;
    }
    let mut latencies: Vec<_> = results.into_iter().map(|(_, latency)| latency).collect();
    latencies.sort();
    Ok(Stress {
        locking,
        count,
        outcomes,
        latencies,
        wall,
        before,
        after: total(stage, source, sink).await?,
        arrived: stage.account(sink).await?.balance,
    })
}

async fn total(stage: &Stage, one: AccountId, two: AccountId) -> Result<Balance, Failure> {
    let (one, two) = (stage.account(one).await?, stage.account(two).await?);
    let total = one.balance.plus(two.balance);
    total.ok_or_else(|| Failure::Refused("The balances are too large to add up.".into()))
}

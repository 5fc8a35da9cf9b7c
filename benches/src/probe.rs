//! What is measured in every round, one after the other: the bank and its yardsticks in turn, so
//! that a machine that is slower for a while is slower for both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::bank::{Measurable, TRANSACTIONS};
use crate::failure::Failure;
use crate::load::{Load, Measured, Pace, Work};
use crate::peer::{Peer, PeerTransfers};
use crate::work::{Batches, Pairs, Transfers};
use crate::yardstick::{Script, Yardstick};

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// pgbench, five statements: transfers per second.
    Statements,
    /// pgbench, one stored function.
    Function,
    /// pgbench, 500 transfers in set-based statements.
    SetBased,
    /// pgbench, everybody pays one account.
    StatementsHot,
    /// pgbench over one connection: milliseconds.
    StatementsAlone,
    /// The bank, 64 connections, random pairs.
    Transfers,
    /// The same as sagas.
    Sagas,
    /// The peer, 64 connections, random pairs.
    Peer,
    /// The bank, batches of 500.
    Batches,
    /// The bank, everybody pays one account.
    Hot,
    /// The bank, one connection: the median in milliseconds.
    Alone,
    /// The bank at half of what it can do: the 99th percentile in milliseconds.
    HalfLoad,
    /// Two banks, every transfer crossing.
    Crossing,
    /// The large bank, 64 connections, random pairs.
    Large,
    /// pgbench of the large bank's size, five statements.
    StatementsLarge,
}

/// The order within a round: a yardstick stands beside what it is compared with.
pub const ALL: [Probe; 13] = [
    Probe::Statements,
    Probe::Transfers,
    Probe::Sagas,
    Probe::Peer,
    Probe::Function,
    Probe::Batches,
    Probe::SetBased,
    Probe::Hot,
    Probe::StatementsHot,
    Probe::Crossing,
    Probe::StatementsAlone,
    Probe::Alone,
    Probe::HalfLoad,
];

/// The same at the large bank.
pub const LARGE: [Probe; 2] = [Probe::StatementsLarge, Probe::Large];

/// Batches under way at a time: with what is answered and not yet written off they stay below the
/// 20,000 transfers that a coordinator takes on.
const BATCHES_AT_ONCE: usize = 8;

/// What one probe of one round gave.
#[derive(Debug, Clone, Serialize)]
pub struct Reading {
    pub probe: Probe,
    /// Transfers per second, or milliseconds.
    pub value: f64,
    /// Latencies in milliseconds at some percentiles, where they were taken.
    pub percentiles: Vec<(f64, f64)>,
    /// Transfers that counted.
    pub transfers: u64,
    /// How much of the time went by after the last answer until nothing was open, in milliseconds.
    pub drained: f64,
}

/// Everything that probes need.
pub struct Stand {
    pub bank: Measurable,
    pub yardstick: Yardstick,
    /// When it is installed and asked for.
    pub peer: Option<Peer>,
    /// What is best for pgbench.
    pub yardstick_connections: usize,
    pub yardstick_hot_connections: usize,
    /// Sixty-four of them.
    pub tokens: Vec<String>,
    pub duration: Duration,
    pub seed: u64,
}

const PERCENTILES: [f64; 7] = [50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0];

impl Stand {
    /// Measures one thing. `half` is the pace of [`Probe::HalfLoad`].
    ///
    /// # Errors
    /// When it cannot be measured, or too little was committed.
    pub async fn read(&self, probe: Probe, half: f64) -> Result<Reading, Failure> {
        self.checkpoint().await?;
        let pairs = |pairs| Transfers {
            pairs,
            ..Transfers::random(self.bank.accounts)
        };
        let all = self.tokens.len();
        match probe {
            Probe::Statements | Probe::StatementsLarge => {
                self.pgbench(probe, Script::Statements).await
            }
            Probe::Function => self.pgbench(probe, Script::Function).await,
            Probe::SetBased => self.pgbench(probe, Script::Batch).await,
            Probe::StatementsHot => self.pgbench(probe, Script::Hot).await,
            Probe::StatementsAlone => {
                let speed = self.yardstick.run(Script::Statements, 1, self.duration);
                let latency = speed.await?.latency;
                Ok(Reading::plain(probe, latency))
            }
            Probe::Transfers | Probe::Large => {
                let measured = self.load(pairs(Pairs::Random), all, Pace::Closed).await?;
                Ok(Reading::rate(probe, &measured))
            }
            Probe::Sagas => {
                let sagas = Transfers {
                    protocol: "saga",
                    ..pairs(Pairs::Random)
                };
                let measured = self.load(sagas, all, Pace::Closed).await?;
                Ok(Reading::rate(probe, &measured))
            }
            Probe::Peer => {
                let measured = self.load_peer(all).await?;
                Ok(Reading::rate(probe, &measured))
            }
            Probe::Hot => {
                let measured = self.load(pairs(Pairs::ToOne), all, Pace::Closed).await?;
                Ok(Reading::rate(probe, &measured))
            }
            Probe::Crossing => {
                let measured = self.load(pairs(Pairs::Crossing), all, Pace::Closed).await?;
                Ok(Reading::rate(probe, &measured))
            }
            Probe::Batches => {
                let batches = Batches {
                    transfers: pairs(Pairs::Random),
                    length: 500,
                };
                let measured = self
                    .load(batches, all.min(BATCHES_AT_ONCE), Pace::Closed)
                    .await?;
                Ok(Reading::rate(probe, &measured))
            }
            Probe::Alone => {
                let measured = self.load(pairs(Pairs::Random), 1, Pace::Closed).await?;
                Ok(Reading::latency(probe, &measured, 50.0))
            }
            Probe::HalfLoad => {
                let work = pairs(Pairs::Random);
                let measured = self.load(work, all, Pace::Open(half)).await?;
                Ok(Reading::latency(probe, &measured, 99.0))
            }
        }
    }

    async fn pgbench(&self, probe: Probe, script: Script) -> Result<Reading, Failure> {
        let connections = match script {
            Script::Hot => self.yardstick_hot_connections,
            Script::Batch => 2,
            Script::Statements | Script::Function => self.yardstick_connections,
        };
        let speed = self.yardstick.run(script, connections, self.duration);
        Ok(Reading::plain(probe, speed.await?.rate))
    }

    /// Puts load on the bank; what is still under way at the end is waited for inside the time.
    ///
    /// # Errors
    /// When too little was committed.
    pub async fn load<W: Work>(
        &self,
        work: W,
        connections: usize,
        pace: Pace,
    ) -> Result<Measured, Failure> {
        self.run(work, connections, pace, self.duration).await
    }

    /// The same, for a time of one's own.
    ///
    /// # Errors
    /// When too little was committed.
    pub async fn run<W: Work>(
        &self,
        work: W,
        connections: usize,
        pace: Pace,
        duration: Duration,
    ) -> Result<Measured, Failure> {
        let load = Load {
            url: self.bank.bank.url(TRANSACTIONS)?,
            tokens: self.tokens.iter().take(connections).cloned().collect(),
            pace,
            duration,
            seed: self.seed,
        };
        let mut drain = self.bank.drain().await?;
        let mut measured = load.run(&Arc::new(work)).await?;
        let began = Instant::now();
        drain.wait().await?;
        measured.drained = began.elapsed();
        measured.elapsed += measured.drained;
        measured.insist()
    }

    /// The same load on the peer, which answers when all is done.
    async fn load_peer(&self, connections: usize) -> Result<Measured, Failure> {
        let peer = self.peer.as_ref();
        let peer = peer.ok_or_else(|| Failure::new("the peer was not started"))?;
        let load = Load {
            url: peer.url.clone(),
            tokens: self.tokens.iter().take(connections).cloned().collect(),
            pace: Pace::Closed,
            duration: self.duration,
            seed: self.seed,
        };
        let work = PeerTransfers {
            accounts: peer.accounts,
        };
        load.run(&Arc::new(work)).await?.insist()
    }

    async fn checkpoint(&self) -> Result<(), Failure> {
        let mut database = self.bank.database(TRANSACTIONS).await?;
        sqlx::query("CHECKPOINT").execute(&mut database).await?;
        Ok(())
    }
}

impl Reading {
    const fn plain(probe: Probe, value: f64) -> Self {
        Self {
            probe,
            value,
            percentiles: Vec::new(),
            transfers: 0,
            drained: 0.0,
        }
    }

    fn of(probe: Probe, measured: &Measured, value: f64) -> Self {
        Self {
            probe,
            value,
            percentiles: PERCENTILES
                .iter()
                .map(|percent| (*percent, measured.percentile(*percent)))
                .collect(),
            transfers: measured.count.done,
            drained: measured.drained.as_secs_f64() * 1_000.0,
        }
    }

    fn rate(probe: Probe, measured: &Measured) -> Self {
        Self::of(probe, measured, measured.rate())
    }

    fn latency(probe: Probe, measured: &Measured, percent: f64) -> Self {
        Self::of(probe, measured, measured.percentile(percent))
    }
}

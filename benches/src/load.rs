//! Load on one service, and what came of it.
//!
//! A closed loop has as many requests under way as there are connections, and shows what can be
//! had. An open loop sends by the clock: a request that had to wait for a free connection is
//! measured from when it should have been sent, so that a stall counts for everybody it made wait
//! (G. Tene's "coordinated omission").

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hyper::StatusCode;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::http::Connection;

/// What is asked for, and what counts as done.
pub trait Work: Send + Sync + 'static {
    /// The path that is posted to.
    fn path(&self) -> &'static str;
    /// One body.
    fn body(&self, random: &mut StdRng) -> String;
    /// How many transfers of an answer count, and how many do not.
    fn count(&self, status: StatusCode, body: &[u8]) -> Count;
}

/// Transfers of one answer, or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Committed and settled.
    pub done: u64,
    /// Anything else.
    pub not_done: u64,
}

/// What one run showed.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Of each request, in microseconds.
    pub latencies: Histogram<u64>,
    /// All answers together.
    pub count: Count,
    /// From the first request until the last answer was in, and longer where more has to be waited
    /// for.
    pub elapsed: Duration,
    /// How much of it was waited for after the last answer.
    pub drained: Duration,
    /// The first answer that was not what was wanted, for the report.
    pub complaint: Option<String>,
}

impl Measured {
    fn new() -> Self {
        let latencies = Histogram::new_with_bounds(1, 600_000_000, 3);
        Self {
            #[expect(clippy::expect_used, reason = "constant bounds")]
            latencies: latencies.expect("bounds"),
            count: Count::default(),
            elapsed: Duration::ZERO,
            drained: Duration::ZERO,
            complaint: None,
        }
    }

    /// Transfers per second.
    pub fn rate(&self) -> f64 {
        self.count.done as f64 / self.elapsed.as_secs_f64()
    }

    /// A percentile, in milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        self.latencies.value_at_percentile(percent) as f64 / 1_000.0
    }

    /// An error when more than one transfer in a thousand did not count.
    pub fn insist(self) -> Result<Self, Failure> {
        let all = self.count.done + self.count.not_done;
        if all == 0 || self.count.not_done * 1_000 > all {
            let words = self.complaint.as_deref().unwrap_or("nothing was answered");
            return Err(Failure::new(format!(
                "{} of {all} transfers were not committed and settled; the first: {words}",
                self.count.not_done
            )));
        }
        Ok(self)
    }
}

/// When to send.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// At once after the answer before.
    Closed,
    /// So many requests each second, whatever comes back.
    Open(f64),
}

/// Where to, as whom, over how many connections, for how long.
#[derive(Debug, Clone)]
pub struct Load {
    pub url: String,
    /// One connection each.
    pub tokens: Vec<String>,
    pub pace: Pace,
    pub duration: Duration,
    pub seed: u64,
}

impl Load {
    /// Runs it to its end: after the duration nothing more is sent, and what is under way is waited
    /// for.
    ///
    /// # Errors
    /// When a connection cannot be opened.
    pub async fn run<W: Work>(&self, work: &Arc<W>) -> Result<Measured, Failure> {
        let mut connections = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            connections.push(Connection::open(&self.url, token).await?);
        }
        let (began, sent) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let mut clients = JoinSet::new();
        for (seed, connection) in (self.seed..).zip(connections) {
            let client = Client {
                connection,
                random: StdRng::seed_from_u64(seed),
                pace: self.pace,
                began,
                until: began + self.duration,
                sent: Arc::clone(&sent),
            };
            clients.spawn(client.run(Arc::clone(work)));
        }
        let mut all = Measured::new();
        while let Some(one) = clients.join_next().await {
            let one = one.map_err(Failure::of("client"))?;
            all.latencies += &one.latencies;
            all.count.done += one.count.done;
            all.count.not_done += one.count.not_done;
            all.complaint = all.complaint.or(one.complaint);
        }
        all.elapsed = began.elapsed();
        Ok(all)
    }
}

struct Client {
    connection: Connection,
    random: StdRng,
    pace: Pace,
    began: Instant,
    until: Instant,
    sent: Arc<AtomicU64>,
}

impl Client {
    async fn run<W: Work>(mut self, work: Arc<W>) -> Measured {
        let mut measured = Measured::new();
        while let Some(due) = self.next().await {
            let body = work.body(&mut self.random);
            let key = uuid::Uuid::new_v4().to_string();
            let count = match self.connection.post(work.path(), &key, body).await {
                Ok((status, body)) => {
                    let count = work.count(status, &body);
                    if count.not_done > 0 && measured.complaint.is_none() {
                        let text = String::from_utf8_lossy(&body);
                        let text: String = text.chars().take(300).collect();
                        measured.complaint = Some(format!("{status} {text}"));
                    }
                    count
                }
                Err(failure) => {
                    measured.complaint.get_or_insert(failure.to_string());
                    Count {
                        done: 0,
                        not_done: 1,
                    }
                }
            };
            let micros = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
            measured.latencies.saturating_record(micros);
            measured.count.done += count.done;
            measured.count.not_done += count.not_done;
        }
        measured
    }

    /// When the next request is due, or was; `None` when it is over.
    async fn next(&self) -> Option<Instant> {
        let due = match self.pace {
            Pace::Closed => Instant::now(),
            Pace::Open(rate) => {
                let turn = self.sent.fetch_add(1, Ordering::Relaxed);
                let due = self.began + Duration::from_secs_f64(turn as f64 / rate);
                if due < self.until {
                    tokio::time::sleep_until(due.into()).await;
                }
                due
            }
        };
        (due < self.until).then_some(due)
    }
}

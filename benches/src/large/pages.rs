//! How long pages of statements and of history take at a large bank, one request after the other.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hyper::StatusCode;
use indicatif::ProgressBar;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::fill::Times;
use super::schedule::Schedule;
use crate::accounts::Accounts;
use crate::bank::{ACCOUNTS, TRANSACTIONS};
use crate::failure::Failure;
use crate::http::Connection;
use crate::measure::{Bound, Line};
use crate::probe::Stand;

/// Of each kind.
const REQUESTS: u32 = 300;

/// No longer than this for one kind, once something was asked.
const PATIENCE: Duration = Duration::from_secs(20);

/// What 99 of 100 pages have to be done in.
const BOUND: Bound = Bound::AtMost(20.0);

/// A kind of page.
#[derive(Debug, Clone, Copy)]
enum Page {
    Statement,
    /// Of the account with the most entries, anywhere in it.
    BusyStatement,
    /// Newest of all.
    History,
    /// Anywhere in it.
    DeepHistory,
    /// Of any account.
    AccountHistory,
    /// Of the account with the most transfers, anywhere in it.
    BusyHistory,
}

const ALL: [(Page, &str); 6] = [
    (Page::Statement, "statement page of any account"),
    (Page::BusyStatement, "statement page of a busy account"),
    (Page::History, "history page, the newest"),
    (Page::DeepHistory, "history page, any other"),
    (Page::AccountHistory, "history page of any account"),
    (Page::BusyHistory, "history page of a busy account"),
];

/// A line for each kind of page: the 99th percentile, which has to hold, and the median in words.
///
/// # Errors
/// When a service cannot be reached.
pub async fn measure(
    stand: &Stand,
    schedule: Schedule,
    times: Times,
    bar: &ProgressBar,
) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::with_capacity(ALL.len());
    let chosen = Chosen {
        schedule,
        times,
        accounts: stand.bank.accounts,
    };
    for (page, name) in ALL {
        bar.set_message(name);
        let line = one(stand, chosen, page, name).await?;
        bar.suspend(|| eprintln!("  {}: {:.2} ms", line.what, line.ours));
        lines.push(line);
    }
    Ok(lines)
}

async fn one(
    stand: &Stand,
    chosen: Chosen,
    page: Page,
    name: &'static str,
) -> Result<Line, Failure> {
    let service = match page {
        Page::Statement | Page::BusyStatement => ACCOUNTS,
        Page::History | Page::DeepHistory | Page::AccountHistory | Page::BusyHistory => {
            TRANSACTIONS
        }
    };
    let token = stand.tokens.first();
    let token = token.ok_or_else(|| Failure::new("a page needs a token"))?;
    let mut connection = Connection::open(&stand.bank.bank.url(service)?, token).await?;
    let mut random = StdRng::seed_from_u64(stand.seed);
    let histogram = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3);
    let mut histogram = histogram.map_err(Failure::of("a histogram"))?;
    let (mut refused, all) = (None, Instant::now());
    for _ in 0..REQUESTS {
        let path = chosen.path(page, &mut random);
        let began = Instant::now();
        let (status, body) = connection.get(&path).await?;
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        histogram.saturating_record(micros);
        if status != StatusCode::OK {
            let text = String::from_utf8_lossy(&body);
            refused.get_or_insert_with(|| format!("{status} {text}"));
        }
        if all.elapsed() > PATIENCE {
            break;
        }
    }
    let milliseconds = |percent| histogram.value_at_percentile(percent) as f64 / 1_000.0;
    let median = milliseconds(50.0);
    let mut what = format!(
        "{name}: p99 of {}; the median is {median:.2} ms",
        histogram.len()
    );
    if let Some(words) = &refused {
        what = format!("{what}; refused: {words}");
    }
    let line = Line::of("S1", &what, "ms", &[milliseconds(99.0)], BOUND);
    let mut line = line.ok_or_else(|| Failure::new("no page was measured"))?;
    line.holds &= refused.is_none();
    Ok(line)
}

/// What there is to choose from.
#[derive(Clone, Copy)]
struct Chosen {
    schedule: Schedule,
    times: Times,
    accounts: Accounts,
}

impl Chosen {
    fn path(self, page: Page, random: &mut StdRng) -> String {
        let any = self.accounts.id(1, random.gen_range(0..self.accounts.each));
        let busy = self.accounts.id(1, 0);
        let transfer = random.gen_range(0..self.schedule.transfers);
        let cursor = self.times.id(transfer, self.schedule.transfers);
        let version = 2 + transfer / super::schedule::BUSY_EVERY;
        match page {
            Page::Statement => format!("/accounts/{any}/entries"),
            Page::BusyStatement => format!("/accounts/{busy}/entries?cursor={version}"),
            Page::History => "/transfers".to_owned(),
            Page::DeepHistory => format!("/transfers?cursor={cursor}"),
            Page::AccountHistory => format!("/transfers?account_id={any}"),
            Page::BusyHistory => format!("/transfers?account_id={busy}&cursor={cursor}"),
        }
    }
}

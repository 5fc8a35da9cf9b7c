//! Transfers by each protocol, with somebody beside them who reads both accounts at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::{AccountsService, ListQuery};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::join;
use types::views::{Account, Locking, Protocol};
use types::{AccountId, Balance};

use super::super::narrator::Narrator;
use super::super::stage::{Stage, outcome};
use super::super::stress::percentile;
use super::{PROTOCOLS, words};
use crate::cli::failure::Failure;
use crate::cli::table::{Cell, Table, Tone};

/// Clients at once, and how many transfers of 1.00 each sends one after the other.
const CLIENTS: usize = 6;
const EACH: usize = 10;

pub async fn play(stage: &Stage, narrator: &mut Narrator) -> Result<(), Failure> {
    narrator.act("Two-phase commit and saga: the same transfers, watched")?;
    let count = CLIENTS * EACH;
    narrator.did(&format!(
        "Two accounts at one bank, {count}.00 on the first. {CLIENTS} clients send {EACH} \
         transfers of 1.00 each to the second, by two-phase commit; then the same by saga between \
         two others. Beside them somebody reads both accounts again and again, each time in one \
         request, which the bank answers from one moment.",
    ))?;
    narrator.expected(
        "By both all of the money arrives. By two-phase commit the two balances always add up. By \
         saga they need not: money that is debited and not credited yet is at neither account, and \
         what is credited is reserved until the saga is over.",
    )?;
    let mut results = Vec::new();
    for protocol in PROTOCOLS {
        results.push(watched(stage, protocol).await?);
    }
    narrator.show(drawn(&results))?;
    for result in &results {
        narrator.happened(&result.sentence())?;
        narrator.number(result)?;
    }
    narrator.why(
        "Two-phase commit books both sides in one database transaction of the bank, after \
         everybody has promised: until then there are holds, and no balance has changed. A saga's \
         steps are database transactions of their own, so others see what is between them. The \
         ledger sums to zero all the same, because the money stands on a system account, in \
         transit; and nobody can spend what may still be taken back.",
    )?;
    let [atomic, saga] = results.as_slice() else {
        return narrator.verdict(false, "one of the two was not run.");
    };
    let right = results.iter().all(Watched::is_right) && atomic.halfway == 0;
    narrator.verdict(
        right,
        &format!(
            "half-way seen {} times by two-phase commit, {} times by saga; all of the money \
             arrived by both.",
            atomic.halfway, saga.halfway
        ),
    )
}

/// What was seen of the transfers by one protocol.
#[derive(Debug, Serialize)]
struct Watched {
    protocol: Protocol,
    transfers: usize,
    outcomes: BTreeMap<String, usize>,
    reads: usize,
    /// Reads in which the two balances did not add up.
    halfway: usize,
    /// The most that was at neither account.
    most_in_transit: Balance,
    /// Reads in which something was at the second account that could not be spent.
    reserved: usize,
    median_ms: u128,
    p95_ms: u128,
    p99_ms: u128,
    slowest_ms: u128,
    all_done_ms: u128,
    /// What was at both accounts in the end.
    arrived: Balance,
    left: Balance,
}

impl Watched {
    fn committed(&self) -> usize {
        self.outcomes.get("committed").copied().unwrap_or(0)
    }

    fn is_right(&self) -> bool {
        let arrived: Option<Balance> = self.transfers.to_string().parse().ok();
        self.committed() == self.transfers
            && self.left.is_zero()
            && Some(self.arrived) == arrived
            && self.reads > 0
    }

    fn sentence(&self) -> String {
        format!(
            "{}: {} of {} committed; median {} ms, p99 {} ms. Of {} reads {} did not add up, by at \
             most {}; in {} something was reserved.",
            words(self.protocol),
            self.committed(),
            self.transfers,
            self.median_ms,
            self.p99_ms,
            self.reads,
            self.halfway,
            self.most_in_transit,
            self.reserved,
        )
    }
}

async fn watched(stage: &Stage, protocol: Protocol) -> Result<Watched, Failure> {
    let count = CLIENTS * EACH;
    let pair = Pair::open(stage, &format!("{count}.00")).await?;
    // What is remembered and opened by a first transfer is not to count for one of the two.
    let warm = Pair::open(stage, "1.00").await?;
    stage
        .transfer_by(protocol, warm.source, warm.sink, "1.00", "warming up")
        .await?;

    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    let sending = async {
        let clients = (0..CLIENTS).map(|n| one_client(stage, protocol, &pair, n));
        let sent = join_all(clients).await;
        is_over.store(true, Ordering::SeqCst);
        sent
    };
    let (sent, seen) = join!(sending, read_until(&pair, &is_over));
    let (wall, seen) = (begun.elapsed(), seen?);

    let mut outcomes = BTreeMap::new();
    let mut latencies = Vec::with_capacity(count);
    for (word, latency) in sent.into_iter().flatten() {
        *outcomes.entry(word).or_default() += 1;
        latencies.push(latency);
    }
    latencies.sort();
    let at = |percent| percentile(&latencies, percent).as_millis();
    Ok(Watched {
        protocol,
        transfers: count,
        outcomes,
        reads: seen.reads,
        halfway: seen.halfway,
        most_in_transit: seen.most,
        reserved: seen.reserved,
        median_ms: at(50),
        p95_ms: at(95),
        p99_ms: at(99),
        slowest_ms: at(100),
        all_done_ms: wall.as_millis(),
        arrived: stage.account(pair.sink).await?.available_balance,
        left: stage.account(pair.source).await?.balance,
    })
}

async fn one_client(
    stage: &Stage,
    protocol: Protocol,
    pair: &Pair,
    client: usize,
) -> Vec<(String, Duration)> {
    let mut answers = Vec::with_capacity(EACH);
    for n in 0..EACH {
        let (begun, text) = (Instant::now(), format!("client {client}, {n}"));
        let answer = stage.transfer_by(protocol, pair.source, pair.sink, "1.00", &text);
        let answer = outcome(&answer.await);
        answers.push((answer, begun.elapsed()));
    }
    answers
}

/// What the reader saw.
struct Seen {
    reads: usize,
    halfway: usize,
    most: Balance,
    reserved: usize,
}

async fn read_until(pair: &Pair, is_over: &AtomicBool) -> Result<Seen, Failure> {
    let mut seen = Seen {
        reads: 0,
        halfway: 0,
        most: Balance::ZERO,
        reserved: 0,
    };
    while !is_over.load(Ordering::SeqCst) {
        let (source, sink) = pair.read().await?;
        let sum = source.balance.plus(sink.balance);
        let missing = sum.and_then(|sum| pair.total.minus(sum));
        let missing = missing.unwrap_or(Balance::ZERO);
        seen.reads += 1;
        seen.halfway += usize::from(!missing.is_zero());
        seen.most = seen.most.max(missing);
        seen.reserved += usize::from(sink.available_balance < sink.balance);
    }
    Ok(seen)
}

/// Two accounts at one bank that one request reads.
struct Pair {
    source: AccountId,
    sink: AccountId,
    total: Balance,
    bank: AccountsService,
    /// The page of their owner's accounts on which both stand.
    page: ListQuery,
    customer: types::CustomerId,
}

impl Pair {
    /// Opens two accounts; two others, where the first two would stand on two pages.
    async fn open(stage: &Stage, opening: &str) -> Result<Self, Failure> {
        let bank = stage.banks().await?.first().cloned();
        let bank = bank.ok_or_else(|| Failure::Refused("There is no bank.".into()))?;
        let total = opening.parse();
        let total = total.map_err(|_| Failure::Usage(format!("{opening} is no amount")))?;
        for _ in 0..2 {
            let source = stage.open(opening, Locking::Escrow, 0).await?;
            let sink = stage.open("0", Locking::Escrow, 0).await?;
            let pair = Self {
                source,
                sink,
                total,
                bank: bank.clone(),
                page: ListQuery::default(),
                customer: stage.customer(),
            };
            if let Some(page) = pair.find_page().await? {
                return Ok(Self { page, ..pair });
            }
        }
        Err(Failure::Refused(
            "The two accounts do not stand on one page of the customer's accounts.".into(),
        ))
    }

    async fn find_page(&self) -> Result<Option<ListQuery>, Failure> {
        let mut page = ListQuery {
            limit: Some(200),
            cursor: None,
        };
        loop {
            let found = self.bank.of_customer(self.customer, &page).await?;
            if self.both(&found.items).is_some() {
                return Ok(Some(page));
            }
            let Some(next) = found.next_cursor else {
                return Ok(None);
            };
            page.cursor = Some(next);
        }
    }

    fn both(&self, accounts: &[Account]) -> Option<(Account, Account)> {
        let find = |id| accounts.iter().find(|account| account.account_id == id);
        Some((find(self.source)?.clone(), find(self.sink)?.clone()))
    }

    /// Both accounts, as they were at one moment.
    async fn read(&self) -> Result<(Account, Account), Failure> {
        let page = self.bank.of_customer(self.customer, &self.page).await?;
        let both = self.both(&page.items);
        both.ok_or_else(|| Failure::Refused("An account is gone from its page.".into()))
    }
}

fn drawn(results: &[Watched]) -> Table {
    let mut table = Table::new("")
        .rigid("Protocol")
        .number("Committed")
        .number("Median")
        .number("p99")
        .number("Reads")
        .number("Half-way")
        .number("At most")
        .number("Reserved");
    for result in results {
        let tone = if result.halfway == 0 {
            Tone::Good
        } else {
            Tone::Warning
        };
        table.row(vec![
            result.protocol.into(),
            result.committed().into(),
            format!("{} ms", result.median_ms).into(),
            format!("{} ms", result.p99_ms).into(),
            result.reads.into(),
            Cell::toned(result.halfway, tone),
            result.most_in_transit.into(),
            result.reserved.into(),
        ]);
    }
    table
}

//! Links that come and go, reset and delay.

use std::time::{Duration, Instant};

use tests::{ACCOUNTS, ACCOUNTS_2, Flow, TRANSACTIONS};
use tokio::task::JoinSet;

use crate::pair::Pair;

const AT_ONCE: usize = 4;

/// Sends 1 again and again, a few at once, as long as `goes_on` says so; gives back the keys.
async fn traffic(pair: &Pair, goes_on: impl Fn(usize) -> bool) -> Vec<String> {
    let mut keys = Vec::new();
    let mut open = JoinSet::new();
    while goes_on(keys.len()) {
        let key = format!("bad-link-{}", keys.len());
        open.spawn(pair.send("1", &key));
        keys.push(key);
        if open.len() >= AT_ONCE {
            // Whatever it was answered: what became of it is asked later.
            open.join_next().await;
        }
    }
    open.join_all().await;
    keys
}

/// Everything is terminal, the same everywhere, and exactly what was committed has moved.
async fn ends(pair: Pair, keys: Vec<String>) {
    pair.bank.settles().await;
    let mut moved = 1;
    for key in &keys {
        moved += u32::from(pair.committed(key, "1").await);
    }
    println!("{} of {} transfers committed", moved - 1, keys.len());
    pair.has_moved(moved).await;
    pair.bank.stop().await;
}

async fn flapping(period: Duration, length: Duration) {
    let pair = Pair::start(|options| options).await;
    let network = pair.bank.network().clone();
    let until = Instant::now() + length;
    let there = network.link(TRANSACTIONS, ACCOUNTS_2);
    let back = network.link(ACCOUNTS_2, TRANSACTIONS);
    let work = traffic(&pair, |_| Instant::now() < until);
    let keys = there
        .flap_during(period, back.flap_during(period, work))
        .await;
    ends(pair, keys).await;
}

#[tokio::test]
async fn case_49_a_link_that_flaps_for_five_seconds_leaves_no_difference() {
    flapping(Duration::from_millis(300), Duration::from_secs(5)).await;
}

#[tokio::test]
#[ignore = "slow: a minute"]
async fn case_49_a_link_that_flaps_every_second_for_a_minute_leaves_no_difference() {
    flapping(Duration::from_secs(1), Duration::from_secs(60)).await;
}

#[tokio::test]
async fn case_50_resets_and_delays_leave_no_difference() {
    let pair = Pair::start(|options| {
        options
            .setting("TRANSACTIONS_CALL_TIMEOUT_MS", 2_000)
            .setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 5_000)
    })
    .await;
    let delay = Duration::from_millis(100);
    for (_, _, link) in pair.bank.network().between_services() {
        // 200 ms for the way there and back.
        link.both(Flow::Delay(delay));
        link.reset_per_cent(30);
    }
    let keys = traffic(&pair, |sent| sent < 24).await;
    let (there, back) = pair.bank.network().link(TRANSACTIONS, ACCOUNTS).carried();
    assert!(there > 0 && back > 0);
    pair.bank.network().heal();
    ends(pair, keys).await;
}

//! Many at once: nobody waits in a circle, and the sums are exact.

use std::sync::Arc;

use serde_json::json;
use tests::{ACCOUNTS, Actor, TRANSACTIONS, TestBank, plus};
use tokio::task::JoinSet;

use crate::seed::{ALICE, BOB};

/// Sends transfers at once; counts by status.
async fn all_at_once(
    transfers: Vec<(Actor, String, String, String)>,
) -> std::collections::BTreeMap<u16, usize> {
    let mut sent = JoinSet::new();
    // As many as a busy machine can carry at once; the others wait their turn.
    let permits = Arc::new(tokio::sync::Semaphore::new(100));
    for (number, (actor, source, destination, amount)) in transfers.into_iter().enumerate() {
        let permits = Arc::clone(&permits);
        sent.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            insist(&actor, &source, &destination, &amount, number).await
        });
    }
    let mut counts = std::collections::BTreeMap::new();
    while let Some(status) = sent.join_next().await {
        *counts.entry(status.unwrap()).or_default() += 1;
    }
    counts
}

/// Sends one transfer as a client does on a busy day: "not now" is asked again, under the same key
/// unless the answer says that this one is spent.
async fn insist(
    actor: &Actor,
    source: &str,
    destination: &str,
    amount: &str,
    number: usize,
) -> u16 {
    let mut key = format!("at-once-{number}");
    for attempt in 0..50 {
        let answer = actor.transfer(source, destination, amount, &key).await;
        let answer = answer.unwrap();
        if answer.status != 503 {
            return answer.status.as_u16();
        }
        if answer.body["retry"] == "new_key" {
            key = format!("at-once-{number}-{attempt}");
        }
    }
    503
}

/// No statement lost against another one and had to be repeated: rows were locked in one order.
async fn nobody_deadlocked(bank: &TestBank) {
    for service in [ACCOUNTS, TRANSACTIONS] {
        let repeated = bank.metric(service, "bank_database_retries_total").await;
        assert_eq!(repeated, None, "{service} repeated database transactions");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_54_five_hundred_transfers_to_one_account_add_up() {
    let bank = TestBank::start_patient(|options| options).await;
    let teller = bank.teller().await;
    let mut sources = Vec::new();
    for _ in 0..10 {
        sources.push(teller.open_account("100", json!({})).await);
    }
    let merchant = teller.open_account("0", json!({})).await;
    let transfers = (0..500)
        .map(|n| {
            (
                teller.clone(),
                sources[n % 10].clone(),
                merchant.clone(),
                "1.25".to_owned(),
            )
        })
        .collect();
    assert_eq!(all_at_once(transfers).await, [(201, 500)].into());
    bank.settles().await;
    assert_eq!(teller.balance(&merchant).await, "625.00");
    nobody_deadlocked(&bank).await;
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_55_transfers_that_cross_a_thousand_times_never_wait_in_a_circle() {
    let bank = TestBank::start_patient(|options| options).await;
    let (alice, bob) = (bank.alice().await, bank.actor("bob-customer").await);
    let teller = bank.teller().await;
    let transfers = (0..1_000)
        .map(|n| {
            if n % 2 == 0 {
                (
                    alice.clone(),
                    ALICE.to_owned(),
                    BOB.to_owned(),
                    "0.50".to_owned(),
                )
            } else {
                (
                    bob.clone(),
                    BOB.to_owned(),
                    ALICE.to_owned(),
                    "0.50".to_owned(),
                )
            }
        })
        .collect();
    assert_eq!(all_at_once(transfers).await, [(201, 1_000)].into());
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "1000.00");
    assert_eq!(teller.balance(BOB).await, "750.00");
    nobody_deadlocked(&bank).await;
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_56_a_circle_over_three_banks_ends() {
    let bank = TestBank::start_patient(|mut options| {
        options.banks = 3;
        options
    })
    .await;
    let teller = bank.teller().await;
    let mut accounts = Vec::new();
    for service in [tests::ACCOUNTS, tests::ACCOUNTS_2, "accounts-service-3"] {
        let there = teller.at(Some(&bank.url(service)), None);
        // Exclusive accounts: each transfer really blocks the next one of the circle.
        let exclusive = json!({"locking": "exclusive"});
        accounts.push((there.open_account("1000", exclusive).await, there));
    }
    let transfers = (0..90)
        .map(|n| {
            let (source, destination) = (&accounts[n % 3].0, &accounts[(n + 1) % 3].0);
            (
                teller.clone(),
                source.clone(),
                destination.clone(),
                "1".to_owned(),
            )
        })
        .collect();
    let counts = all_at_once(transfers).await;
    let done: usize = counts.values().sum();
    assert_eq!(done, 90, "every transfer has an answer: {counts:?}");
    assert!(
        counts.keys().all(|status| [201, 409].contains(status)),
        "{counts:?}"
    );
    bank.settles().await;
    let mut sum = "0".to_owned();
    for (account, there) in &accounts {
        sum = plus(&sum, &there.balance(account).await);
    }
    assert_eq!(sum, "3000.00");
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_57_of_two_withdrawals_of_100_from_150_one_commits() {
    let bank = TestBank::start_patient(|options| options).await;
    let teller = bank.teller().await;
    for locking in ["escrow", "exclusive"] {
        let source = teller
            .open_account("150", json!({"locking": locking}))
            .await;
        let keys = [format!("{locking}-one"), format!("{locking}-two")];
        let (one, two) = tokio::join!(
            teller.transfer(&source, BOB, "100", &keys[0]),
            teller.transfer(&source, BOB, "100", &keys[1]),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422], "{} {}", one.body, two.body);
        assert_eq!(teller.balance(&source).await, "50.00");
    }
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_110_two_exclusive_accounts_and_interleaved_lists_do_not_wait_for_the_deadline() {
    let bank = TestBank::start_patient(|options| options).await;
    let teller = bank.teller().await;
    let exclusive = json!({"locking": "exclusive"});
    let one = teller.open_account("1000", exclusive.clone()).await;
    let two = teller.open_account("1000", exclusive).await;
    let transfers = (0..24)
        .map(|n| {
            let (source, destination) = if n % 2 == 0 {
                (&one, &two)
            } else {
                (&two, &one)
            };
            (
                teller.clone(),
                source.clone(),
                destination.clone(),
                "1".to_owned(),
            )
        })
        .collect();
    assert_eq!(all_at_once(transfers).await, [(201, 24)].into());
    bank.settles().await;
    assert_eq!(teller.balance(&one).await, "1000.00");
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_invariants_hold_while_load_runs() {
    let bank = Arc::new(TestBank::start_patient(|options| options).await);
    let teller = bank.teller().await;
    let mut accounts = Vec::new();
    for number in 0..6 {
        let locking = if number % 3 == 0 {
            "exclusive"
        } else {
            "escrow"
        };
        accounts.push(
            teller
                .open_account("100", json!({"locking": locking}))
                .await,
        );
    }
    let before = bank.total().await;
    let transfers = (0..600)
        .map(|n| {
            let (source, destination) = (&accounts[n % 6], &accounts[(n * 5 + 1) % 6]);
            (
                source.clone(),
                destination.clone(),
                format!("{}", n % 7 + 1),
            )
        })
        .filter(|(source, destination, _)| source != destination)
        .map(|(source, destination, amount)| (teller.clone(), source, destination, amount))
        .collect();
    let load = tokio::spawn(all_at_once(transfers));
    let mut checks = 0;
    while !load.is_finished() {
        let admin = bank.admin().await;
        let check = admin.get_accounts("/ledger/check").await.expect(200);
        assert_eq!(check["ok"], true, "{check}");
        assert_eq!(
            bank.total().await,
            before,
            "I9: a list of all accounts has a constant total"
        );
        checks += 1;
    }
    let counts = load.await.unwrap();
    assert!(
        checks > 0 && counts[&201] > 100,
        "{checks} checks, {counts:?}"
    );
    bank.settles().await;
    assert_eq!(bank.total().await, before);
}

//! Clients that hang up, ask twice, or ask at two places at once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tests::{Failpoint, SECOND_COORDINATOR, TRANSACTIONS, TestBank, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::seed::{ALICE, BOB, CAROL};

/// Sends a transfer over a bare connection and hangs up after so many microseconds.
async fn hang_up_after(url: &str, token: &str, key: &str, microseconds: u64) {
    let body = json!({"source_account_id": ALICE, "destination_account_id": BOB, "amount": "0.01"})
        .to_string();
    let request = format!(
        "POST /transfers HTTP/1.1\r\nhost: bank\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nidempotency-key: {key}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let address = url.trim_start_matches("http://");
    let Ok(mut connection) = TcpStream::connect(address).await else {
        return;
    };
    if connection.write_all(request.as_bytes()).await.is_err() {
        return;
    }
    let mut some = [0_u8; 64];
    // The reading is what is cut off; whether anything was read does not matter.
    drop(
        tokio::time::timeout(
            Duration::from_micros(microseconds),
            connection.read(&mut some),
        )
        .await,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_16_and_17_a_thousand_clients_hang_up_and_nothing_is_left_open() {
    let bank = TestBank::start_patient(|options| options).await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let before = bank.total().await;
    let url = bank.url(TRANSACTIONS);
    let token = alice.token().unwrap().to_owned();
    let mut clients = JoinSet::new();
    for number in 0..1_000_u64 {
        let (url, token) = (url.clone(), token.clone());
        clients.spawn(async move {
            // Spread over the whole life of a transfer.
            hang_up_after(
                &url,
                &token,
                &format!("hang-up-{number}"),
                number % 50 * 400,
            )
            .await;
        });
        if clients.len() >= 50 {
            clients.join_next().await;
        }
    }
    clients.join_all().await;
    bank.settles().await;
    assert_eq!(bank.total().await, before);
    for service in [TRANSACTIONS, tests::ACCOUNTS] {
        let pool = bank.database(service).await;
        eventually("no connection sits in an open database transaction", || {
            let pool = pool.clone();
            async move {
                let open: i64 = sqlx::query_scalar(
                    "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND pid <> pg_backend_pid()
                       AND state LIKE 'idle in transaction%'",
                )
                .fetch_one(&pool)
                .await
                .ok()?;
                (open == 0).then_some(())
            }
        })
        .await;
    }
    // The pools still work, and what they write stays.
    let done = alice
        .transfer(ALICE, CAROL, "1", "afterwards")
        .await
        .unwrap()
        .expect(201);
    assert_eq!(done["settled"], true);
    assert_eq!(teller.balance(CAROL).await, "151.00");
    bank.stop().await;
}

#[tokio::test]
async fn case_48_a_client_that_times_out_repeats_with_its_key_and_moves_money_once() {
    let bank = TestBank::start().await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    bank.arm(TRANSACTIONS, "after_votes", Failpoint::Pause)
        .await;
    let asked = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "100", "slow").await }
    });
    eventually("it is under way", || async {
        let (id, _) = bank.newest_transaction().await?;
        (bank.branch(tests::ACCOUNTS, &id).await.as_deref() == Some("PREPARED")).then_some(())
    })
    .await;
    // The client gives up waiting and asks again while the first request still runs.
    asked.abort();
    let again = alice.transfer(ALICE, BOB, "100", "slow").await.unwrap();
    assert_eq!(
        (again.status.as_u16(), again.code()),
        (409, "request_in_progress")
    );
    bank.disarm(TRANSACTIONS, "after_votes").await;
    bank.settles().await;
    let again = alice.transfer(ALICE, BOB, "100", "slow").await.unwrap();
    assert!(again.replayed);
    again.expect(201);
    assert_eq!(teller.balance(ALICE).await, "900.00");
    bank.stop().await;
}

#[tokio::test]
async fn another_request_under_a_used_key_is_refused() {
    let bank = TestBank::start().await;
    let (alice, bob) = (bank.alice().await, bank.actor("bob-customer").await);
    alice
        .transfer(ALICE, BOB, "1", "key")
        .await
        .unwrap()
        .expect(201);
    let other = alice.transfer(ALICE, BOB, "2", "key").await.unwrap();
    assert_eq!(
        (other.status.as_u16(), other.code()),
        (422, "idempotency_key_reused")
    );
    let same = alice.transfer(ALICE, BOB, "1.0000", "key").await.unwrap();
    assert!(same.replayed, "compared after parsing");
    // Keys are their caller's own.
    let bobs = bob.transfer(BOB, ALICE, "1", "key").await.unwrap();
    assert!(!bobs.replayed);
    bobs.expect(201);
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_58_one_key_fifty_times_at_once_is_one_transfer() {
    let bank = TestBank::start_patient(|options| options).await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let mut sent = JoinSet::new();
    for _ in 0..50 {
        let alice = alice.clone();
        sent.spawn(async move { alice.transfer(ALICE, BOB, "10", "same").await.unwrap() });
    }
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    while let Some(answer) = sent.join_next().await {
        *counts.entry(answer.unwrap().status.as_u16()).or_default() += 1;
    }
    assert!(
        counts.keys().all(|status| [201, 409].contains(status)),
        "{counts:?}"
    );
    assert!(counts[&201] >= 1);
    bank.settles().await;
    assert_eq!(teller.balance(ALICE).await, "990.00");
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_96_duplicates_over_two_coordinators_commit_once_and_replay() {
    let bank = TestBank::start_patient(|mut options| {
        options.coordinators = 2;
        options
    })
    .await;
    let (alice, teller) = (bank.alice().await, bank.teller().await);
    let other = alice.at(None, Some(&bank.url(SECOND_COORDINATOR)));
    for round in 0..20 {
        let source = teller.open_account("10", json!({})).await;
        let key = format!("round-{round}");
        // There is money for one only.
        let (one, two) = tokio::join!(
            alice.transfer(&source, BOB, "10", &key),
            other.transfer(&source, BOB, "10", &key),
        );
        for answer in [one.unwrap(), two.unwrap()] {
            assert!(
                [201, 409].contains(&answer.status.as_u16()),
                "{}",
                answer.body
            );
        }
        let (one, two) = (
            eventually("the first replays", || async {
                let answer = alice.transfer(&source, BOB, "10", &key).await.ok()?;
                (answer.status == 201).then_some(answer.body)
            })
            .await,
            eventually("the second replays", || async {
                let answer = other.transfer(&source, BOB, "10", &key).await.ok()?;
                (answer.status == 201).then_some(answer.body)
            })
            .await,
        );
        assert_eq!(one["transaction_id"], two["transaction_id"]);
        assert_eq!(teller.balance(&source).await, "0.00");
    }
    bank.settles().await;
    bank.stop().await;
}

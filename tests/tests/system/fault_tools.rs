//! The tools that make faults: a test that never sees the fault shows nothing.

use std::time::{Duration, SystemTime};

use sqlx::PgPool;
use tests::{ACCOUNTS, Clock, DATABASE, Server, SmallDisk, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

#[tokio::test]
async fn every_link_of_a_bank_with_proxies_carries_what_it_is_there_for() {
    let bank = TestBank::start_with_proxies(|mut options| {
        options.banks = 2;
        options
    })
    .await;
    let alice = bank.alice().await;
    let moved = alice.transfer(ALICE, BOB, "1", "through").await.unwrap();
    assert_eq!(moved.expect(201)["status"], "committed");
    for (from, to) in [
        (TRANSACTIONS, ACCOUNTS),
        (ACCOUNTS, TRANSACTIONS),
        (TRANSACTIONS, DATABASE),
        (ACCOUNTS, DATABASE),
    ] {
        let (there, back) = bank.network().link(from, to).carried();
        assert!(there > 0 && back > 0, "{from} to {to}: {there} and {back}");
    }
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn a_disk_that_is_full_refuses_writes_until_it_is_freed() {
    let Some(disk) = SmallDisk::mount(200) else {
        return;
    };
    let server = Server::start(&disk.folder().join("data"), [].into()).await;
    let url = server.database("small").await;
    let pool = PgPool::connect(&url).await.unwrap();
    let grow =
        "CREATE TABLE IF NOT EXISTS heap AS SELECT repeat('x', 2000) FROM generate_series(1, 9000)";
    disk.fill();
    let full = sqlx::query(grow).execute(&pool).await.unwrap_err();
    let code = full.as_database_error().and_then(|error| error.code());
    assert!(
        // Data that do not fit, or a log that does not: then the server stops.
        code.is_none_or(|code| code == "53100" || code.starts_with("57")),
        "{full}"
    );
    disk.free();
    if server.has_ended() {
        server.restart().await;
    }
    eventually("there is room", || async {
        sqlx::query(grow).execute(&pool).await.ok()
    })
    .await;
    pool.close().await;
}

/// The wall clock of a running PostgreSQL, in seconds beside the true time.
async fn beside(pool: &PgPool) -> i64 {
    let there: i64 = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::bigint")
        .fetch_one(pool)
        .await
        .unwrap();
    let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    there - i64::try_from(here.unwrap().as_secs()).unwrap()
}

#[tokio::test]
async fn a_clock_is_set_while_the_server_runs() {
    let Some(clock) = Clock::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), clock.environment()).await;
    let pool = PgPool::connect(&server.database("late").await)
        .await
        .unwrap();
    assert!(beside(&pool).await.abs() < 60);
    for hour in [3600, -3600] {
        clock.ahead(hour);
        assert!((beside(&pool).await - hour).abs() < 60);
    }
    // Durations are not affected.
    let slept = tokio::time::Instant::now();
    sqlx::query("SELECT pg_sleep(0.2)")
        .execute(&pool)
        .await
        .unwrap();
    assert!(slept.elapsed() < Duration::from_secs(30));
    pool.close().await;
}

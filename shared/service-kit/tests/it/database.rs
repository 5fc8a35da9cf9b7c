//! The pool and its rules.

use std::time::Duration;

use service_kit::database::{connect, is_transient, is_unreachable, retry_transient, spawned};
use service_kit::testing::TestDatabase;

#[tokio::test]
async fn commits_are_durable_whatever_the_database_says() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&pool)
        .await
        .expect("a name");
    let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
    sqlx::raw_sql(sqlx::AssertSqlSafe(off))
        .execute(&pool)
        .await
        .expect("altered");
    let later = connect(database.url(), 1, "test").await.expect("a pool");
    let setting: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&later)
        .await
        .expect("a setting");
    assert_eq!(setting, "on");
}

#[tokio::test]
async fn a_deadlock_is_tried_again_until_both_are_done() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    sqlx::raw_sql(
        "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL); INSERT INTO t VALUES (1, 0), (2, 0)",
    )
    .execute(&pool)
    .await
    .expect("a table");
    let both_locked = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let work = |first: i32, second: i32| {
        let (pool, barrier) = (pool.clone(), both_locked.clone());
        let mut attempts = 0;
        async move {
            retry_transient(|| {
                attempts += 1;
                let (pool, barrier, first_attempt) = (pool.clone(), barrier.clone(), attempts == 1);
                async move {
                    let mut transaction = pool.begin().await?;
                    for (step, id) in [first, second].into_iter().enumerate() {
                        sqlx::query("UPDATE t SET n = n + 1 WHERE id = $1")
                            .bind(id)
                            .execute(&mut *transaction)
                            .await?;
                        if step == 0 && first_attempt {
                            barrier.wait().await;
                        }
                    }
                    transaction.commit().await
                }
            })
            .await
        }
    };
    let (one, two) = tokio::join!(tokio::spawn(work(1, 2)), tokio::spawn(work(2, 1)));
    one.expect("no panic").expect("done");
    two.expect("no panic").expect("done");
    let sum: i64 = sqlx::query_scalar("SELECT sum(n) FROM t")
        .fetch_one(&pool)
        .await
        .expect("a sum");
    assert_eq!(sum, 4);
}

#[tokio::test]
async fn a_caller_who_leaves_puts_no_open_transaction_into_the_pool() {
    let database = TestDatabase::create().await;
    let pool = connect(database.url(), 1, "test")
        .await
        .expect("a pool of one");
    sqlx::raw_sql("CREATE TABLE t (n int)")
        .execute(&pool)
        .await
        .expect("a table");
    for n in 0..200_u64 {
        let work = {
            let pool = pool.clone();
            spawned::<_, sqlx::Error>(async move {
                let mut transaction = pool.begin().await?;
                sqlx::query("INSERT INTO t VALUES (1)")
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await
            })
        };
        // Dropped at another point each time.
        tokio::time::timeout(Duration::from_micros(n * 20), work)
            .await
            .ok();
    }
    let open: bool = sqlx::query_scalar("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        .fetch_one(&pool)
        .await
        .expect("an answer");
    assert!(!open);
    sqlx::query("INSERT INTO t VALUES (2)")
        .execute(&pool)
        .await
        .expect("written");
    let other = database.pool().await;
    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM t WHERE n = 2")
        .fetch_one(&other)
        .await
        .expect("a count");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn a_server_that_has_ended_or_has_no_room_is_told_from_a_refused_statement() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    let ended = sqlx::query("SELECT pg_terminate_backend(pg_backend_pid())")
        .execute(&pool)
        .await
        .expect_err("the connection ends");
    assert!(is_unreachable(&ended) && !is_transient(&ended), "{ended}");
    let full = sqlx::query("DO $$ BEGIN RAISE 'full' USING ERRCODE = 'disk_full'; END $$")
        .execute(&pool)
        .await
        .expect_err("no room");
    assert!(is_unreachable(&full) && !is_transient(&full), "{full}");
    let refused = sqlx::query("SELECT 1 / 0")
        .execute(&pool)
        .await
        .expect_err("refused");
    assert!(
        !is_unreachable(&refused) && !is_transient(&refused),
        "{refused}"
    );
}

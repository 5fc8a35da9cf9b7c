//! Statements that lose against others, and pools that are empty.

use sqlx::{Connection, Executor, PgConnection, PgPool};
use tests::{ACCOUNTS, TRANSACTIONS, TestBank, eventually};

use crate::seed::{ALICE, BOB};

/// Makes the first statements that write to a table fail with a SQLSTATE; how often, a sequence
/// counts, which no rollback sets back.
async fn fails_twice(pool: &PgPool, table: &str, events: &str, state: &str) {
    let name = format!("loses_{table}");
    let sql = format!(
        "CREATE SEQUENCE {name};
         CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN
             IF nextval('{name}') <= 2 THEN
                 RAISE EXCEPTION 'planted' USING ERRCODE = '{state}';
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER {name} AFTER {events} ON {table}
         FOR EACH STATEMENT EXECUTE FUNCTION {name}();"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

async fn attempts(pool: &PgPool, table: &str) -> i64 {
    let sql = format!("SELECT last_value FROM loses_{table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn case_28_serialization_errors_and_deadlocks_are_tried_again_at_every_durable_step() {
    let bank = TestBank::start_patient(|options| options).await;
    let alice = bank.alice().await;
    let (accounts, transactions) = (
        bank.database(ACCOUNTS).await,
        bank.database(TRANSACTIONS).await,
    );
    fails_twice(&accounts, "branches", "INSERT OR UPDATE", "40001").await;
    fails_twice(&accounts, "ledger_entries", "INSERT", "40P01").await;
    fails_twice(&transactions, "transactions", "INSERT", "40001").await;
    fails_twice(&transactions, "transfer_legs", "INSERT", "40P01").await;
    let done = alice.transfer(ALICE, BOB, "10", "tried").await.unwrap();
    assert_eq!(done.expect(201)["settled"], true);
    bank.settles().await;
    for service in [ACCOUNTS, TRANSACTIONS] {
        let repeated = bank.metric(service, "bank_database_retries_total").await;
        assert!(repeated.is_some(), "{service} counts what it repeats");
    }
    for (pool, table) in [
        (&accounts, "branches"),
        (&accounts, "ledger_entries"),
        (&transactions, "transactions"),
        (&transactions, "transfer_legs"),
    ] {
        assert!(
            attempts(pool, table).await > 2,
            "{table} was written at once"
        );
    }
    let teller = bank.teller().await;
    assert_eq!(teller.balance(ALICE).await, "990.00");
    assert_eq!(teller.balance(BOB).await, "760.00");
    bank.stop().await;
}

/// Holds the row lock of an account.
async fn hold(connection: &mut PgConnection, account: &str) {
    sqlx::query("SELECT 1 FROM accounts WHERE account_id = $1::uuid FOR UPDATE")
        .bind(account)
        .execute(connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn case_28_a_deadlock_with_a_stranger_is_lost_and_tried_again() {
    let bank = TestBank::start_patient(|options| options).await;
    let alice = bank.alice().await;
    let pool = bank.database(ACCOUNTS).await;
    let (role, url) = {
        let url = bank.bank.service_database_url(ACCOUNTS).unwrap();
        let role = url.split("//").nth(1).unwrap().split(':').next().unwrap();
        (role.to_owned(), bank.bank.database_url(ACCOUNTS).unwrap())
    };
    // Whoever looks for a deadlock first is its victim: the bank, after three seconds.
    let patient = format!("ALTER ROLE {role} SET deadlock_timeout = '3s'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(patient))
        .execute(&pool)
        .await
        .unwrap();
    bank.kill(ACCOUNTS).await;
    bank.restart(ACCOUNTS).await;
    let mut stranger = PgConnection::connect(&url).await.unwrap();
    stranger
        .execute("SET deadlock_timeout = '10min'")
        .await
        .unwrap();
    stranger.execute("BEGIN").await.unwrap();
    hold(&mut stranger, BOB).await;
    let sent = tokio::spawn({
        let alice = alice.clone();
        async move { alice.transfer(ALICE, BOB, "10", "deadlock").await }
    });
    eventually("the bank waits for Bob's row", || async {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&pool)
        .await
        .ok()?;
        (waiting > 0).then_some(())
    })
    .await;
    // Now it waits for us and we for it. This returns when the bank has given way.
    hold(&mut stranger, ALICE).await;
    stranger.execute("ROLLBACK").await.unwrap();
    let done = sent.await.unwrap().unwrap();
    assert_eq!(done.body["status"], "committed", "{}", done.body);
    let deadlocks = eventually("the server has counted", || async {
        let counted: i64 = sqlx::query_scalar(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        )
        .fetch_one(&pool)
        .await
        .ok()?;
        (counted > 0).then_some(counted)
    })
    .await;
    assert!(deadlocks >= 1);
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn case_28_an_exhausted_pool_leaves_nothing_partial() {
    let bank = TestBank::start_with(|options| {
        options
            .setting_for(ACCOUNTS, "BANK_DATABASE_CONNECTIONS", 2)
            .setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 20_000)
    })
    .await;
    let alice = bank.alice().await;
    let before = bank.total().await;
    let url = bank.bank.database_url(ACCOUNTS).unwrap();
    let mut stranger = PgConnection::connect(&url).await.unwrap();
    stranger.execute("BEGIN").await.unwrap();
    hold(&mut stranger, ALICE).await;
    let mut sent = Vec::new();
    for number in 0..8 {
        let alice = alice.clone();
        let key = format!("pool-{number}");
        sent.push(tokio::spawn(async move {
            alice.transfer(ALICE, BOB, "10", &key).await
        }));
    }
    eventually("no connection is left for a PREPARE", || async {
        (bank.logged(ACCOUNTS, "PREPARE_UNANSWERED") > 0).then_some(())
    })
    .await;
    stranger.execute("ROLLBACK").await.unwrap();
    for answer in sent {
        answer.await.unwrap().unwrap();
    }
    bank.settles().await;
    let mut moved = 0;
    for number in 0..8 {
        let key = format!("pool-{number}");
        let again = alice.transfer(ALICE, BOB, "10", &key).await.unwrap();
        moved += i64::from(again.body["status"] == "committed");
    }
    assert_eq!(bank.total().await, before);
    let teller = bank.teller().await;
    assert_eq!(
        teller.balance(ALICE).await,
        format!("{}.00", 1_000 - 10 * moved)
    );
    bank.stop().await;
}

/// Notes with which setting each commit to a table is made, in the session that makes it.
async fn observe(pool: &PgPool, table: &str) {
    let sql = format!(
        "CREATE TABLE observed (setting text NOT NULL);
         CREATE FUNCTION observe() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN
             INSERT INTO public.observed VALUES (current_setting('synchronous_commit'));
             RETURN NULL;
         END $$;
         CREATE TRIGGER observe AFTER INSERT OR UPDATE ON {table}
         FOR EACH STATEMENT EXECUTE FUNCTION observe();"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn case_113_promises_and_decisions_are_durable_whatever_the_role_and_database_say() {
    let bank = TestBank::start().await;
    for service in [ACCOUNTS, TRANSACTIONS] {
        let pool = bank.database(service).await;
        let url = bank.bank.service_database_url(service).unwrap();
        let role = url.split("//").nth(1).unwrap().split(':').next().unwrap();
        let database = url.rsplit('/').next().unwrap();
        let off = format!(
            "ALTER ROLE {role} SET synchronous_commit = off;
             ALTER DATABASE {database} SET synchronous_commit = off;
             ALTER ROLE {role} IN DATABASE {database} SET synchronous_commit = off;"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(off))
            .execute(&pool)
            .await
            .unwrap();
        let mut plain = PgConnection::connect(&url).await.unwrap();
        let setting: String = sqlx::query_scalar("SHOW synchronous_commit")
            .fetch_one(&mut plain)
            .await
            .unwrap();
        assert_eq!(setting, "off", "what the role has without the service");
        let table = if service == ACCOUNTS {
            "branches"
        } else {
            "transactions"
        };
        observe(&pool, table).await;
        bank.kill(service).await;
        bank.restart(service).await;
    }
    let alice = bank.alice().await;
    for number in 0..20 {
        let key = format!("durable-{number}");
        alice.transfer(ALICE, BOB, "1", &key).await.unwrap();
    }
    bank.settles().await;
    for service in [ACCOUNTS, TRANSACTIONS] {
        let seen: Vec<(String, i64)> =
            sqlx::query_as("SELECT setting, count(*) FROM observed GROUP BY setting")
                .fetch_all(&bank.database(service).await)
                .await
                .unwrap();
        assert_eq!(seen.len(), 1, "{service}: {seen:?}");
        assert!(seen[0].0 == "on" && seen[0].1 >= 40, "{service}: {seen:?}");
    }
    bank.stop().await;
}

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
};

use sqlx::{Connection, PgConnection};
use stack::{Bank, ClusterChoice, Error, Signal, state::Status};

use crate::options;

async fn ask<T>(url: &str, query: &'static str) -> Result<T, sqlx::Error>
where
    T: Send
        + Unpin
        + for<'r> sqlx::Decode<'r, sqlx::Postgres>
        + sqlx::Type<sqlx::Postgres>
        + 'static,
{
    let mut connection = PgConnection::connect(url).await?;
    let answer = sqlx::query_scalar(query).fetch_one(&mut connection).await;
    let _ = connection.close().await;
    answer
}

#[tokio::test]
async fn a_bank_starts_loses_processes_gets_them_back_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = options(folder.path());
    wanted.banks = 2;
    wanted.coordinators = 2;
    wanted.orders = true;
    let bank = Bank::start(wanted).await.unwrap();

    let state = bank.state();
    let names: Vec<_> = state
        .processes
        .iter()
        .map(|process| process.name.as_str())
        .collect();
    let expected = [
        "postgres",
        "customer-service",
        "accounts-service",
        "accounts-service-2",
        "transactions-service",
        "transactions-service-2",
        "orders-service",
    ];
    assert_eq!(names, expected);
    assert_eq!(state.databases.len(), 6);
    let documents = bank.service_database_url("documents").unwrap();
    assert!(documents.contains("documents_service") && documents.ends_with("/documents_db"));
    assert!(
        state
            .processes
            .iter()
            .all(|process| process.status == Status::Running)
    );
    let file = bank.data().state_file();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );

    // Only the first bank has seed data.
    assert!(bank.data().logs().join("accounts_db--seed").exists());
    assert!(bank.data().logs().join("accounts_2_db--migrate").exists());

    // A killed service is noted as down without anybody asking.
    bank.kill("accounts-service", Signal::KILL).unwrap();
    assert_eq!(
        bank.wait_exit("accounts-service").await.unwrap().signal(),
        Some(9)
    );
    while bank.state().process("accounts-service").unwrap().status == Status::Running {
        tokio::task::yield_now().await;
    }
    bank.start_process("accounts-service").await.unwrap();
    assert!(matches!(
        bank.start_process("accounts-service").await,
        Err(Error::Refused(_))
    ));
    assert!(bank.process("accounts-service").unwrap().pid.is_some());

    // PostgreSQL too, with what was committed before.
    let url = bank.database_url("transactions-service-2").unwrap();
    assert_eq!(url, bank.database_url("transactions-service").unwrap());
    ask::<i32>(&url, "SELECT 1").await.unwrap();
    bank.kill("postgres", Signal::KILL).unwrap();
    assert_eq!(bank.wait_exit("postgres").await.unwrap().signal(), Some(9));
    assert!(ask::<i32>(&url, "SELECT 1").await.is_err());
    bank.start_process("postgres").await.unwrap();
    ask::<i32>(&url, "SELECT 1").await.unwrap();

    let data = bank.data().clone();
    bank.stop().await.unwrap();
    let left = stack::state::State::read(&data).unwrap().unwrap();
    assert!(
        left.processes
            .iter()
            .all(|process| process.status == Status::Down && process.pid.is_none())
    );
    assert!(ask::<i32>(&url, "SELECT 1").await.is_err());
}

#[tokio::test]
async fn a_service_gets_into_its_own_database_only_and_commits_are_durable() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = options(folder.path());
    wanted.throw_away = false;
    let bank = Bank::prepare(&wanted).await.unwrap();
    let own = bank.service_database_url("accounts-service").unwrap();
    assert_eq!(
        ask::<String>(&own, "SELECT current_user::text")
            .await
            .unwrap(),
        "accounts_service"
    );
    assert_eq!(
        ask::<String>(&own, "SHOW server_encoding").await.unwrap(),
        "UTF8"
    );
    assert_eq!(ask::<String>(&own, "SHOW fsync").await.unwrap(), "on");
    assert_eq!(
        ask::<String>(&own, "SHOW listen_addresses").await.unwrap(),
        "127.0.0.1"
    );
    for other in ["customer_db", "transactions_db", "postgres", "template1"] {
        let stranger = stack::databases::readdress(&own, None, other).unwrap();
        let refused = ask::<i32>(&stranger, "SELECT 1")
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("permission denied"), "{other}: {refused}");
    }
    let wrong = own.replace("accounts_service:", "accounts_service:x");
    assert!(ask::<i32>(&wrong, "SELECT 1").await.is_err());

    // The same data is found again.
    ask::<bool>(
        &own,
        "WITH made AS (SELECT set_config('a.b', 'c', false)) SELECT true FROM made",
    )
    .await
    .unwrap();
    let mut connection = PgConnection::connect(&own).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept (x int)")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    bank.stop().await.unwrap();
    let again = Bank::prepare(&wanted).await.unwrap();
    let own = again.service_database_url("accounts-service").unwrap();
    assert_eq!(
        ask::<i64>(&own, "SELECT count(*) FROM kept").await.unwrap(),
        0
    );
    let data = again.data().clone();
    again.stop().await.unwrap();
    stack::postgres::Cluster::erase_outside(&data).unwrap();
}

#[tokio::test]
async fn a_data_directory_is_used_by_one_bank_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let bank = Bank::prepare(&options(folder.path())).await.unwrap();
    let second = Bank::prepare(&options(folder.path())).await.unwrap_err();
    assert!(second.to_string().contains("already runs"), "{second}");
    drop(bank);
    Bank::prepare(&options(folder.path())).await.unwrap();
}

#[tokio::test]
async fn a_service_that_ends_at_once_is_reported_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = options(folder.path()).setting_for("transactions-service", "STUB_FAILS", 1);
    let error = Bank::start(wanted).await.unwrap_err().to_string();
    assert!(error.contains("transactions-service ended"), "{error}");
    assert!(error.contains("told to fail"), "{error}");
}

#[tokio::test]
async fn databases_of_ones_own_are_used_as_they_are_and_borrowed_clusters_left_clean() {
    let folder = tempfile::tempdir().unwrap();
    let host = Bank::prepare(&options(&folder.path().join("host")))
        .await
        .unwrap();
    let own = host.database_url("customer-service").unwrap();

    let mut wanted = options(&folder.path().join("given"));
    for variable in [
        "CUSTOMER_DATABASE_URL",
        "ACCOUNTS_DATABASE_URL",
        "TRANSACTIONS_DATABASE_URL",
    ] {
        wanted = wanted.setting(variable, &own);
    }
    let given = Bank::start(wanted).await.unwrap();
    assert!(given.state().process("postgres").is_none());
    assert_eq!(given.database_url("accounts-service").unwrap(), own);
    given.stop().await.unwrap();

    let mut wanted = options(&folder.path().join("borrowed"));
    wanted.cluster = ClusterChoice::Existing(own.clone());
    let borrowed = Bank::start(wanted).await.unwrap();
    let count = "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_db\\_%'";
    assert_eq!(ask::<i64>(&own, count).await.unwrap(), 3);
    borrowed.stop().await.unwrap();
    assert_eq!(ask::<i64>(&own, count).await.unwrap(), 0);
    host.stop().await.unwrap();
}

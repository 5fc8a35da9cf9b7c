//! Databases that are put back to an earlier state.
//!
//! A copy is made by PostgreSQL itself (`CREATE DATABASE … TEMPLATE`), and takes the database's name
//! when it is put back: to its service it is a fail-over to a copy without the last commits.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::TestBank;

/// A copy of one database, to be put in its place.
#[derive(Debug)]
pub struct Copy {
    service: String,
    database: String,
}

impl TestBank {
    /// Copies the database of a service as it is now. Whoever is connected loses the connection.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub async fn copy_database(&self, service: &str) -> Copy {
        let (mut server, database) = self.server_of(service).await;
        let copy = Copy {
            service: service.to_owned(),
            database: format!("{database}_copy"),
        };
        let owner = owner(&mut server, &database).await;
        close(&mut server, &database).await;
        run(
            &mut server,
            format!(
                "CREATE DATABASE {} TEMPLATE {database} OWNER {owner}",
                copy.database
            ),
        )
        .await;
        run(
            &mut server,
            format!("ALTER DATABASE {database} ALLOW_CONNECTIONS true"),
        )
        .await;
        server.close().await.expect("closed");
        copy
    }

    /// Puts a copy in the place of the database it was made of. Whoever is connected loses the
    /// connection, and finds the copy when it connects again.
    ///
    /// # Panics
    /// When it cannot be renamed.
    pub async fn put_back(&self, copy: Copy) {
        let (mut server, database) = self.server_of(&copy.service).await;
        close(&mut server, &database).await;
        run(
            &mut server,
            format!("ALTER DATABASE {database} RENAME TO {database}_lost"),
        )
        .await;
        run(
            &mut server,
            format!("ALTER DATABASE {} RENAME TO {database}", copy.database),
        )
        .await;
        server.close().await.expect("closed");
        self.forget_connections(&copy.service);
    }

    async fn server_of(&self, service: &str) -> (PgConnection, String) {
        let url = self.bank.database_url(service).expect("a database");
        let options: PgConnectOptions = url.parse().expect("a database URL");
        let database = options.get_database().expect("a name").to_owned();
        let server = options.database("postgres").connect().await;
        (server.expect("the server"), database)
    }
}

async fn close(server: &mut PgConnection, database: &str) {
    run(
        server,
        format!("ALTER DATABASE {database} ALLOW_CONNECTIONS false"),
    )
    .await;
    // Waits for each of them to be gone.
    let gone: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1",
    )
    .bind(database)
    .fetch_all(&mut *server)
    .await
    .expect("who is connected");
    assert!(gone.iter().all(|gone| *gone), "somebody is still connected");
}

async fn owner(server: &mut PgConnection, database: &str) -> String {
    sqlx::query_scalar("SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1")
        .bind(database)
        .fetch_one(server)
        .await
        .expect("its owner")
}

async fn run(server: &mut PgConnection, statement: String) {
    sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(server)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

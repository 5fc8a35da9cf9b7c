//! A store of its own for each test.

use std::str::FromStr;

use documents::{Body, Documents, Settings, body_of};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// A store that exists as long as this value.
pub struct Bench {
    pub documents: Documents,
    settings: Settings,
    server: Server,
}

enum Server {
    Postgres {
        admin: PgConnectOptions,
        name: String,
    },
}

impl Bench {
    /// An empty database on the test server.
    pub async fn postgres() -> Self {
        let url = std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
            panic!("TEST_POSTGRES_URL is not set: run ./scripts/test, or stack with-postgres")
        });
        let admin = PgConnectOptions::from_str(&url).expect("a PostgreSQL URL");
        let name = format!("documents_{}", uuid::Uuid::new_v4().simple());
        execute(
            &admin,
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
        )
        .await
        .expect("a database");
        // The user with the password, as they stand in the URL.
        let user = url
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .map_or("postgres", |(user, _)| user);
        let (host, port) = (admin.get_host(), admin.get_port());
        let settings = Settings::postgres(&format!("postgres://{user}@{host}:{port}/{name}"));
        let documents = Documents::connect(&settings).await.expect("connected");
        Self {
            documents,
            settings,
            server: Server::Postgres { admin, name },
        }
    }

    /// Another process's view of the same store.
    pub async fn another(&self) -> Documents {
        Documents::connect(&self.settings).await.expect("connected")
    }

    /// Cuts off whoever is connected, in the middle of whatever they do.
    pub async fn cut_off(&self) {
        match &self.server {
            Server::Postgres { admin, name } => {
                let statement = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                execute(admin, &statement).await.expect("ended");
            }
        }
    }
}

async fn execute(server: &PgConnectOptions, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection: PgConnection = server.connect().await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

impl Drop for Bench {
    fn drop(&mut self) {
        match &self.server {
            // Where the whole server goes, dropping its databases only takes time.
            Server::Postgres { .. } if std::env::var_os("TEST_POSTGRES_THROW_AWAY").is_some() => {}
            Server::Postgres { admin, name } => {
                let admin = admin.clone();
                let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                // A thread of its own: the test's runtime cannot be waited for from inside it.
                let dropping = std::thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .expect("a runtime");
                    runtime.block_on(execute(&admin, &statement)).ok();
                });
                dropping.join().ok();
            }
        }
    }
}

/// The fields of an object that a test wrote down.
pub fn body(value: Value) -> Body {
    body_of(&value).expect("a document")
}

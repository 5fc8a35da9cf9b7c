//! A store of its own for each test.

use std::str::FromStr;

use documents::{Body, Documents, Settings, body_of};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::server::Server;

/// A store that exists as long as this value.
pub struct Bench {
    pub documents: Documents,
    settings: Settings,
    server: Kind,
}

enum Kind {
    Postgres {
        admin: Box<PgConnectOptions>,
        name: String,
    },
    /// `None`: the one that all tests share.
    MongoDb(Option<Server>),
}

impl Bench {
    /// An empty database on the test server.
    pub async fn postgres() -> Self {
        let url = std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| {
            panic!("TEST_POSTGRES_URL is not set: run ./scripts/test, or stack with-postgres")
        });
        let admin = PgConnectOptions::from_str(&url).expect("a PostgreSQL URL");
        let name = name();
        let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        execute(&admin, &create).await.expect("a database");
        // The user with the password, as they stand in the URL.
        let user = url
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .map_or("postgres", |(user, _)| user);
        let (host, port) = (admin.get_host(), admin.get_port());
        let settings = Settings::postgres(&format!("postgres://{user}@{host}:{port}/{name}"));
        let admin = Box::new(admin);
        Self::connect(settings, Kind::Postgres { admin, name }).await
    }

    /// An empty database on a server that speaks MongoDB's protocol; `None` where there is none.
    pub async fn mongodb() -> Option<Self> {
        let url = Server::shared()?.url(&name());
        Some(Self::connect(Settings::mongodb(&url), Kind::MongoDb(None)).await)
    }

    /// The same on a server of its own, which may be killed.
    pub async fn mongodb_alone() -> Option<Self> {
        let server = Server::start()?;
        let settings = Settings::mongodb(&server.url("documents"));
        Some(Self::connect(settings, Kind::MongoDb(Some(server))).await)
    }

    async fn connect(settings: Settings, server: Kind) -> Self {
        Self {
            documents: Documents::connect(&settings).await.expect("connected"),
            settings,
            server,
        }
    }

    /// Another process's view of the same store.
    pub async fn another(&self) -> Documents {
        Documents::connect(&self.settings).await.expect("connected")
    }

    /// Interrupts whoever is connected, in the middle of whatever they do: PostgreSQL ends their
    /// connections; the other server is killed and started again.
    pub async fn interrupt(&mut self) {
        match &mut self.server {
            Kind::Postgres { admin, name } => {
                let statement = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                execute(admin, &statement).await.expect("ended");
            }
            Kind::MongoDb(Some(server)) => server.kill_and_restart(),
            Kind::MongoDb(None) => panic!("others use this server too"),
        }
    }
}

fn name() -> String {
    format!("documents_{}", uuid::Uuid::new_v4().simple())
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
        // Where the whole server goes, dropping its databases only takes time.
        let throw_away = std::env::var_os("TEST_POSTGRES_THROW_AWAY").is_some();
        if let Kind::Postgres { admin, name } = &self.server
            && !throw_away
        {
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

/// The fields of an object that a test wrote down.
pub fn body(value: Value) -> Body {
    body_of(&value).expect("a document")
}

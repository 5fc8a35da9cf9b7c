//! What integration tests of services are built on: a database of their own, a service on a real
//! port, and a test run by itself. Only with the feature `testing`.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::config::DatabaseUrl;
use crate::{database, serve};

/// Names a superuser's URL of the PostgreSQL server that tests may create databases on.
const SERVER_VARIABLE: &str = "TEST_POSTGRES_URL";

/// Set where the whole server goes when the tests are done. Dropping a database waits for every
/// process of the server, which takes longer than most tests.
const THROW_AWAY_VARIABLE: &str = "TEST_POSTGRES_THROW_AWAY";

/// A database that exists as long as this value.
pub struct TestDatabase {
    server: PgConnectOptions,
    name: String,
    url: DatabaseUrl,
}

impl TestDatabase {
    /// An empty database with a name of its own.
    ///
    /// # Panics
    /// When no server is named by `TEST_POSTGRES_URL`, or it cannot be used.
    pub async fn create() -> Self {
        let Ok(server_url) = std::env::var(SERVER_VARIABLE) else {
            panic!(
                "{SERVER_VARIABLE} is not set: run ./scripts/test, which starts a PostgreSQL server for the tests"
            );
        };
        let server = PgConnectOptions::from_str(&server_url).expect("a PostgreSQL URL");
        let name = format!("test_{}", Uuid::new_v4().simple());
        execute(
            &server,
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
        )
        .await
        .expect("the server of TEST_POSTGRES_URL lets us create a database");
        let user = server_url
            .split_once("://")
            .and_then(|(_, rest)| rest.rsplit_once('@'))
            .map_or("postgres", |(user, _)| user);
        let url = format!(
            "postgres://{user}@{}:{}/{name}",
            server.get_host(),
            server.get_port()
        );
        Self {
            url: url.parse().expect("a database URL"),
            server,
            name,
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A pool like a service's.
    ///
    /// # Panics
    /// When the database cannot be reached.
    pub async fn pool(&self) -> PgPool {
        database::connect(&self.url, 5, "test")
            .await
            .expect("the database that was just created")
    }
}

/// Asserts that a test of the calling test program sees a planted bug: run by itself it passes, and
/// with the bug in the variable it fails and prints `words`.
///
/// Each run is a process of its own, because a bug is planted for a whole process.
///
/// # Panics
/// When it does not, or when there is no such test.
pub fn assert_catches(test: &str, variable: &str, bug: &str, words: &str) {
    let (passed, printed) = run_alone(test, None);
    assert!(passed, "{test} fails anyway: {printed}");
    let (passed, printed) = run_alone(test, Some((variable, bug)));
    assert!(!passed, "{test} does not see {bug}");
    assert!(
        printed.contains(words),
        "{test} fails with {bug}, and not in these words: {words}\n{printed}"
    );
}

/// Whether a test of the calling program passes in a process of its own, with this variable, and
/// what it prints.
///
/// # Panics
/// When there is no such test.
#[must_use]
pub fn run_alone(test: &str, variable: Option<(&str, &str)>) -> (bool, String) {
    let program = std::env::current_exe().expect("this program");
    let run = std::process::Command::new(program)
        .args([test, "--exact", "--include-ignored", "--test-threads=1"])
        .envs(variable)
        .output()
        .expect("this program once more");
    let printed = [run.stdout, run.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    assert!(printed.contains("running 1 test"), "there is no {test}");
    (run.status.success(), printed)
}

async fn execute(server: &PgConnectOptions, statement: &str) -> Result<(), sqlx::Error> {
    let mut connection: PgConnection = server.connect().await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if std::env::var_os(THROW_AWAY_VARIABLE).is_some() {
            return;
        }
        let server = self.server.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own, because the test's runtime cannot be waited for from inside it.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime
                && let Err(error) = runtime.block_on(execute(&server, &statement))
            {
                eprintln!("a test database is left behind: {error}");
            }
        });
        dropping.join().ok();
    }
}

/// A service on a port of its own, until this value is dropped or told to stop.
pub struct TestServer {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Serves on a free port of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub async fn start(service: serve::Service) -> Self {
        let listener = serve::bind(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
            .await
            .expect("a free port");
        Self::start_on(listener, service)
    }

    /// Serves on a listener.
    ///
    /// # Panics
    /// When the listener has no address.
    #[must_use]
    pub fn start_on(listener: tokio::net::TcpListener, service: serve::Service) -> Self {
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(serve::run(service, listener, async {
            stopped.await.ok();
        }));
        Self {
            url: format!("http://{address}"),
            stop: Some(stop),
            running: Some(running),
        }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks it to stop, as SIGTERM does, and waits until it has.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(running) = self.running.take() {
            running.await.ok();
        }
    }

    /// Asks it to stop and does not wait.
    pub fn begin_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

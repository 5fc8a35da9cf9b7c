//! The connection pool, and the rules that keep its connections clean.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use crate::config::DatabaseUrl;
use crate::context;

/// How often a statement that lost against another one is tried in all.
const ATTEMPTS: u32 = 6;

/// Connects, waiting up to 30 s for a database that is still starting.
///
/// Every connection has `synchronous_commit` on, whatever the role says: a vote or a decision that
/// is not on disk must never be announced. Statements end after 15 s, forgotten transactions after
/// 20 s, so nothing holds locks for ever.
///
/// # Errors
/// When the URL is not one, or the database refuses or does not answer.
pub async fn connect(
    url: &DatabaseUrl,
    connections: u32,
    application_name: &str,
) -> Result<PgPool, sqlx::Error> {
    let options = url
        .reveal()
        .parse::<PgConnectOptions>()?
        .application_name(application_name)
        .options([
            ("synchronous_commit", "on"),
            ("statement_timeout", "15s"),
            ("idle_in_transaction_session_timeout", "20s"),
        ])
        .disable_statement_logging();
    let pool = pool_of(connections).connect_lazy_with(options);
    wait_until_up(&pool).await?;
    Ok(pool)
}

/// Connections for statements whose rows are all found by their keys: those of the commit protocol.
///
/// Such a statement has one good plan, by the index, whatever the tables hold. A planner that may
/// choose plans it anew each time, which costs more than carrying it out, and reads whole tables for
/// as long as it believes them to be as small as they were when somebody last counted. The plan is
/// also what makes statements lock rows in the order in which they name them.
#[derive(Debug, Clone)]
pub struct ByKey(PgPool);

impl ByKey {
    /// As many connections as `pool` may have, to the same database.
    #[must_use]
    pub fn beside(pool: &PgPool) -> Self {
        let options = pool.connect_options().as_ref().clone().options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("enable_hashjoin", "off"),
            ("enable_mergejoin", "off"),
            ("enable_bitmapscan", "off"),
            // What cannot do without one of these looks so expensive that it would be compiled.
            ("jit", "off"),
        ]);
        let connections = pool.options().get_max_connections();
        Self(pool_of(connections).connect_lazy_with(options))
    }
}

impl std::ops::Deref for ByKey {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.0
    }
}

fn pool_of(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(3))
        // A ping before every use would double the round trips; one after a pause finds the
        // connections that died with their server.
        .test_before_acquire(false)
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for > Duration::from_secs(1) {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

async fn wait_until_up(pool: &PgPool) -> Result<(), sqlx::Error> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        match sqlx::query("SELECT 1").execute(pool).await {
            Ok(_) => return Ok(()),
            Err(error) if is_unreachable(&error) && tokio::time::Instant::now() < deadline => {
                tracing::warn!(event = "DATABASE_UNAVAILABLE", error = %error);
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Brings the schema up to date. Several replicas may do so at once: the migrator takes a lock.
///
/// # Errors
/// When a migration fails, or one that ran before has changed since.
pub async fn migrate(
    pool: &PgPool,
    migrator: &Migrator,
) -> Result<(), sqlx::migrate::MigrateError> {
    migrator.run(pool).await
}

/// The spawned task panicked, or the runtime is shutting down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a database task did not finish: {0}")]
pub struct JoinFailed(String);

impl From<JoinFailed> for sqlx::Error {
    fn from(error: JoinFailed) -> Self {
        Self::Protocol(error.to_string())
    }
}

/// Runs database work in a task of its own, so that it ends whatever happens to the caller.
///
/// A handler's future is dropped when its client hangs up. Dropped inside `begin()`, the driver can
/// put a connection with an open transaction back into the pool, and the next user's writes vanish
/// with it. A task of its own is never dropped half-way.
///
/// # Errors
/// Those of the work, and [`JoinFailed`] when it panics.
pub async fn spawned<T, E>(
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<JoinFailed> + Send + 'static,
{
    match context::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(JoinFailed(error.to_string()).into()),
    }
}

/// An error that may be one of the kinds that go away by trying again.
pub trait Transient: Display {
    /// The statement lost against another one and left nothing behind.
    fn is_transient(&self) -> bool;
}

impl Transient for sqlx::Error {
    fn is_transient(&self) -> bool {
        is_transient(self)
    }
}

/// A serialization failure or a deadlock (SQLSTATE 40001, 40P01): nothing happened, try again.
#[must_use]
pub fn is_transient(error: &sqlx::Error) -> bool {
    sql_state(error).is_some_and(|state| matches!(state.as_str(), "40001" | "40P01"))
}

/// Nobody answered, so nothing is known about what was asked: the server is down, starting,
/// stopping, or out of what it needs (SQLSTATE class 53: connections, memory, disk).
#[must_use]
pub fn is_unreachable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        other => sql_state(other).is_some_and(|state| {
            ["08", "53"].iter().any(|class| state.starts_with(class))
                || matches!(state.as_str(), "57P01" | "57P02" | "57P03")
        }),
    }
}

/// The cause lies in the data that were to be written or read: a violated constraint, a value out of
/// range, an exception raised by a trigger, a value that cannot be read (SQLSTATE classes 22, 23 and
/// P0). Everything else says nothing about the data: a lost connection, a full disk, a statement
/// that took too long.
#[must_use]
pub fn is_of_an_item(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        other => sql_state(other).is_some_and(|state| {
            ["22", "23", "P0"]
                .iter()
                .any(|class| state.starts_with(class))
        }),
    }
}

fn sql_state(error: &sqlx::Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// Repeats `operation` while it fails for a reason that goes away, up to six times with growing,
/// random pauses. Each attempt must be a whole database transaction.
///
/// # Errors
/// The last one.
pub async fn retry_transient<T, E, F, Fut>(mut operation: F) -> Result<T, E>
where
    E: Transient,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let mut attempt = 1;
    loop {
        match operation().await {
            Err(error) if error.is_transient() && attempt < ATTEMPTS => {
                metrics::counter!("bank_database_retries_total").increment(1);
                tracing::debug!(event = "DATABASE_RETRY", attempt, error = %error);
                let most = 5_u64 << attempt;
                let pause = rand::Rng::gen_range(&mut rand::thread_rng(), 1..=most);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_database_task_is_an_error_and_not_a_hang() {
        let result = spawned::<(), sqlx::Error>(async { panic!("planted") }).await;
        assert!(result.is_err_and(|error| error.to_string().contains("did not finish")));
    }

    #[tokio::test]
    async fn work_goes_on_when_its_caller_is_dropped() {
        let (started, on_start) = tokio::sync::oneshot::channel();
        let (finished, on_finish) = tokio::sync::oneshot::channel();
        let (release, on_release) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(spawned::<(), sqlx::Error>(async move {
            started.send(()).ok();
            on_release.await.ok();
            finished.send(()).ok();
            Ok(())
        }));
        on_start.await.expect("the work starts");
        caller.abort();
        release.send(()).ok();
        on_finish.await.expect("the work ends");
    }

    #[tokio::test]
    async fn an_error_that_stays_is_given_back_at_once() {
        let mut calls = 0;
        let result: Result<(), sqlx::Error> = retry_transient(|| {
            calls += 1;
            async { Err(sqlx::Error::RowNotFound) }
        })
        .await;
        assert!(result.is_err());
        assert_eq!(calls, 1);
    }
}

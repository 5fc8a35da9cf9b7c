//! Sagas driven to their end, each in a task of its own, and taken over when their process is gone.
//!
//! The race it survives is [`saga::recovery`]'s: a process that only sleeps is taken for dead, and
//! its late writes are fenced off by the saga's epoch.

use saga::recovery::{Pace, run};
use saga::{Executor, Finished, Owned, State, Status};
use saga_postgres::PgSagaLog;
use service_kit::metrics::INTERVENTIONS;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Drives one saga in a task of its own; `None` when it was let go, and recovery goes on from there.
pub(crate) fn drive<S: State>(
    executor: &Executor<S, PgSagaLog>,
    pool: &PgPool,
    owned: Owned,
) -> JoinHandle<Option<Finished<S>>> {
    let (executor, pool) = (executor.clone(), pool.clone());
    service_kit::context::spawn(async move {
        let kind = executor.definition().kind();
        match executor.drive(owned).await {
            Ok(finished) => {
                report(kind, &finished);
                if finished.status == Status::Stuck {
                    count(&pool).await;
                }
                Some(finished)
            }
            Err(stopped) => {
                tracing::warn!(event = "SAGA_LET_GO", kind, reason = %stopped);
                None
            }
        }
    })
}

fn report<S>(kind: &'static str, finished: &Finished<S>) {
    let reason = finished.reason.as_ref().map(saga::Reason::as_str);
    let (saga_id, status) = (finished.saga_id, finished.status.as_str());
    metrics::counter!("bank_sagas_total", "kind" => kind, "status" => status).increment(1);
    if finished.status == Status::Stuck {
        tracing::error!(event = "MANUAL_INTERVENTION_REQUIRED", %saga_id, kind, reason);
    } else {
        tracing::info!(event = "SAGA_FINISHED", %saga_id, kind, status, reason);
    }
}

/// Shows how many sagas wait for a person.
pub(crate) async fn count(pool: &PgPool) {
    match saga_postgres::stuck(pool).await {
        Ok(stuck) => metrics::gauge!(INTERVENTIONS).set(f64::from(stuck)),
        Err(error) => tracing::warn!(event = "STUCK_NOT_COUNTED", %error),
    }
}

/// Takes over what nobody drives until it is told to stop.
pub(crate) fn recover<S: State>(
    executor: &Executor<S, PgSagaLog>,
    pool: &PgPool,
    pace: Pace,
    stop: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let (executor, pool) = (executor.clone(), pool.clone());
    tokio::spawn(async move {
        let spawn = |owned: Owned| {
            tracing::info!(event = "SAGA_TAKEN_OVER", saga_id = %owned.saga_id());
            drop(drive(&executor, &pool, owned));
        };
        let report = |error: saga::store::StoreError| {
            tracing::warn!(event = "SAGA_LOG_UNAVAILABLE", %error);
        };
        run(&executor, pace, spawn, report, stop).await;
    })
}

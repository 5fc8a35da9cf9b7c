//! Taking over what nobody drives.

use std::time::Duration;

use saga::SagaId;
use saga::machine::{Snapshot, Status, StepState};
use saga::store::{Claimed, Record};
use tokio::time::Instant;
use uuid::Uuid;

use crate::damaged;
use crate::lease::{Lease, interval};

/// A saga of ours without a driver is taken up again once it is this old: its driver's mark is set
/// before it begins, but looked up a moment before it is looked for here.
const MARGIN: Duration = Duration::from_secs(3);

/// Renews our lease, then takes over what nobody drives, as [`saga::SagaStore::claim`] says.
/// Durable when it returns: our lease, and owner and epoch of everything returned.
///
/// # Errors
/// Any database error.
pub async fn claim(
    lease: &Lease,
    kind: &str,
    driven: &[SagaId],
    limit: usize,
) -> Result<Vec<Claimed>, sqlx::Error> {
    let looked_up = Instant::now();
    lease.renew().await?;
    let driven: Vec<Uuid> = driven.iter().map(|id| id.uuid()).collect();
    let executor = lease.executor().uuid();
    let rows: Vec<Row> = sqlx::query_as(
        r#"WITH alive AS (
               SELECT executor_id FROM saga_executors
               WHERE lease_until > now() AND lease_until <= now() + $2 AND executor_id <> $1
           ), left_behind AS (
               SELECT saga_id FROM sagas
               WHERE status IN ('STARTED', 'COMPENSATING') AND kind = $3
                 AND owner NOT IN (SELECT executor_id FROM alive)
                 AND (owner <> $1
                      OR (saga_id <> ALL($4)
                          AND began_at NOT BETWEEN now() - $5::interval AND now()))
               ORDER BY saga_id
               LIMIT $6
               FOR UPDATE SKIP LOCKED
           )
           UPDATE sagas SET owner = $1, epoch = epoch + 1
           FROM left_behind
           WHERE sagas.saga_id = left_behind.saga_id
           RETURNING sagas.saga_id, epoch, sequence, status, steps, state,
                     EXTRACT(EPOCH FROM now() - began_at)::float8 AS age"#,
    )
    .bind(executor)
    .bind(interval(lease.length()))
    .bind(kind)
    .bind(&driven)
    .bind(interval(looked_up.elapsed() + MARGIN))
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(lease.pool())
    .await?;
    rows.into_iter().map(Row::claimed).collect()
}

/// Takes one stuck saga for an operator's command, as [`saga::SagaStore::take_stuck`] says. Durable
/// when it returns: owner and epoch.
///
/// # Errors
/// Any database error.
pub async fn take_stuck(
    lease: &Lease,
    kind: &str,
    saga_id: SagaId,
) -> Result<Option<Claimed>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        r#"UPDATE sagas SET owner = $1, epoch = epoch + 1
           WHERE saga_id = $2 AND kind = $3 AND status = 'STUCK'
           RETURNING saga_id, epoch, sequence, status, steps, state,
                     EXTRACT(EPOCH FROM now() - began_at)::float8 AS age"#,
    )
    .bind(lease.executor().uuid())
    .bind(saga_id.uuid())
    .bind(kind)
    .fetch_optional(lease.pool())
    .await?;
    row.map(Row::claimed).transpose()
}

#[derive(sqlx::FromRow)]
struct Row {
    saga_id: Uuid,
    epoch: i32,
    sequence: i32,
    status: String,
    steps: Vec<String>,
    state: String,
    /// In seconds.
    age: f64,
}

impl Row {
    fn claimed(self) -> Result<Claimed, sqlx::Error> {
        let mut statuses = Status::ALL.into_iter();
        let status = statuses.find(|known| known.as_str() == self.status);
        let steps = self.steps.iter().map(|step| {
            let mut states = StepState::ALL.into_iter();
            let state = states.find(|known| known.as_str() == step);
            state.ok_or_else(|| damaged(step))
        });
        let snapshot = Snapshot {
            status: status.ok_or_else(|| damaged(&self.status))?,
            steps: steps.collect::<Result<_, _>>()?,
        };
        Ok(Claimed {
            saga_id: SagaId::from_uuid(self.saga_id),
            epoch: self.epoch,
            record: Record {
                snapshot,
                sequence: u32::try_from(self.sequence).map_err(damaged)?,
                state: self.state,
            },
            // A clock that was set back makes it negative: then it has just begun.
            age: Duration::try_from_secs_f64(self.age).unwrap_or_default(),
        })
    }
}

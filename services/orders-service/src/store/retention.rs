//! What is old enough to be deleted, and the deletion. Orders stay, and their sagas are theirs.

use std::time::Duration;

use saga::{Direction, OperationId, SagaId};
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

fn interval(length: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(length.as_micros()).unwrap_or(i64::MAX),
    }
}

/// Deletes the oldest keys whose first answer is on record, used longer than `kept_for` ago, by the
/// database's clock and of orders before `before`, by ours; at most `limit`. How many, durable when
/// it returns.
pub(crate) async fn delete_keys(
    pool: &PgPool,
    before: Uuid,
    kept_for: Duration,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM idempotency_keys WHERE (scope, key) IN (
             SELECT k.scope, k.key FROM idempotency_keys k
             WHERE k.created_at < now() - $1::interval AND k.order_id < $2
               AND NOT EXISTS (SELECT FROM sagas s WHERE s.saga_id = k.order_id
                               AND s.status NOT IN ('COMMITTED', 'COMPENSATED'))
             ORDER BY k.created_at LIMIT $3 FOR UPDATE OF k SKIP LOCKED)",
        interval(kept_for),
        before,
        limit,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// The operations of all sagas that are not over, with steps of these names: an operator may have
/// them tried again, however old they are.
pub(crate) async fn open_operations(
    connection: &mut PgConnection,
    steps: &[&'static str],
) -> Result<Vec<Uuid>, sqlx::Error> {
    let open = sqlx::query_scalar!(
        "SELECT saga_id FROM sagas WHERE status IN ('STARTED', 'COMPENSATING')
         UNION ALL SELECT saga_id FROM sagas WHERE status = 'STUCK'"
    )
    .fetch_all(connection)
    .await?;
    let sagas = open.into_iter().flatten().map(SagaId::from_uuid);
    Ok(sagas.flat_map(|saga| operations(saga, steps)).collect())
}

fn operations(saga: SagaId, steps: &[&'static str]) -> Vec<Uuid> {
    let directions = [Direction::Action, Direction::Compensation];
    let both = |step: &&'static str| {
        let step = *step;
        directions.map(|direction| OperationId::new(saga, step, direction).uuid())
    };
    steps.iter().flat_map(both).collect()
}

/// Deletes what was recorded of the oldest operations, longer than `kept_for` ago and not among
/// `open`; at most `limit`. How many, durable with the caller's database transaction.
pub(crate) async fn delete_operations(
    connection: &mut PgConnection,
    open: &[Uuid],
    kept_for: Duration,
    limit: i64,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "DELETE FROM order_operations WHERE operation_id IN (
             SELECT operation_id FROM order_operations
             WHERE at < now() - $1::interval AND operation_id <> ALL($2)
             ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED)",
        interval(kept_for),
        open,
        limit,
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

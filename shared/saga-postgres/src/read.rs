//! Sagas for people to read.

use std::collections::HashMap;

use sqlx::PgPool;
use types::SagaId;
use types::views::{SagaStatus, SagaView};
use uuid::Uuid;

use crate::view::{Line, Row, StepNames};

/// Which sagas are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct SagaFilter {
    /// Only those that stand like this.
    pub status: Option<SagaStatus>,
    /// Only those that began before this one.
    pub before: Option<SagaId>,
}

/// One saga with its log; `None`: there is none.
///
/// # Errors
/// Any database error.
pub async fn saga(
    pool: &PgPool,
    names: &StepNames,
    saga_id: SagaId,
) -> Result<Option<SagaView>, sqlx::Error> {
    let rows = sqlx::query_as::<_, Row>(
        "SELECT saga_id, kind, status, steps, began_at FROM sagas WHERE saga_id = $1",
    )
    .bind(saga_id.uuid())
    .fetch_all(pool)
    .await?;
    Ok(with_logs(pool, names, rows).await?.pop())
}

/// Sagas with their logs, the latest first, at most `limit`.
///
/// # Errors
/// Any database error.
pub async fn sagas(
    pool: &PgPool,
    names: &StepNames,
    filter: SagaFilter,
    limit: usize,
) -> Result<Vec<SagaView>, sqlx::Error> {
    let (before, limit) = (
        filter.before.map(SagaId::uuid),
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    // A statement of its own, or the planner would not use the index of the stuck ones.
    let rows = if filter.status == Some(SagaStatus::Stuck) {
        sqlx::query_as::<_, Row>(
            r#"SELECT saga_id, kind, status, steps, began_at FROM sagas
               WHERE status = 'STUCK' AND ($1::uuid IS NULL OR saga_id < $1)
               ORDER BY saga_id DESC LIMIT $2"#,
        )
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await?
    } else {
        sqlx::query_as::<_, Row>(
            r#"SELECT saga_id, kind, status, steps, began_at FROM sagas
               WHERE ($1::text IS NULL OR status = $1) AND ($2::uuid IS NULL OR saga_id < $2)
               ORDER BY saga_id DESC LIMIT $3"#,
        )
        .bind(filter.status.map(SagaStatus::as_str))
        .bind(before)
        .bind(limit)
        .fetch_all(pool)
        .await?
    };
    with_logs(pool, names, rows).await
}

/// How many sagas are stuck, at most a thousand: for a gauge.
///
/// # Errors
/// Any database error.
pub async fn stuck(pool: &PgPool) -> Result<u32, sqlx::Error> {
    let stuck: i64 = sqlx::query_scalar(
        r#"SELECT count(*) 
           FROM (SELECT 1 FROM sagas WHERE status = 'STUCK' LIMIT 1000) AS stuck"#,
    )
    .fetch_one(pool)
    .await?;
    Ok(u32::try_from(stuck).unwrap_or(u32::MAX))
}

async fn with_logs(
    pool: &PgPool,
    names: &StepNames,
    rows: Vec<Row>,
) -> Result<Vec<SagaView>, sqlx::Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.saga_id).collect();
    let lines: Vec<Line> = sqlx::query_as(
        "SELECT saga_id, at, event, step, reason, attempts FROM saga_log
         WHERE saga_id = ANY($1) ORDER BY saga_id, sequence",
    )
    .bind(&ids)
    .fetch_all(pool)
    .await?;
    let mut logs: HashMap<Uuid, Vec<Line>> = HashMap::new();
    for line in lines {
        logs.entry(line.saga_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| {
            let log = logs.remove(&row.saga_id).unwrap_or_default();
            row.view(names, log)
        })
        .collect()
}

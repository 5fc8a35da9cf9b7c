//! Contradictions that were seen. They stay until an operator acknowledges them.

use sqlx::{PgConnection, PgPool};
use types::views::{AuditAction, HazardAbout, HazardView, ResolutionOutcome};
use types::{LoginId, ParticipantId, TransactionId};

use crate::store::audit::{self, NewEntry};
use crate::store::damaged;

/// One contradiction.
#[derive(Debug, Clone)]
pub(crate) struct HazardRow {
    pub(crate) transaction_id: TransactionId,
    pub(crate) about: HazardAbout,
}

impl HazardRow {
    pub(crate) fn is_open(&self) -> bool {
        self.about.hazard.acknowledged_at.is_none()
    }
}

/// Records a contradiction. Durable when it returns; true when it is new.
///
/// `result` is the decision, where it met a branch that had been forced: that stands in the audit
/// trail too.
pub(crate) async fn record(
    pool: &PgPool,
    transaction: TransactionId,
    participant: &ParticipantId,
    hazard: &str,
    result: Option<ResolutionOutcome>,
) -> Result<bool, sqlx::Error> {
    let mut database_transaction = pool.begin().await?;
    let done = sqlx::query!(
        "INSERT INTO hazards (transaction_id, participant, hazard, detail)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        transaction.uuid(),
        participant.as_str(),
        hazard,
        "",
    )
    .execute(&mut *database_transaction)
    .await?;
    if result.is_some() {
        let entry = NewEntry {
            outcome: result,
            detail: Some(hazard),
            ..NewEntry::of(AuditAction::Result, transaction, participant)
        };
        audit::append(&mut database_transaction, &entry).await?;
    }
    database_transaction.commit().await?;
    Ok(done.rows_affected() == 1)
}

/// Everything that waits for an operator, and with `acknowledged` what did; oldest first.
pub(crate) async fn list(pool: &PgPool, acknowledged: bool) -> Result<Vec<HazardRow>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT transaction_id, participant, hazard, detail, seen_at, acknowledged_at FROM hazards
         WHERE acknowledged_at IS NULL OR $1
         ORDER BY acknowledged_at IS NOT NULL, seen_at LIMIT 1000",
        acknowledged,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(HazardRow {
                transaction_id: row.transaction_id.into(),
                about: HazardAbout {
                    participant: row.participant.parse().map_err(damaged)?,
                    hazard: HazardView {
                        hazard: row.hazard,
                        detail: row.detail.filter(|detail| !detail.is_empty()),
                        seen_at: row.seen_at.into(),
                        acknowledged_at: row.acknowledged_at.map(Into::into),
                    },
                },
            })
        })
        .collect()
}

/// The names under which hazards of a branch are on record, open or not.
pub(crate) async fn names(
    pool: &PgPool,
    transaction: TransactionId,
    participant: &ParticipantId,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT hazard FROM hazards WHERE transaction_id = $1 AND participant = $2",
        transaction.uuid(),
        participant.as_str(),
    )
    .fetch_all(pool)
    .await
}

/// Marks a hazard as acknowledged. Durable when it returns: that it is no longer open, who said so
/// and why. One that was acknowledged before stays as it is.
pub(crate) async fn acknowledge(
    pool: &PgPool,
    transaction: TransactionId,
    participant: &ParticipantId,
    hazard: &str,
    actor: LoginId,
    reason: &str,
) -> Result<(), sqlx::Error> {
    let mut database_transaction = pool.begin().await?;
    let done = sqlx::query!(
        "UPDATE hazards SET acknowledged_at = now()
         WHERE transaction_id = $1 AND participant = $2 AND hazard = $3
           AND acknowledged_at IS NULL",
        transaction.uuid(),
        participant.as_str(),
        hazard,
    )
    .execute(&mut *database_transaction)
    .await?;
    if done.rows_affected() == 1 {
        let entry = NewEntry {
            actor: Some(actor),
            hazard: Some(hazard),
            reason: Some(reason),
            ..NewEntry::of(AuditAction::Acknowledged, transaction, participant)
        };
        audit::append(&mut database_transaction, &entry).await?;
    }
    database_transaction.commit().await
}

/// Marks what was raised about a branch as dealt with: operators have forced its outcome.
pub(super) async fn dealt_with(
    connection: &mut PgConnection,
    transaction: TransactionId,
    participant: &ParticipantId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE hazards SET acknowledged_at = now()
         WHERE transaction_id = $1 AND participant = $2 AND acknowledged_at IS NULL",
        transaction.uuid(),
        participant.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How many wait.
pub(crate) async fn count_open(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM hazards WHERE acknowledged_at IS NULL"#)
        .fetch_one(pool)
        .await
}

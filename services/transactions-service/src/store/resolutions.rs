//! Outcomes that operators force: who proposed, on what evidence, who confirmed. Never deleted; each
//! step stands in the audit trail too, written in the same database transaction.

use sqlx::PgPool;
use types::views::{AuditAction, ResolutionAccepted};
use types::{LoginId, TransactionId};

use crate::store::audit::{self, NewEntry, outcome, outcome_text};
use crate::store::{damaged, hazards};

/// A proposal with what is not shown to everybody.
#[derive(Debug, Clone)]
pub(crate) struct ResolutionRow {
    pub(crate) view: ResolutionAccepted,
    pub(crate) evidence: String,
    pub(crate) proposed_by: LoginId,
}

impl ResolutionRow {
    fn step<'a>(&'a self, action: AuditAction, actor: LoginId, evidence: &'a str) -> NewEntry<'a> {
        NewEntry {
            actor: Some(actor),
            resolution_id: Some(self.view.resolution_id),
            outcome: Some(self.view.outcome),
            evidence: Some(evidence),
            reason: Some(&self.view.reason),
            ..NewEntry::of(action, self.view.transaction_id, &self.view.participant)
        }
    }
}

/// Writes a proposal. Durable when it returns, with its line in the audit trail.
pub(crate) async fn propose(pool: &PgPool, row: &ResolutionRow) -> Result<(), sqlx::Error> {
    let mut database_transaction = pool.begin().await?;
    sqlx::query!(
        "INSERT INTO resolutions
             (resolution_id, transaction_id, participant, outcome, reason, evidence, proposed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        row.view.resolution_id.uuid(),
        row.view.transaction_id.uuid(),
        row.view.participant.as_str(),
        outcome_text(row.view.outcome),
        row.view.reason,
        row.evidence,
        row.proposed_by.uuid(),
    )
    .execute(&mut *database_transaction)
    .await?;
    let entry = row.step(AuditAction::Proposed, row.proposed_by, &row.evidence);
    audit::append(&mut database_transaction, &entry).await?;
    database_transaction.commit().await
}

/// Writes who confirmed it, once, and before anything is forced.
///
/// True when this call confirmed it, which is durable then; false when somebody had before.
pub(crate) async fn confirm(
    pool: &PgPool,
    row: &ResolutionRow,
    confirmed_by: LoginId,
    evidence: &str,
) -> Result<bool, sqlx::Error> {
    let mut database_transaction = pool.begin().await?;
    let done = sqlx::query!(
        "UPDATE resolutions SET confirmed_by = $2, confirmed_at = now()
         WHERE resolution_id = $1 AND confirmed_by IS NULL",
        row.view.resolution_id.uuid(),
        confirmed_by.uuid(),
    )
    .execute(&mut *database_transaction)
    .await?;
    let first = done.rows_affected() == 1;
    if first {
        let entry = row.step(AuditAction::Confirmed, confirmed_by, evidence);
        audit::append(&mut database_transaction, &entry).await?;
    }
    database_transaction.commit().await?;
    Ok(first)
}

/// Keeps that a confirmation was refused, or that the bank did not do what was confirmed. Durable
/// when it returns.
pub(crate) async fn refused(
    pool: &PgPool,
    row: &ResolutionRow,
    action: AuditAction,
    actor: LoginId,
    evidence: &str,
    detail: &str,
) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let entry = NewEntry {
        detail: Some(detail),
        ..row.step(action, actor, evidence)
    };
    audit::append(&mut connection, &entry).await
}

/// Writes what came of it. Durable when it returns; what was raised about the branch before counts
/// as dealt with.
pub(crate) async fn finished(
    pool: &PgPool,
    row: &ResolutionRow,
    confirmed_by: LoginId,
    result: &str,
) -> Result<(), sqlx::Error> {
    let view = &row.view;
    let mut database_transaction = pool.begin().await?;
    let done = sqlx::query!(
        "UPDATE resolutions SET result = $2 WHERE resolution_id = $1 AND result IS NULL",
        view.resolution_id.uuid(),
        result,
    )
    .execute(&mut *database_transaction)
    .await?;
    if done.rows_affected() == 1 {
        let entry = NewEntry {
            detail: Some(result),
            ..row.step(AuditAction::Forced, confirmed_by, &row.evidence)
        };
        audit::append(&mut database_transaction, &entry).await?;
        hazards::dealt_with(
            &mut database_transaction,
            view.transaction_id,
            &view.participant,
        )
        .await?;
    }
    database_transaction.commit().await
}

/// All proposals for a list of transactions, oldest first.
pub(crate) async fn of(
    pool: &PgPool,
    transactions: &[TransactionId],
) -> Result<Vec<ResolutionRow>, sqlx::Error> {
    let ids: Vec<_> = transactions.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT resolution_id, transaction_id, participant, outcome, reason, evidence,
                proposed_by, confirmed_by, result
         FROM resolutions WHERE transaction_id = ANY($1) ORDER BY resolution_id",
        &ids,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ResolutionRow {
                view: ResolutionAccepted {
                    resolution_id: row.resolution_id.into(),
                    transaction_id: row.transaction_id.into(),
                    participant: row.participant.parse().map_err(damaged)?,
                    outcome: outcome(&row.outcome)?,
                    reason: row.reason,
                    proposed_by: row.proposed_by.to_string(),
                    confirmed_by: row.confirmed_by.map(|id| id.to_string()),
                    result: row.result,
                },
                evidence: row.evidence,
                proposed_by: row.proposed_by.into(),
            })
        })
        .collect()
}

//! The audit trail: what was done about transactions in doubt. Append-only.

use sqlx::{PgConnection, PgPool};
use types::views::{AuditAction, AuditEntry, ResolutionOutcome};
use types::{LoginId, ParticipantId, ResolutionId, TransactionId};

use crate::store::damaged;

/// A step to be kept.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry<'a> {
    pub(crate) action: AuditAction,
    pub(crate) transaction_id: TransactionId,
    pub(crate) participant: &'a ParticipantId,
    /// `None` for what happened by itself.
    pub(crate) actor: Option<LoginId>,
    pub(crate) resolution_id: Option<ResolutionId>,
    pub(crate) outcome: Option<ResolutionOutcome>,
    pub(crate) hazard: Option<&'a str>,
    pub(crate) evidence: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) detail: Option<&'a str>,
}

impl<'a> NewEntry<'a> {
    pub(crate) const fn of(
        action: AuditAction,
        transaction_id: TransactionId,
        participant: &'a ParticipantId,
    ) -> Self {
        Self {
            action,
            transaction_id,
            participant,
            actor: None,
            resolution_id: None,
            outcome: None,
            hazard: None,
            evidence: None,
            reason: None,
            detail: None,
        }
    }
}

/// An outcome as it stands in the database.
pub(super) const fn outcome_text(outcome: ResolutionOutcome) -> &'static str {
    match outcome {
        ResolutionOutcome::Commit => "commit",
        ResolutionOutcome::Abort => "abort",
    }
}

pub(super) fn outcome(text: &str) -> Result<ResolutionOutcome, sqlx::Error> {
    match text {
        "commit" => Ok(ResolutionOutcome::Commit),
        "abort" => Ok(ResolutionOutcome::Abort),
        other => Err(damaged(other)),
    }
}

/// Appends a step, as a part of the caller's database transaction. A second result of the same
/// branch changes nothing.
pub(crate) async fn append(
    connection: &mut PgConnection,
    entry: &NewEntry<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO audit_trail (transaction_id, participant, action, actor, resolution_id,
                outcome, hazard, evidence, reason, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT DO NOTHING",
        entry.transaction_id.uuid(),
        entry.participant.as_str(),
        entry.action.as_str(),
        entry.actor.map(|login| login.to_string()),
        entry.resolution_id.map(ResolutionId::uuid),
        entry.outcome.map(outcome_text),
        entry.hazard,
        entry.evidence,
        entry.reason,
        entry.detail,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Everything that was done about a transaction, oldest first.
pub(crate) async fn of(
    pool: &PgPool,
    transaction: TransactionId,
) -> Result<Vec<AuditEntry>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT participant, action, actor, resolution_id, outcome, hazard, evidence, reason,
                detail, recorded_at
         FROM audit_trail WHERE transaction_id = $1 ORDER BY entry_id LIMIT 1000",
        transaction.uuid(),
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let action = AuditAction::ALL
                .into_iter()
                .find(|action| action.as_str() == row.action)
                .ok_or_else(|| damaged(&row.action))?;
            Ok(AuditEntry {
                recorded_at: row.recorded_at.into(),
                recorded_by: "coordinator".to_owned(),
                action,
                participant: row.participant.parse().map_err(damaged)?,
                actor: row.actor,
                resolution_id: row.resolution_id.map(ResolutionId::from_uuid),
                outcome: row.outcome.as_deref().map(outcome).transpose()?,
                hazard: row.hazard,
                evidence: row.evidence,
                reason: row.reason,
                detail: row.detail,
            })
        })
        .collect()
}

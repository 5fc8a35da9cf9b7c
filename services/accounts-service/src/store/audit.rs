//! The table `audit_trail`: what was done about branches in doubt. Append-only.

use sqlx::PgConnection;
use two_phase::message::Outcome;
use types::views::{AuditAction, AuditEntry, ResolutionOutcome};
use types::{ParticipantId, ResolutionId, TransactionId};

use super::{StoreError, rows};

/// A step to be kept.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// What was done.
    pub action: AuditAction,
    /// About which transaction.
    pub transaction_id: TransactionId,
    /// Who did it; `None` for what happened by itself.
    pub actor: Option<&'a str>,
    /// The proposal it belongs to.
    pub resolution_id: Option<ResolutionId>,
    /// What was to be forced, or was decided.
    pub outcome: Option<Outcome>,
    /// What was acknowledged.
    pub hazard: Option<&'a str>,
    /// What was known at that moment.
    pub evidence: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// What came of it.
    pub detail: Option<&'a str>,
}

impl NewEntry<'_> {
    /// A step of which nothing but the action and the transaction is known yet.
    #[must_use]
    pub const fn of(action: AuditAction, transaction_id: TransactionId) -> Self {
        Self {
            action,
            transaction_id,
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
#[must_use]
pub const fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Commit => "commit",
        Outcome::Abort => "abort",
    }
}

/// Appends a step, as a part of the caller's database transaction. A second result of the same
/// branch changes nothing.
///
/// # Errors
/// [`StoreError`].
pub async fn append(
    connection: &mut PgConnection,
    own: &ParticipantId,
    entry: &NewEntry<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit_trail (transaction_id, participant, action, actor, resolution_id,
                outcome, hazard, evidence, reason, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT DO NOTHING",
        entry.transaction_id.uuid(),
        own.as_str(),
        entry.action.as_str(),
        entry.actor,
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

/// Everything that was done about a transaction here, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of(
    connection: &mut PgConnection,
    transaction_id: TransactionId,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = sqlx::query!(
        "SELECT participant, action, actor, resolution_id, outcome, hazard, evidence, reason,
                detail, recorded_at
         FROM audit_trail WHERE transaction_id = $1 ORDER BY entry_id LIMIT 1000",
        transaction_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(AuditEntry {
                recorded_at: row.recorded_at.into(),
                recorded_by: row.participant.clone(),
                action: action(&row.action)?,
                participant: rows::text(&row.participant)?,
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

fn action(text: &str) -> Result<AuditAction, StoreError> {
    AuditAction::ALL
        .into_iter()
        .find(|action| action.as_str() == text)
        .ok_or_else(|| rows::damaged("audit action", text))
}

/// An outcome from the database.
pub(super) fn outcome(text: &str) -> Result<ResolutionOutcome, StoreError> {
    match text {
        "commit" => Ok(ResolutionOutcome::Commit),
        "abort" => Ok(ResolutionOutcome::Abort),
        other => Err(rows::damaged("outcome", other)),
    }
}

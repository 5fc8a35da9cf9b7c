//! Outcomes that operators force: who proposed, on what evidence, who confirmed. Never deleted.

use sqlx::PgPool;
use types::views::{ResolutionAccepted, ResolutionOutcome};
use types::{LoginId, ParticipantId, ResolutionId, TransactionId};

use crate::store::damaged;

/// A proposal with what is not shown to everybody.
#[derive(Debug, Clone)]
pub(crate) struct ResolutionRow {
    pub(crate) view: ResolutionAccepted,
    pub(crate) evidence: String,
    pub(crate) proposed_by: LoginId,
}

const fn outcome_text(outcome: ResolutionOutcome) -> &'static str {
    match outcome {
        ResolutionOutcome::Commit => "commit",
        ResolutionOutcome::Abort => "abort",
    }
}

/// Writes a proposal. Durable when it returns.
pub(crate) async fn propose(
    pool: &PgPool,
    transaction: TransactionId,
    participant: &ParticipantId,
    outcome: ResolutionOutcome,
    reason: &str,
    evidence: &str,
    proposed_by: LoginId,
) -> Result<ResolutionId, sqlx::Error> {
    let id = ResolutionId::generate();
    sqlx::query!(
        "INSERT INTO resolutions
             (resolution_id, transaction_id, participant, outcome, reason, evidence, proposed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        id.uuid(),
        transaction.uuid(),
        participant.as_str(),
        outcome_text(outcome),
        reason,
        evidence,
        proposed_by.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(id)
}

/// Writes who confirmed it, once, and before anything is forced.
///
/// True when this call confirmed it; false when somebody had before.
pub(crate) async fn confirm(
    pool: &PgPool,
    id: ResolutionId,
    confirmed_by: LoginId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE resolutions SET confirmed_by = $2, confirmed_at = now()
         WHERE resolution_id = $1 AND confirmed_by IS NULL",
        id.uuid(),
        confirmed_by.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what came of it.
pub(crate) async fn finished(
    pool: &PgPool,
    id: ResolutionId,
    result: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE resolutions SET result = $2 WHERE resolution_id = $1",
        id.uuid(),
        result,
    )
    .execute(pool)
    .await?;
    Ok(())
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
                    outcome: match row.outcome.as_str() {
                        "commit" => ResolutionOutcome::Commit,
                        "abort" => ResolutionOutcome::Abort,
                        other => return Err(damaged(other)),
                    },
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

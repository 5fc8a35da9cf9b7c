//! What operators accepted as lost: who proposed, who confirmed, when both databases had accepted it.
//! Never deleted.

use sqlx::PgPool;
use types::views::{ParticipantState, ReconciliationAccepted};
use types::{LoginId, ParticipantId, ReconciliationId, Timestamp};

use crate::store::damaged;

/// A proposal with who made and confirmed it.
#[derive(Debug, Clone)]
pub(crate) struct ReconciliationRow {
    pub(crate) view: ReconciliationAccepted,
    pub(crate) proposed_by: LoginId,
    pub(crate) confirmed_by: Option<LoginId>,
}

/// Writes a proposal. Durable when it returns.
pub(crate) async fn propose(
    pool: &PgPool,
    participant: &ParticipantId,
    state: ParticipantState,
    reason: &str,
    proposed_by: LoginId,
) -> Result<ReconciliationId, sqlx::Error> {
    let id = ReconciliationId::generate();
    sqlx::query!(
        "INSERT INTO reconciliations (reconciliation_id, participant, state, reason, proposed_by)
         VALUES ($1, $2, $3, $4, $5)",
        id.uuid(),
        participant.as_str(),
        state.as_str(),
        reason,
        proposed_by.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(id)
}

/// Writes who confirmed it, before anything is changed. Whoever confirmed it may do so again, for
/// as long as it was not carried out; false for everybody else then.
pub(crate) async fn confirm(
    pool: &PgPool,
    id: ReconciliationId,
    confirmed_by: LoginId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE reconciliations SET confirmed_by = $2, confirmed_at = COALESCE(confirmed_at, now())
         WHERE reconciliation_id = $1 AND (confirmed_by IS NULL OR confirmed_by = $2)
           AND reconciled_at IS NULL",
        id.uuid(),
        confirmed_by.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes that both databases have accepted it.
pub(crate) async fn finished(pool: &PgPool, id: ReconciliationId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE reconciliations SET reconciled_at = now() WHERE reconciliation_id = $1",
        id.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// A proposal.
pub(crate) async fn find(
    pool: &PgPool,
    id: ReconciliationId,
) -> Result<Option<ReconciliationRow>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT participant, state, reason, proposed_by, confirmed_by, reconciled_at
         FROM reconciliations WHERE reconciliation_id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(|row| {
        let view = ReconciliationAccepted {
            reconciliation_id: id,
            participant_id: row.participant.parse().map_err(damaged)?,
            state: row.state.parse().map_err(damaged)?,
            reason: row.reason,
            proposed_by: row.proposed_by.to_string(),
            confirmed_by: row.confirmed_by.map(|by| by.to_string()),
            reconciled_at: row.reconciled_at.map(Timestamp::from),
        };
        Ok(ReconciliationRow {
            view,
            proposed_by: row.proposed_by.into(),
            confirmed_by: row.confirmed_by.map(LoginId::from),
        })
    })
    .transpose()
}

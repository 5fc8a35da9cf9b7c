//! The table `proposals`: outcomes that one operator wants to force here. Append-only; what a
//! second one confirmed stands in `resolutions`.

use sqlx::PgConnection;
use types::views::{ResolutionAccepted, ResolutionOutcome};
use types::{ParticipantId, ResolutionId, TransactionId};

use super::{StoreError, audit};

/// A proposal, and what it was made upon.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// As it is shown.
    pub view: ResolutionAccepted,
    /// What was known then.
    pub evidence: String,
}

const fn outcome_text(outcome: ResolutionOutcome) -> &'static str {
    match outcome {
        ResolutionOutcome::Commit => "commit",
        ResolutionOutcome::Abort => "abort",
    }
}

/// Writes a proposal, as a part of the caller's database transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(connection: &mut PgConnection, proposal: &Proposal) -> Result<(), StoreError> {
    let view = &proposal.view;
    sqlx::query!(
        "INSERT INTO proposals
             (resolution_id, transaction_id, outcome, reason, evidence, proposed_by)
         VALUES ($1, $2, $3, $4, $5, $6)",
        view.resolution_id.uuid(),
        view.transaction_id.uuid(),
        outcome_text(view.outcome),
        view.reason,
        proposal.evidence,
        view.proposed_by,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was proposed here for these transactions, and what was forced here, by whomever it was
/// proposed; oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of(
    connection: &mut PgConnection,
    own: &ParticipantId,
    ids: &[TransactionId],
) -> Result<Vec<Proposal>, StoreError> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT COALESCE(p.resolution_id, r.resolution_id) AS "resolution_id!",
                  COALESCE(p.transaction_id, r.transaction_id) AS "transaction_id!",
                  COALESCE(p.outcome, r.outcome) AS "outcome!",
                  COALESCE(p.reason, r.reason) AS "reason!",
                  COALESCE(p.proposed_by, r.proposed_by) AS "proposed_by!",
                  COALESCE(p.evidence, r.expected_state) AS "evidence!",
                  r.confirmed_by AS "confirmed_by?", r.resulting_state AS "result?"
           FROM (SELECT * FROM proposals WHERE transaction_id = ANY($1)) AS p
           FULL JOIN (SELECT * FROM resolutions WHERE transaction_id = ANY($1)) AS r
                ON r.resolution_id = p.resolution_id
           ORDER BY COALESCE(p.proposed_at, r.forced_at)"#,
        &ids,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Proposal {
                view: ResolutionAccepted {
                    resolution_id: ResolutionId::from_uuid(row.resolution_id),
                    transaction_id: TransactionId::from_uuid(row.transaction_id),
                    participant: own.clone(),
                    outcome: audit::outcome(&row.outcome)?,
                    reason: row.reason,
                    proposed_by: row.proposed_by,
                    confirmed_by: row.confirmed_by,
                    result: row.result,
                },
                evidence: row.evidence,
            })
        })
        .collect()
}

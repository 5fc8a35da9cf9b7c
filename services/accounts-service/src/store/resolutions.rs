//! The table `resolutions`: what operators forced, for the auditors.

use sqlx::PgConnection;
use two_phase::BranchState;
use two_phase::message::Outcome;
use types::{ResolutionId, TransactionId};

use super::{StoreError, rows};

/// A forced outcome, as it is kept for ever.
#[derive(Debug, Clone)]
pub struct NewResolution<'a> {
    /// Which proposal it carries out.
    pub resolution_id: ResolutionId,
    /// Of which transaction.
    pub transaction_id: TransactionId,
    /// What is forced.
    pub outcome: Outcome,
    /// The state it was decided upon.
    pub expected_state: BranchState,
    /// The state afterwards.
    pub resulting_state: BranchState,
    /// Who proposed it.
    pub proposed_by: &'a str,
    /// Who confirmed it.
    pub confirmed_by: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// Keeps a record of a forced outcome.
///
/// # Errors
/// [`StoreError`]; the schema refuses one that somebody confirmed alone.
pub async fn insert(
    connection: &mut PgConnection,
    resolution: &NewResolution<'_>,
) -> Result<(), StoreError> {
    let outcome = match resolution.outcome {
        Outcome::Commit => "commit",
        Outcome::Abort => "abort",
    };
    sqlx::query!(
        "INSERT INTO resolutions (resolution_id, transaction_id, outcome, expected_state,
                resulting_state, proposed_by, confirmed_by, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        resolution.resolution_id.uuid(),
        resolution.transaction_id.uuid(),
        outcome,
        resolution.expected_state.as_str(),
        resolution.resulting_state.as_str(),
        resolution.proposed_by,
        resolution.confirmed_by,
        resolution.reason,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The state a resolution led to, if it was carried out: a repeated request is answered from here.
///
/// # Errors
/// [`StoreError`].
pub async fn result(
    connection: &mut PgConnection,
    resolution_id: ResolutionId,
    transaction_id: TransactionId,
) -> Result<Option<BranchState>, StoreError> {
    let state = sqlx::query_scalar!(
        "SELECT resulting_state FROM resolutions WHERE resolution_id = $1 AND transaction_id = $2",
        resolution_id.uuid(),
        transaction_id.uuid(),
    )
    .fetch_optional(connection)
    .await?;
    state.as_deref().map(rows::text).transpose()
}

//! A peer in doubt asks what became of its transactions (cooperative termination).

use service_kit::database::retry_transient;
use service_kit::failpoints;
use sqlx::PgPool;
use std::collections::BTreeMap;
use two_phase::BranchState;
use two_phase::planted::{Bug, is_planted};
use types::TransactionId;

use super::is_forgotten;
use crate::store::{StoreError, branches};

/// Makes sure that what was never prepared here never will be, then tells what is here.
///
/// The race it survives: this bank says "I have no such branch", the peer aborts, and then the
/// PREPARE arrives here late and is voted YES. The tombstone comes first, so that it gets NO.
pub(super) async fn terminate(
    pool: &PgPool,
    ids: &[TransactionId],
) -> Result<BTreeMap<TransactionId, BranchState>, StoreError> {
    let fresh: Vec<TransactionId> = ids
        .iter()
        .copied()
        .filter(|id| !is_forgotten(*id))
        .collect();
    let states = retry_transient(|| async {
        let mut transaction = pool.begin().await?;
        branches::insert_tombstones(&mut transaction, &fresh).await?;
        let states = branches::states(&mut transaction, ids).await?;
        if is_planted(Bug::PeerTombstoneUnwritten) {
            return Ok(states);
        }
        transaction.commit().await?;
        Ok::<_, StoreError>(states)
    })
    .await?;
    failpoints::hit("after_peer_tombstone").await?;
    Ok(states.into_iter().collect())
}

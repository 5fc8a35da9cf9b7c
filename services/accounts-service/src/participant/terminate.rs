//! A peer in doubt asks what became of its transactions (cooperative termination).

use service_kit::database::retry_transient;
use service_kit::failpoints;
use sqlx::PgPool;
use std::collections::BTreeMap;
use two_phase::BranchState;
use two_phase::planted::{Bug, is_planted};
use types::TransactionId;

use super::is_forgotten;
use crate::store::{StoreError, branches, numbers};

/// Makes sure that what was never prepared here never will be, then tells what is here.
///
/// The race it survives: this bank says "I have no such branch", the peer aborts, and then the
/// PREPARE arrives here late and is voted YES. The tombstone comes first, so that it gets NO. Nor
/// is it written by a database that was started, replaced or filled anew since it was compared with
/// the coordinator's: the branch may be among what it has lost.
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
        // What a database that was put back does not know it may have promised before.
        let pair = numbers::pair(&mut transaction).await?;
        if pair.is_some_and(|pair| pair.is_current) {
            branches::insert_tombstones(&mut transaction, &fresh).await?;
        }
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

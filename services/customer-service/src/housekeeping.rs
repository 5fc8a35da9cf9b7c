//! Follows what other replicas revoke, and forgets what has expired.
//!
//! The race: a logout at one replica must soon be known at the others, which check tokens from
//! memory. Asking the database once a second bounds "soon"; the replica that revokes does not wait
//! for its own turn.

use std::time::Duration;

use crate::app::{App, Parts};
use crate::store;

/// How soon a logout at another replica is known here.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// Expired rows only take space, so there is no hurry.
const FORGET_EVERY: Duration = Duration::from_secs(60);

pub(crate) fn start(app: &App) {
    let following = app.downgrade();
    tokio::spawn(async move {
        while let Some(parts) = following.upgrade() {
            follow(&parts).await;
            drop(parts);
            tokio::time::sleep(FOLLOW_EVERY).await;
        }
    });
    let forgetting = app.downgrade();
    tokio::spawn(async move {
        while let Some(parts) = forgetting.upgrade() {
            forget(&parts).await;
            drop(parts);
            tokio::time::sleep(FORGET_EVERY).await;
        }
    });
}

async fn follow(parts: &Parts) {
    match store::sessions::revoked_tokens(&parts.pool).await {
        Ok(revoked) => parts.verifier.revoke(revoked),
        Err(error) => tracing::debug!(event = "REVOCATIONS_NOT_READ", error = %error),
    }
}

async fn forget(parts: &Parts) {
    let forgotten = async {
        store::sessions::forget_expired(&parts.pool).await?;
        store::failures::forget_old(&parts.pool).await
    };
    if let Err(error) = forgotten.await {
        tracing::debug!(event = "EXPIRED_NOT_FORGOTTEN", error = %error);
    }
}

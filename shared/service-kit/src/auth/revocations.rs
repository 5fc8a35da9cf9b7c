//! Tokens that were taken back before they expire.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use chrono::Utc;
use serde::{Deserialize, Serialize};
use types::Timestamp;
use uuid::Uuid;

/// One token that is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RevocationView {
    /// The token's own id.
    pub jti: Uuid,
    /// When it would have expired anyway.
    pub expires_at: Timestamp,
}

/// `GET /auth/revocations`: all that have not expired yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RevocationsView {
    /// The tokens that are no longer good.
    pub items: Vec<RevocationView>,
}

/// The tokens we know to be taken back.
#[derive(Debug, Default)]
pub(super) struct Revocations(RwLock<HashMap<Uuid, Timestamp>>);

impl Revocations {
    pub(super) fn contains(&self, token_id: Uuid) -> bool {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&token_id)
    }

    /// Adds what the issuer says. Nothing is taken out before it expires: a list that was read just
    /// before a revocation must not undo it.
    pub(super) fn add(&self, revoked: impl IntoIterator<Item = RevocationView>) {
        let now = Timestamp::from(Utc::now());
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, expires_at| *expires_at > now);
        known.extend(
            revoked
                .into_iter()
                .filter(|one| one.expires_at > now)
                .map(|one| (one.jti, one.expires_at)),
        );
    }
}

//! Tokens that were checked a moment ago.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::Caller;

/// How many tokens are remembered; with the longest tokens about 10 MB.
const MOST: usize = 10_000;

/// Remembers who a token belongs to until it expires: checking a signature takes longer than all
/// the rest of a small request. Only tokens that were good get in, so strangers cannot fill it.
#[derive(Debug, Default)]
pub(super) struct Verified(RwLock<HashMap<String, (Caller, u64)>>);

impl Verified {
    /// Who the token belongs to, if it was checked before and has not expired. `now` in seconds
    /// since 1970.
    pub(super) fn get(&self, token: &str, now: u64) -> Option<Caller> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (caller, expires_at) = known.get(token)?;
        (now < *expires_at).then(|| caller.clone())
    }

    pub(super) fn put(&self, token: &str, caller: Caller, expires_at: u64, now: u64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (_, expires_at)| now < *expires_at);
        }
        if known.len() < MOST {
            known.insert(token.to_owned(), (caller, expires_at));
        }
    }

    /// Forgets everything, when the keys changed.
    pub(super) fn clear(&self) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

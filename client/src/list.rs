//! What part of a list is wanted.

use types::views::Status;
use types::{AccountId, Timestamp};

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// At most this many items: 1 to 200, 50 unless said otherwise.
    pub limit: Option<u32>,
    /// Where the page before ended (`next_cursor`).
    pub cursor: Option<String>,
}

impl ListQuery {
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let limit = self.limit.map(|limit| ("limit", limit.to_string()));
        let cursor = self.cursor.clone().map(|cursor| ("cursor", cursor));
        limit.into_iter().chain(cursor).collect()
    }
}

/// Which transfers: those that fit every field that is set.
#[derive(Debug, Clone, Default)]
pub struct TransferFilter {
    /// With a leg at this account.
    pub account: Option<AccountId>,
    /// With this status.
    pub status: Option<Status>,
    /// Begun at or after.
    pub from: Option<Timestamp>,
    /// Begun before.
    pub to: Option<Timestamp>,
}

impl TransferFilter {
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        [
            self.account.map(|id| ("account_id", id.to_string())),
            self.status.map(|status| ("status", status.to_string())),
            self.from.map(|at| ("from", at.to_string())),
            self.to.map(|at| ("to", at.to_string())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

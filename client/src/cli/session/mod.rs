//! Who is logged in, remembered between two commands.

mod source;
mod store;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use types::views::{Role, TokenPair};
use types::{CustomerId, Timestamp};

pub use source::SessionSource;
pub use store::SessionStore;

/// A login at one bank. All secrets: not `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub username: String,
    pub role: Role,
    pub customer_id: Option<CustomerId>,
    pub access_token: String,
    pub refresh_token: String,
    /// By this machine's clock.
    pub expires_at: Timestamp,
}

impl Session {
    /// The session that begins now with `tokens`.
    pub fn new(username: &str, tokens: TokenPair) -> Self {
        let lifetime = i64::try_from(tokens.expires_in).unwrap_or(0);
        let lifetime = TimeDelta::try_seconds(lifetime).unwrap_or_default();
        Self {
            username: username.to_owned(),
            role: tokens.role,
            customer_id: tokens.customer_id,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: (Timestamp::now().date_time() + lifetime).into(),
        }
    }

    pub fn seconds_left(&self) -> i64 {
        let left = self.expires_at.date_time() - Timestamp::now().date_time();
        left.num_seconds()
    }
}

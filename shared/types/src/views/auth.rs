//! Logging in.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::CustomerId;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Own profile, accounts and transfers.
    Customer,
    /// Serves any customer.
    Teller,
    /// Everything, and operations.
    Admin,
}

impl Role {
    /// The role as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Teller => "teller",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `POST /auth/login`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// `POST /auth/refresh` and `POST /auth/logout`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The refresh token of an earlier login.
    pub refresh_token: String,
}

/// A login that succeeded. Not `Debug`: it is all secrets.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct TokenPair {
    /// Proves the caller to every service, for `expires_in` seconds.
    pub access_token: String,
    /// Gets the next pair, once.
    pub refresh_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// What the caller may do.
    pub role: Role,
    /// The customer behind the login; `null` for tellers and admins.
    pub customer_id: Option<CustomerId>,
}

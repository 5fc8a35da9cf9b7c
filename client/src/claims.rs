//! What an access token says about its bearer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use types::views::Role;
use types::{CustomerId, Timestamp};

/// The claims of a user's access token.
///
/// Read without checking the signature, which is the services' business: good for showing a person
/// what they hold, never for deciding what they may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// For whom; text or a list.
    pub aud: serde_json::Value,
    /// The login's id.
    pub sub: String,
    /// The customer behind the login.
    #[serde(default)]
    pub customer_id: Option<CustomerId>,
    /// What the bearer may do.
    pub role: Role,
    /// Issued at, in seconds since 1970.
    #[serde(default)]
    pub iat: Option<i64>,
    /// Expires at, in seconds since 1970.
    pub exp: i64,
    /// The token's own id.
    #[serde(default)]
    pub jti: Option<String>,
}

impl Claims {
    /// Reads the claims of `token`; `None` when it is not an access token of a user.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// When it expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        DateTime::from_timestamp(self.exp, 0).map(Timestamp::from)
    }

    /// Seconds until it expires, negative when it has.
    #[must_use]
    pub fn seconds_left(&self) -> i64 {
        self.exp - Timestamp::now().date_time().timestamp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_from_the_middle_of_a_token() {
        let payload =
            r#"{"iss":"customer-service","aud":"bank","sub":"1","role":"teller","exp":5}"#;
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        let claims = Claims::read(&token).unwrap();
        assert_eq!(claims.role, Role::Teller);
        assert_eq!(claims.customer_id, None);
        assert!(claims.seconds_left() < 0);
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        for text in ["", "a.b", "a.b.c", "e30.e30.e30", "a.b.c.d"] {
            assert_eq!(Claims::read(text), None, "{text}");
        }
    }
}

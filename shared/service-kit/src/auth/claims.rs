//! What tokens say.

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use types::views::Role;
use types::{CustomerId, LoginId, Timestamp};
use uuid::Uuid;

use super::{Caller, IssuerKind, ServiceCaller, USER_AUDIENCE, User};

/// The claims of a user's access token.
#[derive(Debug, Clone, Serialize)]
pub struct UserClaims {
    /// Who signed it: [`super::USER_ISSUER`].
    pub iss: String,
    /// For whom: [`USER_AUDIENCE`].
    pub aud: String,
    /// The login.
    pub sub: LoginId,
    /// The customer behind the login; `null` for tellers and admins.
    pub customer_id: Option<CustomerId>,
    /// What the person may do.
    pub role: Role,
    /// Seconds since 1970 when it was signed.
    pub iat: i64,
    /// Seconds since 1970 when it expires.
    pub exp: i64,
    /// Its own id, for revoking it.
    pub jti: Uuid,
}

/// The claims of a service token.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ServiceClaims<'a> {
    pub(super) iss: &'a str,
    pub(super) aud: &'a str,
    pub(super) sub: &'a str,
    pub(super) kind: &'static str,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) jti: Uuid,
}

/// The `kind` of a service token.
pub(super) const SERVICE: &str = "service";

/// The claims of a token whose signature is good, before anyone has believed them.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    sub: String,
    exp: u64,
    #[serde(default)]
    jti: Option<Uuid>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    customer_id: Option<CustomerId>,
}

/// The token says something its issuer may not say, or not to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotBelieved;

impl Claims {
    pub(super) fn expires_at(&self) -> u64 {
        self.exp
    }

    /// Who is calling, if the issuer is entitled to say so and the token is meant for us.
    pub(super) fn believe(
        self,
        kind: IssuerKind,
        audiences: &[String],
    ) -> Result<Caller, NotBelieved> {
        match kind {
            IssuerKind::Users => self.user().map(Caller::User),
            IssuerKind::Service => self.service(audiences).map(Caller::Service),
        }
    }

    fn user(self) -> Result<User, NotBelieved> {
        let role = self.role.ok_or(NotBelieved)?;
        let consistent = (role == Role::Customer) == self.customer_id.is_some();
        if self.kind.is_some() || self.aud != USER_AUDIENCE || !consistent {
            return Err(NotBelieved);
        }
        let seconds = i64::try_from(self.exp).map_err(|_| NotBelieved)?;
        Ok(User {
            login: self.sub.parse().map_err(|_| NotBelieved)?,
            customer_id: self.customer_id,
            role,
            token_id: self.jti.ok_or(NotBelieved)?,
            expires_at: DateTime::from_timestamp(seconds, 0)
                .map(Timestamp::from)
                .ok_or(NotBelieved)?,
        })
    }

    fn service(self, audiences: &[String]) -> Result<ServiceCaller, NotBelieved> {
        let ours = audiences.contains(&self.aud);
        let service = self.kind.as_deref() == Some(SERVICE) && self.sub == self.iss;
        let nobody = self.role.is_none() && self.customer_id.is_none();
        if ours && service && nobody {
            Ok(ServiceCaller { name: self.iss })
        } else {
            Err(NotBelieved)
        }
    }
}

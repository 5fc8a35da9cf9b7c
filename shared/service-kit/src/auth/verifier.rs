//! Checking tokens.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
use jsonwebtoken::{Algorithm, Validation};
use sqlx::PgPool;
use types::Code;

use super::claims::Claims;
use super::issuer::Known;
use super::revocations::{RevocationView, Revocations, RevocationsView};
use super::verified::Verified;
use super::{Caller, Issuer, IssuerKind, KeySource, token};
use crate::Problem;
use crate::client::Fetcher;

/// A header longer than this holds no token of ours.
const LONGEST_HEADER: usize = 4_096;

/// How soon a logout is known to services other than customer-service.
const REVOCATIONS_EVERY: Duration = Duration::from_secs(1);

/// Keys also change without anybody showing a token with a new one.
const KEYS_EVERY: Duration = Duration::from_secs(60);

/// Tells who is calling.
///
/// Believes the issuers it was made with, and gets their keys from where it was told and nowhere
/// else. Keys are kept in the table `key_cache` and stay in use while an issuer is down.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    audiences: Vec<String>,
    issuers: Vec<Known>,
    revocations: Revocations,
    verified: Verified,
    fetcher: Fetcher,
}

impl Verifier {
    /// A verifier for a service that goes by `audiences` towards other services.
    ///
    /// Loads the keys that were seen last and begins to ask for the current ones; it does not wait
    /// for them.
    ///
    /// # Errors
    /// When the table `key_cache` cannot be read.
    pub async fn new(
        pool: PgPool,
        audiences: Vec<String>,
        issuers: Vec<Issuer>,
    ) -> Result<Self, sqlx::Error> {
        let urls = issuers.iter().flat_map(|issuer| match &issuer.keys {
            KeySource::Urls(urls) => urls.as_slice(),
            KeySource::Own(_) => &[],
        });
        let fetcher = Fetcher::new(urls.map(String::as_str));
        let mut known = Vec::with_capacity(issuers.len());
        for issuer in issuers {
            known.push(Known::load(issuer, pool.clone(), fetcher.clone()).await?);
        }
        let verifier = Self(Arc::new(Inner {
            audiences,
            issuers: known,
            revocations: Revocations::default(),
            verified: Verified::default(),
            fetcher,
        }));
        verifier.keep_up();
        Ok(verifier)
    }

    /// Follows keys and revocations as long as anybody holds the verifier.
    fn keep_up(&self) {
        let keys = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            while let Some(inner) = keys.upgrade() {
                let verifier = Self(inner);
                let complete = verifier.refresh_keys().await;
                drop(verifier);
                let pause = if complete {
                    KEYS_EVERY
                } else {
                    REVOCATIONS_EVERY
                };
                tokio::time::sleep(pause).await;
            }
        });
        let revocations = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            while let Some(inner) = revocations.upgrade() {
                let verifier = Self(inner);
                verifier.refresh_revocations().await;
                drop(verifier);
                tokio::time::sleep(REVOCATIONS_EVERY).await;
            }
        });
    }

    /// Asks every issuer for its keys. Tells whether each has some now.
    async fn refresh_keys(&self) -> bool {
        let refreshes = self.0.issuers.iter().map(Known::refresh);
        let changed = futures_util::future::join_all(refreshes).await;
        if changed.contains(&true) {
            self.0.verified.clear();
        }
        self.0.issuers.iter().all(|known| !known.keys().is_empty())
    }

    async fn refresh_revocations(&self) {
        for known in &self.0.issuers {
            let (IssuerKind::Users, KeySource::Urls(urls)) =
                (known.issuer.kind, &known.issuer.keys)
            else {
                continue;
            };
            for url in urls {
                let url = format!("{url}/auth/revocations");
                if let Ok(list) = self.0.fetcher.get::<RevocationsView>(&url).await {
                    self.revoke(list.items);
                    break;
                }
            }
        }
    }

    /// Refuses these tokens from now on.
    pub fn revoke(&self, tokens: impl IntoIterator<Item = RevocationView>) {
        self.0.revocations.add(tokens);
    }

    /// Whether there are keys to check user tokens with.
    #[must_use]
    pub fn has_user_keys(&self) -> bool {
        self.0
            .issuers
            .iter()
            .any(|known| known.issuer.kind == IssuerKind::Users && !known.keys().is_empty())
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// 401 `unauthenticated` without a valid token; 400 `invalid_header` with two; 431 with one
    /// that is too long; 503 `keys_unavailable` when there is no key to check it with.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let token = bearer(headers)?;
        let now = jsonwebtoken::get_current_timestamp();
        if let Some(caller) = self.0.verified.get(token, now) {
            return self.not_revoked(caller);
        }
        let (caller, expires_at) = self.check(token).await?;
        let caller = self.not_revoked(caller)?;
        self.0.verified.put(token, caller.clone(), expires_at, now);
        Ok(caller)
    }

    fn not_revoked(&self, caller: Caller) -> Result<Caller, Problem> {
        match &caller {
            Caller::User(user) if self.0.revocations.contains(user.token_id) => Err(invalid()),
            _ => Ok(caller),
        }
    }

    async fn check(&self, token: &str) -> Result<(Caller, u64), Problem> {
        let claimed = token::claimed(token).ok_or_else(invalid)?;
        let known = self
            .0
            .issuers
            .iter()
            .find(|known| known.issuer.name == claimed.issuer)
            .ok_or_else(invalid)?;
        let mut keys = known.keys();
        if keys.get(&claimed.kid).is_none() {
            if known.refresh().await {
                self.0.verified.clear();
            }
            keys = known.keys();
        }
        if keys.is_empty() {
            return Err(Problem::new(Code::KeysUnavailable)
                .detail("There is no key to check the token with yet."));
        }
        let key = keys.get(&claimed.kid).ok_or_else(invalid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation(&claimed.issuer))
            .map_err(|_| invalid())?
            .claims;
        let expires_at = claims.expires_at();
        let caller = claims
            .believe(known.issuer.kind, &self.0.audiences)
            .map_err(|_| invalid())?;
        Ok((caller, expires_at))
    }
}

/// What every token is held to. The audience is checked with the claims, where it is known whether
/// the token is a user's or a service's.
fn validation(issuer: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[issuer]);
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.leeway = 0;
    validation
}

/// The one answer to every bad token: why it is bad helps nobody but an attacker.
fn invalid() -> Problem {
    Problem::new(Code::Unauthenticated)
        .detail("The token is not valid.")
        .header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"bank\", error=\"invalid_token\""),
        )
}

/// The bearer token of a request (RFC 6750, section 2.1; a token in the URL or the body is not
/// looked for).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Problem::new(Code::Unauthenticated).detail("This needs a bearer token."));
    };
    if values.next().is_some() {
        return Err(Problem::new(Code::InvalidHeader)
            .detail("There is more than one Authorization header."));
    }
    if value.len() > LONGEST_HEADER {
        return Err(Problem::new(Code::InvalidHeader)
            .status(431)
            .detail("The Authorization header is too long."));
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token)
    } else {
        Err(invalid())
    }
}

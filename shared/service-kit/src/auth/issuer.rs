//! Who may sign tokens, and where their keys are.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Signer;
use super::keys::{JwksView, KeySet};
use crate::client::Fetcher;

/// What an issuer's tokens may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerKind {
    /// Who a person is.
    Users,
    /// That it is itself.
    Service,
}

/// Where an issuer's keys are.
#[derive(Clone)]
pub enum KeySource {
    /// At any of these base URLs; its replicas.
    Urls(Vec<String>),
    /// They are our own.
    Own(Signer),
}

/// Somebody whose tokens we believe, and whose keys are where the configuration says. Nothing a
/// token says can add to it.
#[derive(Clone)]
pub struct Issuer {
    /// The `iss` of its tokens.
    pub name: String,
    /// What they may say.
    pub kind: IssuerKind,
    /// Where its keys are.
    pub keys: KeySource,
}

impl Issuer {
    /// customer-service, whose tokens say who a person is.
    #[must_use]
    pub fn users(url: &str) -> Self {
        Self {
            name: super::USER_ISSUER.to_owned(),
            kind: IssuerKind::Users,
            keys: KeySource::Urls(vec![url.to_owned()]),
        }
    }

    /// A service by its name, at any of these URLs.
    #[must_use]
    pub fn service(name: &str, urls: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            kind: IssuerKind::Service,
            keys: KeySource::Urls(urls),
        }
    }
}

/// No key of an issuer may be asked for more often than this, whatever strangers send.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// An issuer and its keys as we know them.
pub(super) struct Known {
    pub(super) issuer: Issuer,
    pool: PgPool,
    fetcher: Fetcher,
    keys: RwLock<Arc<KeySet>>,
    /// When the last attempt to get the keys began; held while one is going on.
    last_attempt: Mutex<Option<Instant>>,
}

impl Known {
    pub(super) async fn load(
        issuer: Issuer,
        pool: PgPool,
        fetcher: Fetcher,
    ) -> Result<Self, sqlx::Error> {
        let keys = match &issuer.keys {
            KeySource::Own(signer) => KeySet::from_jwks(&signer.jwks()),
            KeySource::Urls(_) => KeySet::load(&pool, &issuer.name).await?,
        };
        Ok(Self {
            issuer,
            pool,
            fetcher,
            keys: RwLock::new(Arc::new(keys)),
            last_attempt: Mutex::new(None),
        })
    }

    pub(super) fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for the keys, unless somebody began to after this was called.
    ///
    /// A token with an unknown key waits here. Many such tokens together cause one request, and no
    /// more than one per second: those who waited for one attempt share the next. Tells whether the
    /// keys are others now.
    pub(super) async fn refresh(&self) -> bool {
        let called = Instant::now();
        let mut last_attempt = self.last_attempt.lock().await;
        if let Some(last) = *last_attempt {
            if last >= called {
                return false;
            }
            tokio::time::sleep_until(last + LEAST_PAUSE).await;
        }
        *last_attempt = Some(Instant::now());
        self.ask().await
    }

    async fn ask(&self) -> bool {
        let urls = match &self.issuer.keys {
            KeySource::Own(signer) => {
                if let Err(error) = signer.reload().await {
                    tracing::warn!(event = "KEYS_NOT_LOADED", error = %error);
                }
                return self.replace(KeySet::from_jwks(&signer.jwks()));
            }
            KeySource::Urls(urls) => urls,
        };
        for url in urls {
            match self
                .fetcher
                .get::<JwksView>(&format!("{url}/.well-known/jwks.json"))
                .await
            {
                Ok(jwks) => {
                    let keys = KeySet::from_jwks(&jwks);
                    if keys.is_empty() {
                        continue;
                    }
                    let changed = self.replace(keys.clone());
                    if changed && let Err(error) = keys.store(&self.pool, &self.issuer.name).await {
                        tracing::warn!(event = "KEYS_NOT_STORED", error = %error);
                    }
                    return changed;
                }
                Err(reason) => {
                    tracing::debug!(event = "KEYS_NOT_FETCHED", issuer = %self.issuer.name, reason);
                }
            }
        }
        false
    }

    /// Takes over a set of keys; tells whether it is another one.
    fn replace(&self, keys: KeySet) -> bool {
        if keys.is_empty() || keys.same_keys(&self.keys()) {
            return false;
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        true
    }
}

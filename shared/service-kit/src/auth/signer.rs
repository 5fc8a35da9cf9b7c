//! Signing tokens with the service's own key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use chrono::Utc;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use sqlx::PgPool;
use uuid::Uuid;

use super::claims::{SERVICE, ServiceClaims};
use super::keys::{JwkView, JwksView};
use super::{ACCESS_TOKEN_TYPE, USER_AUDIENCE};

/// How long a service token is good: long enough for a slow call, short enough to be worthless
/// when found in a log.
const SERVICE_TOKEN_SECONDS: i64 = 60;

/// A cached service token is not handed out for longer than this before it expires.
const LEAST_LEFT_SECONDS: i64 = 20;

/// How often a replica looks whether another one rotated the key. Far less than the hour for which
/// a retired key is still published.
const RELOAD_EVERY: Duration = Duration::from_secs(15);

/// Why a token cannot be signed or a key not be had.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The key cannot be read or written.
    #[error("signing keys: {0}")]
    Database(#[from] sqlx::Error),
    /// What is stored is no key, or the claims cannot be written as JSON.
    #[error("signing: {0}")]
    Signing(String),
}

/// The service's own Ed25519 keys: one that signs, and retired ones that are still published.
///
/// They stand in the table `signing_keys`, which all replicas share.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    name: String,
    pool: PgPool,
    keys: RwLock<Keys>,
    service_tokens: Mutex<HashMap<String, (String, i64)>>,
}

#[derive(Clone)]
struct Keys {
    kid: String,
    signing: EncodingKey,
    published: JwksView,
}

impl Signer {
    /// The keys of service `name`; makes the first one where there is none.
    ///
    /// # Errors
    /// When the table cannot be read or written, or holds something that is no key.
    pub async fn new(pool: PgPool, name: &str) -> Result<Self, SignerError> {
        insert_key(&pool).await?;
        let keys = Keys::load(&pool).await?;
        let signer = Self(Arc::new(Inner {
            name: name.to_owned(),
            pool,
            keys: RwLock::new(keys),
            service_tokens: Mutex::default(),
        }));
        signer.follow_rotations();
        Ok(signer)
    }

    /// Reloads the keys now and then, as long as anybody holds the signer.
    fn follow_rotations(&self) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(RELOAD_EVERY).await;
                let Some(inner) = inner.upgrade() else { return };
                if let Err(error) = Self(inner).reload().await {
                    tracing::warn!(event = "KEYS_NOT_LOADED", error = %error);
                }
            }
        });
    }

    /// The service's name: the `iss` of what it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Looks up the keys again: another replica may have rotated them.
    ///
    /// # Errors
    /// When the database cannot be read; the keys stay as they were.
    pub async fn reload(&self) -> Result<(), SignerError> {
        let keys = Keys::load(&self.0.pool).await?;
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Signs with a new key from now on. The old one stays published for an hour, so that what was
    /// signed with it stays good until it expires. Durable when it returns; the result is the new
    /// key's name.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn rotate(&self) -> Result<String, SignerError> {
        let pool = self.0.pool.clone();
        crate::database::spawned::<_, SignerError>(async move {
            let mut transaction = pool.begin().await?;
            // Two rotations at once would both retire the same key and then collide on the new one.
            sqlx::query("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *transaction)
                .await?;
            sqlx::query("DELETE FROM signing_keys WHERE forget_at < now()")
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "UPDATE signing_keys SET retired_at = now(), forget_at = now() + interval '1 hour'
                 WHERE retired_at IS NULL",
            )
            .execute(&mut *transaction)
            .await?;
            insert_key(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(())
        })
        .await?;
        self.reload().await?;
        Ok(self.keys().kid)
    }

    fn keys(&self) -> Keys {
        self.0
            .keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The public keys that tokens may be signed with, the active one first.
    #[must_use]
    pub fn jwks(&self) -> JwksView {
        self.keys().published
    }

    /// Signs `claims` as an access token.
    ///
    /// # Errors
    /// When the claims cannot be written as JSON.
    pub fn sign<T: Serialize>(&self, claims: &T) -> Result<String, SignerError> {
        let Keys { kid, signing, .. } = self.keys();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(kid);
        jsonwebtoken::encode(&header, claims, &signing)
            .map_err(|error| SignerError::Signing(error.to_string()))
    }

    /// A token that proves this service to `audience`, good for at least another 20 s.
    ///
    /// # Errors
    /// As [`Signer::sign`].
    pub fn sign_service_token(&self, audience: &str) -> Result<String, SignerError> {
        debug_assert_ne!(audience, USER_AUDIENCE);
        let now = Utc::now().timestamp();
        let mut cached = self
            .0
            .service_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((token, expires_at)) = cached.get(audience)
            && now + LEAST_LEFT_SECONDS <= *expires_at
            // A clock that was set back must not keep an old token in use for ever.
            && *expires_at <= now + SERVICE_TOKEN_SECONDS
        {
            return Ok(token.clone());
        }
        let expires_at = now + SERVICE_TOKEN_SECONDS;
        let token = self.sign(&ServiceClaims {
            iss: &self.0.name,
            aud: audience,
            sub: &self.0.name,
            kind: SERVICE,
            iat: now,
            exp: expires_at,
            jti: Uuid::new_v4(),
        })?;
        cached.insert(audience.to_owned(), (token.clone(), expires_at));
        Ok(token)
    }
}

impl From<crate::database::JoinFailed> for SignerError {
    fn from(error: crate::database::JoinFailed) -> Self {
        Self::Database(error.into())
    }
}

impl From<SignerError> for crate::Problem {
    fn from(error: SignerError) -> Self {
        match error {
            SignerError::Database(error) => error.into(),
            SignerError::Signing(words) => Self::internal(words),
        }
    }
}

/// Makes a key unless there is an active one; of two replicas that do so at once, one wins.
async fn insert_key(database: impl sqlx::PgExecutor<'_>) -> Result<(), sqlx::Error> {
    let key = SigningKey::generate(&mut rand::rngs::OsRng);
    sqlx::query(
        "INSERT INTO signing_keys (kid, private_key) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(Uuid::new_v4().to_string())
    .bind(key.to_bytes().as_slice())
    .execute(database)
    .await?;
    Ok(())
}

impl Keys {
    async fn load(pool: &PgPool) -> Result<Self, SignerError> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT kid, private_key FROM signing_keys
             WHERE forget_at IS NULL OR forget_at >= now()
             ORDER BY retired_at DESC NULLS FIRST",
        )
        .fetch_all(pool)
        .await?;
        let mut published = JwksView::default();
        let mut active = None;
        for (kid, bytes) in rows {
            let bytes = <[u8; 32]>::try_from(bytes)
                .map_err(|_| SignerError::Signing(format!("{kid} is no Ed25519 key")))?;
            let key = SigningKey::from_bytes(&bytes);
            published
                .keys
                .push(JwkView::new(&kid, key.verifying_key().as_bytes()));
            active.get_or_insert((kid, key));
        }
        let (kid, key) =
            active.ok_or_else(|| SignerError::Signing("there is no active key".to_owned()))?;
        let der = key
            .to_pkcs8_der()
            .map_err(|error| SignerError::Signing(error.to_string()))?;
        Ok(Self {
            kid,
            signing: EncodingKey::from_ed_der(der.as_bytes()),
            published,
        })
    }
}

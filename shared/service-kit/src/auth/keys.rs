//! Public keys: as they are published (RFC 7517, RFC 8037) and as they are kept.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::token::is_kid;

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JwkView {
    /// Always `OKP`.
    pub kty: String,
    /// Always `Ed25519`.
    pub crv: String,
    /// The key: 32 bytes, base64url.
    pub x: String,
    /// Its name.
    pub kid: String,
    /// Always `EdDSA`.
    pub alg: String,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: String,
}

/// `GET /.well-known/jwks.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JwksView {
    /// The keys tokens may be signed with, the active one first.
    pub keys: Vec<JwkView>,
}

impl JwkView {
    pub(super) fn new(kid: &str, public_key: &[u8; 32]) -> Self {
        Self {
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            x: URL_SAFE_NO_PAD.encode(public_key),
            kid: kid.to_owned(),
            alg: "EdDSA".to_owned(),
            usage: "sig".to_owned(),
        }
    }
}

/// The public keys of one issuer.
#[derive(Clone, Default)]
pub(super) struct KeySet {
    keys: HashMap<String, ([u8; 32], DecodingKey)>,
}

impl KeySet {
    /// The keys of a published set. What is not an Ed25519 key with a proper name is left out.
    pub(super) fn from_jwks(jwks: &JwksView) -> Self {
        let usable = jwks.keys.iter().filter_map(|jwk| {
            let ed25519 = jwk.kty == "OKP" && jwk.crv == "Ed25519" && is_kid(&jwk.kid);
            let bytes = URL_SAFE_NO_PAD.decode(&jwk.x).ok()?;
            let key = <[u8; 32]>::try_from(bytes).ok()?;
            ed25519.then(|| (jwk.kid.clone(), key))
        });
        Self::from_keys(usable)
    }

    fn from_keys(keys: impl Iterator<Item = (String, [u8; 32])>) -> Self {
        let keys = keys
            .map(|(kid, key)| (kid, (key, DecodingKey::from_ed_der(&key))))
            .collect();
        Self { keys }
    }

    pub(super) fn get(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.get(kid).map(|(_, key)| key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn same_keys(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self
                .keys
                .iter()
                .all(|(kid, (key, _))| other.keys.get(kid).is_some_and(|(same, _)| same == key))
    }

    /// The keys of `issuer` as they were last seen.
    pub(super) async fn load(pool: &PgPool, issuer: &str) -> Result<Self, sqlx::Error> {
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("SELECT kid, public_key FROM key_cache WHERE issuer = $1")
                .bind(issuer)
                .fetch_all(pool)
                .await?;
        let keys = rows
            .into_iter()
            .filter_map(|(kid, key)| Some((kid, <[u8; 32]>::try_from(key).ok()?)));
        Ok(Self::from_keys(keys))
    }

    /// Keeps the keys of `issuer` for the next start. One statement, so that a reader sees the old
    /// set or the new one.
    pub(super) async fn store(&self, pool: &PgPool, issuer: &str) -> Result<(), sqlx::Error> {
        let (kids, keys): (Vec<_>, Vec<_>) = self
            .keys
            .iter()
            .map(|(kid, (key, _))| (kid.clone(), key.to_vec()))
            .unzip();
        sqlx::query(
            "WITH gone AS (
                 DELETE FROM key_cache WHERE issuer = $1 AND kid <> ALL($2)
             )
             INSERT INTO key_cache (issuer, kid, public_key)
             SELECT $1, fresh.kid, fresh.public_key
             FROM unnest($2::text[], $3::bytea[]) AS fresh (kid, public_key)
             ON CONFLICT (issuer, kid)
             DO UPDATE SET public_key = excluded.public_key, fetched_at = now()",
        )
        .bind(issuer)
        .bind(kids)
        .bind(keys)
        .execute(pool)
        .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_another_kind_are_left_out() {
        let good = JwkView::new("k-1", &[7; 32]);
        let mut other_curve = JwkView::new("k-2", &[7; 32]);
        other_curve.crv = "X25519".to_owned();
        let mut short = JwkView::new("k-3", &[7; 32]);
        short.x = URL_SAFE_NO_PAD.encode([7; 16]);
        let odd_name = JwkView::new("../k", &[7; 32]);
        let set = KeySet::from_jwks(&JwksView {
            keys: vec![good, other_curve, short, odd_name],
        });
        assert!(set.get("k-1").is_some());
        assert_eq!(set.keys.len(), 1);
    }
}

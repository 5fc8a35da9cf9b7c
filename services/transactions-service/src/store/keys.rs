//! Idempotency keys: which request was sent under which name, and what it began.

use sqlx::PgPool;
use types::{IdempotencyKey, LoginId, TransactionId};
use uuid::Uuid;

/// What the scopes of services are derived from. Never changes: the keys in use are found by it.
const SERVICES: Uuid = Uuid::from_u128(0x1f0c_6d8e_5b7a_4c3d_9e21_7a4b_8c5d_6e3f);

/// A key within its scope, the caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct KeyName {
    pub(crate) scope: Uuid,
    pub(crate) key: IdempotencyKey,
}

impl PartialOrd for KeyName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.scope, self.key.as_str()).cmp(&(other.scope, other.key.as_str()))
    }
}

impl KeyName {
    pub(crate) fn new(login: LoginId, key: IdempotencyKey) -> Self {
        Self {
            scope: login.uuid(),
            key,
        }
    }

    /// A key of a service: services and logins never have the same scope.
    pub(crate) fn of_service(service: &str, key: IdempotencyKey) -> Self {
        Self {
            scope: Uuid::new_v5(&SERVICES, service.as_bytes()),
            key,
        }
    }

    /// The scope of the transfers that take back what was paid under this key, one key each.
    pub(crate) fn reversals(&self) -> Uuid {
        Uuid::new_v5(&self.scope, self.key.as_str().as_bytes())
    }

    pub(crate) fn from_row(scope: Uuid, key: String) -> Result<Self, sqlx::Error> {
        let key = IdempotencyKey::try_from(key).map_err(super::damaged)?;
        Ok(Self { scope, key })
    }
}

/// Which route a key was used on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Transfer,
    Batch,
    Linked,
    /// Nothing was begun under it, and nothing ever will be.
    Closed,
}

impl KeyKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Batch => "batch",
            Self::Linked => "linked",
            Self::Closed => "closed",
        }
    }
}

/// What a key stands for.
#[derive(Debug, Clone)]
pub(crate) struct KeyRow {
    pub(crate) fingerprint: Vec<u8>,
    /// Nothing was begun under it, and nothing ever will be.
    pub(crate) is_closed: bool,
    pub(crate) transaction_ids: Vec<TransactionId>,
    pub(crate) refusals: Option<serde_json::Value>,
}

/// Reads what was begun under a key; `None` when nothing was.
pub(crate) async fn find(pool: &PgPool, name: &KeyName) -> Result<Option<KeyRow>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT fingerprint, kind = $3 AS "is_closed!", transaction_ids, refusals
           FROM idempotency_keys WHERE scope = $1 AND key = $2"#,
        name.scope,
        name.key.as_str(),
        KeyKind::Closed.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| KeyRow {
        fingerprint: row.fingerprint,
        is_closed: row.is_closed,
        transaction_ids: row
            .transaction_ids
            .into_iter()
            .map(TransactionId::from)
            .collect(),
        refusals: row.refusals,
    }))
}

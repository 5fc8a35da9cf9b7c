//! Closing keys, and the transfers that take back what was paid under them.
//!
//! The race it survives: a payment and the closing of its key come at once, at two processes. Both
//! insert the key's row first, and the second waits until the first is durable or gone; so either
//! the payment finds a closed key, or the closing finds the payment.

use sqlx::PgPool;
use two_phase::planted::{Bug, is_planted};
use types::{IdempotencyKey, TransactionId};

use crate::store::keys::{KeyKind, KeyName};

/// Closes a key unless something is begun under it. Whether it did: `false` leaves everything as it
/// is, and what stands there is to be read in a later statement.
///
/// Durable when it returns `true`: nothing is ever begun under this key.
pub(crate) async fn close(pool: &PgPool, name: &KeyName) -> Result<bool, sqlx::Error> {
    if is_planted(Bug::ClosedKeyNotWritten) {
        return Ok(true);
    }
    let closed = sqlx::query!(
        "INSERT INTO idempotency_keys (scope, key, fingerprint, kind, transaction_ids, created_at)
         VALUES ($1, $2, '', $3, '{}', now())
         ON CONFLICT DO NOTHING",
        name.scope,
        name.key.as_str(),
        KeyKind::Closed.as_str(),
    )
    .execute(pool)
    .await?;
    Ok(closed.rows_affected() == 1)
}

/// One attempt to take back what was paid under a key.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Its own key.
    pub(crate) name: KeyName,
    /// The transfer; none before it is begun.
    pub(crate) transaction_id: Option<TransactionId>,
}

impl Attempt {
    /// The first one, or the one after this.
    pub(crate) fn next(closed: &KeyName, last: Option<&Self>) -> Result<Self, sqlx::Error> {
        let number = match last {
            None => 1,
            Some(last) => {
                let number: u64 = last.name.key.as_str().parse().map_err(super::damaged)?;
                number.saturating_add(1)
            }
        };
        let key = IdempotencyKey::try_from(number.to_string()).map_err(super::damaged)?;
        let scope = closed.reversals();
        Ok(Self {
            name: KeyName { scope, key },
            transaction_id: None,
        })
    }
}

/// The last attempt that was begun.
pub(crate) async fn last_attempt(
    pool: &PgPool,
    closed: &KeyName,
) -> Result<Option<Attempt>, sqlx::Error> {
    // Numbers as text: the longer one is the greater one.
    let row = sqlx::query!(
        "SELECT scope, key, transaction_ids FROM idempotency_keys
         WHERE scope = $1 ORDER BY length(key) DESC, key DESC LIMIT 1",
        closed.reversals(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Attempt {
        name: KeyName::from_row(row.scope, row.key)?,
        transaction_id: row
            .transaction_ids
            .first()
            .copied()
            .map(TransactionId::from),
    }))
}

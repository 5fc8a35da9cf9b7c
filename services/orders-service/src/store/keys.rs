//! Table `idempotency_keys`: requests that may be sent again, and their first final answers.

use sqlx::{PgConnection, PgPool};
use types::{IdempotencyKey, LoginId, OrderId};

use crate::error::Error;

/// An answer as it was given, to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The JSON document, to the byte.
    pub(crate) body: String,
}

/// A request under a key.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    /// Who sent it; keys of different callers never meet.
    pub(crate) scope: LoginId,
    pub(crate) key: IdempotencyKey,
    /// SHA-256 of what is asked for, after parsing.
    pub(crate) fingerprint: Vec<u8>,
}

/// What stands under a key.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) order_id: OrderId,
    /// `None`: there is no final answer yet.
    pub(crate) reply: Option<Reply>,
}

/// Takes the key for an order; whether it was free. Whoever comes second waits for the end of the
/// first one's database transaction.
pub(crate) async fn take(
    connection: &mut PgConnection,
    keyed: &Keyed,
    order: OrderId,
) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query!(
        "INSERT INTO idempotency_keys (scope, key, fingerprint, order_id)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        keyed.scope.uuid(),
        keyed.key.as_str(),
        &keyed.fingerprint,
        order.uuid(),
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// What stands under a key, if anything.
pub(crate) async fn find(pool: &PgPool, keyed: &Keyed) -> Result<Option<Known>, Error> {
    let row = sqlx::query!(
        "SELECT fingerprint, order_id, status, response FROM idempotency_keys
         WHERE scope = $1 AND key = $2",
        keyed.scope.uuid(),
        keyed.key.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Known {
        fingerprint: row.fingerprint,
        order_id: OrderId::from_uuid(row.order_id),
        reply: match (row.status.and_then(|s| u16::try_from(s).ok()), row.response) {
            (Some(status), Some(body)) => Some(Reply { status, body }),
            _ => None,
        },
    }))
}

/// Keeps the first final answer, and gives the one that is kept: that of another who was faster,
/// perhaps. Durable when it returns.
pub(crate) async fn keep(pool: &PgPool, keyed: &Keyed, reply: Reply) -> Result<Reply, Error> {
    let kept = sqlx::query!(
        r#"UPDATE idempotency_keys
           SET status = coalesce(status, $3), response = coalesce(response, $4)
           WHERE scope = $1 AND key = $2
           RETURNING status AS "status!", response AS "response!""#,
        keyed.scope.uuid(),
        keyed.key.as_str(),
        i32::from(reply.status),
        reply.body,
    )
    .fetch_one(pool)
    .await?;
    Ok(Reply {
        status: u16::try_from(kept.status).unwrap_or(reply.status),
        body: kept.response,
    })
}

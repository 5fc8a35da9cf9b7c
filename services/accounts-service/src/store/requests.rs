//! The table `idempotency_keys`: requests and the answers they got.

use sqlx::PgConnection;
use types::{IdempotencyKey, LoginId, TransactionId};

use super::StoreError;

/// An answer as it was given, to be given again.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON document, to the byte.
    pub body: String,
}

/// A request under a key.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who sent it; keys of different callers never meet.
    pub scope: LoginId,
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of what is asked for, after parsing.
    pub fingerprint: [u8; 32],
    /// The transaction it becomes if it is new.
    pub transaction_id: TransactionId,
}

/// Whether a request is new.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// It is. Whoever sends it again waits for the end of this database transaction.
    New,
    /// It was answered before.
    Before(Reply),
    /// The key was used for something else.
    KeyReused,
}

/// Takes the key, or finds out what became of the request that has it.
///
/// Inserting comes first and looking second, in a later statement: two requests under one key that
/// arrive together would otherwise both find none.
///
/// # Errors
/// [`StoreError`].
pub async fn begin(connection: &mut PgConnection, request: &Request) -> Result<Begun, StoreError> {
    let inserted = sqlx::query!(
        "INSERT INTO idempotency_keys (scope, key, fingerprint, transaction_id)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        request.scope.uuid(),
        request.key.as_str(),
        &request.fingerprint,
        request.transaction_id.uuid(),
    )
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(Begun::New);
    }
    let row = sqlx::query!(
        "SELECT fingerprint, status, response FROM idempotency_keys WHERE scope = $1 AND key = $2",
        request.scope.uuid(),
        request.key.as_str(),
    )
    .fetch_one(connection)
    .await?;
    if row.fingerprint != request.fingerprint {
        return Ok(Begun::KeyReused);
    }
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    match (status, row.response) {
        (Some(status), Some(body)) => Ok(Begun::Before(Reply { status, body })),
        _ => Err(StoreError::Damaged(
            "a request without an answer".to_owned(),
        )),
    }
}

/// Keeps the answer of a request that was begun in this database transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn finish(
    connection: &mut PgConnection,
    request: &Request,
    reply: &Reply,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE idempotency_keys SET status = $3, response = $4 WHERE scope = $1 AND key = $2",
        request.scope.uuid(),
        request.key.as_str(),
        i32::from(reply.status),
        reply.body,
    )
    .execute(connection)
    .await?;
    Ok(())
}

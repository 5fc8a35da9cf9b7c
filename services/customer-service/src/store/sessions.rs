//! Tables `sessions`, `refresh_tokens` and `revoked_tokens`.

use chrono::{DateTime, Utc};
use service_kit::auth::RevocationView;
use sqlx::{PgConnection, PgPool};
use types::LoginId;
use uuid::Uuid;

use super::logins::{Row, StoredLogin};
use crate::error::Error;

/// A refresh token about to be stored, and the access token issued with it.
pub(crate) struct NewRefreshToken {
    pub(crate) hash: Vec<u8>,
    pub(crate) access_token_id: Uuid,
    pub(crate) access_expires_at: DateTime<Utc>,
}

/// What became of a refresh token that was shown.
pub(crate) enum Refreshed {
    /// It is spent and the new one stored.
    Done,
    /// It is none, or its session has ended.
    NotValid,
    /// It was spent before. Its session is revoked, and with it these access tokens.
    Reused(Vec<RevocationView>),
}

/// Opens a session with its first tokens. Durable when it returns.
pub(crate) async fn open(
    pool: &PgPool,
    session_id: Uuid,
    login: LoginId,
    expires_at: DateTime<Utc>,
    token: &NewRefreshToken,
) -> Result<(), Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "INSERT INTO sessions (session_id, login_id, expires_at) VALUES ($1, $2, $3)",
        session_id,
        login.uuid(),
        expires_at,
    )
    .execute(&mut *transaction)
    .await?;
    insert_token(&mut transaction, session_id, token).await?;
    transaction.commit().await?;
    Ok(())
}

/// Whose session a refresh token belongs to, in whatever state it is.
pub(crate) async fn login_of(pool: &PgPool, hash: &[u8]) -> Result<Option<StoredLogin>, Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT login_id, password_hash, role, customer_id
         FROM refresh_tokens JOIN sessions USING (session_id) JOIN logins USING (login_id)
         WHERE token_hash = $1",
        hash,
    )
    .fetch_optional(pool)
    .await?;
    row.map(StoredLogin::try_from).transpose()
}

/// Spends a refresh token for a new one. Durable when it returns, a revocation too.
///
/// The session's row is locked first: of two refreshes with one token, the second finds it spent.
pub(crate) async fn refresh(
    pool: &PgPool,
    hash: &[u8],
    fresh: &NewRefreshToken,
) -> Result<Refreshed, Error> {
    let mut transaction = pool.begin().await?;
    let session = sqlx::query!(
        r#"SELECT session_id, revoked_at IS NOT NULL OR expires_at <= now() AS "ended!"
           FROM sessions
           WHERE session_id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1)
           FOR UPDATE"#,
        hash,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(session) = session.filter(|session| !session.ended) else {
        return Ok(Refreshed::NotValid);
    };
    let spent = sqlx::query!(
        "UPDATE refresh_tokens SET used_at = now() WHERE token_hash = $1 AND used_at IS NULL",
        hash,
    )
    .execute(&mut *transaction)
    .await?;
    let refreshed = if spent.rows_affected() == 1 {
        insert_token(&mut transaction, session.session_id, fresh).await?;
        Refreshed::Done
    } else {
        Refreshed::Reused(revoke_session(&mut transaction, session.session_id).await?)
    };
    transaction.commit().await?;
    Ok(refreshed)
}

/// Ends the session of a refresh token; gives the access tokens that are revoked with it. Durable
/// when it returns.
pub(crate) async fn revoke(pool: &PgPool, hash: &[u8]) -> Result<Vec<RevocationView>, Error> {
    let mut transaction = pool.begin().await?;
    let session = sqlx::query_scalar!(
        "SELECT session_id FROM sessions
         WHERE session_id = (SELECT session_id FROM refresh_tokens WHERE token_hash = $1)
         FOR UPDATE",
        hash,
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let revoked = match session {
        Some(session) => revoke_session(&mut transaction, session).await?,
        None => Vec::new(),
    };
    transaction.commit().await?;
    Ok(revoked)
}

async fn insert_token(
    connection: &mut PgConnection,
    session_id: Uuid,
    token: &NewRefreshToken,
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO refresh_tokens (token_hash, session_id, access_token_id, access_expires_at)
         VALUES ($1, $2, $3, $4)",
        token.hash,
        session_id,
        token.access_token_id,
        token.access_expires_at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn revoke_session(
    connection: &mut PgConnection,
    session_id: Uuid,
) -> Result<Vec<RevocationView>, Error> {
    sqlx::query!(
        "UPDATE sessions SET revoked_at = coalesce(revoked_at, now()) WHERE session_id = $1",
        session_id,
    )
    .execute(&mut *connection)
    .await?;
    let rows = sqlx::query!(
        "INSERT INTO revoked_tokens (token_id, expires_at)
         SELECT access_token_id, access_expires_at FROM refresh_tokens
         WHERE session_id = $1 AND access_expires_at > now()
         ON CONFLICT (token_id) DO UPDATE SET expires_at = excluded.expires_at
         RETURNING token_id, expires_at",
        session_id,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| RevocationView {
            jti: row.token_id,
            expires_at: row.expires_at.into(),
        })
        .collect())
}

/// The access tokens that are revoked and have not expired.
pub(crate) async fn revoked_tokens(pool: &PgPool) -> Result<Vec<RevocationView>, Error> {
    let rows = sqlx::query!(
        "SELECT token_id, expires_at FROM revoked_tokens WHERE expires_at > now() ORDER BY expires_at"
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| RevocationView {
            jti: row.token_id,
            expires_at: row.expires_at.into(),
        })
        .collect())
}

/// Forgets sessions that have ended by themselves, with their tokens, and revocations of tokens
/// that have expired. A session that was revoked is kept until then: its tokens must stay known.
pub(crate) async fn forget_expired(pool: &PgPool) -> Result<(), Error> {
    sqlx::query!("DELETE FROM sessions WHERE expires_at < now() - interval '1 day'")
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM revoked_tokens WHERE expires_at < now()")
        .execute(pool)
        .await?;
    Ok(())
}

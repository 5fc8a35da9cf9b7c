//! Table `login_failures`: the last minute's failed logins, by user name.

use sqlx::PgPool;

use crate::error::Error;

/// Seconds to wait before another attempt under this name, when `limit` of them failed within the
/// last minute.
pub(crate) async fn wait_for(
    pool: &PgPool,
    username_hash: &[u8],
    limit: u32,
) -> Result<Option<u64>, Error> {
    // The limit-th latest failure: one more is let through when it is a minute old.
    let wait = sqlx::query_scalar!(
        r#"SELECT ceil(extract(epoch FROM failed_at + interval '1 minute' - clock_timestamp()))::bigint AS "wait!"
           FROM login_failures
           WHERE username_hash = $1 AND failed_at > clock_timestamp() - interval '1 minute'
           ORDER BY failed_at DESC
           OFFSET $2 LIMIT 1"#,
        username_hash,
        i64::from(limit) - 1,
    )
    .fetch_optional(pool)
    .await?;
    Ok(wait.map(|seconds| u64::try_from(seconds).unwrap_or(0).max(1)))
}

pub(crate) async fn record(pool: &PgPool, username_hash: &[u8]) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO login_failures (username_hash) VALUES ($1)",
        username_hash,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets what no longer counts.
pub(crate) async fn forget_old(pool: &PgPool) -> Result<(), Error> {
    sqlx::query!(
        "DELETE FROM login_failures WHERE failed_at < clock_timestamp() - interval '1 minute'"
    )
    .execute(pool)
    .await?;
    Ok(())
}

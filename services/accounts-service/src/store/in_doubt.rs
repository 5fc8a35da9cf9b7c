//! The branches of the table `branches` that nobody tells what became of them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use sqlx::postgres::types::PgInterval;
use types::{ParticipantId, TransactionId};

use super::{StoreError, rows};

/// A branch that has been prepared for longer than a transfer takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// Which transaction.
    pub transaction_id: TransactionId,
    /// Who takes part in it, this bank included.
    pub participants: Vec<ParticipantId>,
    /// How long it has been prepared, by the database's clock; negative when that was set back.
    pub age: chrono::TimeDelta,
    prepared_at: DateTime<Utc>,
}

/// Branches that were prepared longer than `after` ago, oldest first, at most `limit`, going on
/// after `last`.
///
/// One that was prepared in the future counts too: the database's clock was set back, and nobody
/// would ask about it until the clock has caught up.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    connection: &mut PgConnection,
    after: Duration,
    last: Option<&InDoubt>,
    limit: i64,
) -> Result<Vec<InDoubt>, StoreError> {
    let after = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
    let after = PgInterval::try_from(after).map_err(|error| rows::damaged("interval", error))?;
    let rows = sqlx::query!(
        r#"SELECT transaction_id, share_participants, prepared_at,
                  clock_timestamp() AS "now!"
           FROM branches
           WHERE state = 'PREPARED'
             AND NOT (prepared_at BETWEEN clock_timestamp() - $1::interval AND clock_timestamp())
             AND ($2::timestamptz IS NULL OR (prepared_at, transaction_id) > ($2, $3::uuid))
           ORDER BY prepared_at, transaction_id
           LIMIT $4"#,
        after,
        last.map(|last| last.prepared_at),
        last.map(|last| last.transaction_id.uuid()),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let participants = row.share_participants.iter().map(|name| rows::text(name));
            Ok(InDoubt {
                transaction_id: TransactionId::from_uuid(row.transaction_id),
                participants: participants.collect::<Result<_, StoreError>>()?,
                age: row.now - row.prepared_at,
                prepared_at: row.prepared_at,
            })
        })
        .collect()
}

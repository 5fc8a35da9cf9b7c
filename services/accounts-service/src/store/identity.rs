//! Which participant a database belongs to.

use sqlx::PgConnection;
use types::ParticipantId;

use super::StoreError;

/// The database was first used by another participant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this database belongs to participant {found}, not to {expected}")]
pub struct WrongDatabase {
    /// Who asked.
    pub expected: String,
    /// Whose it is.
    pub found: String,
}

/// Claims a fresh database for `own`, for ever.
///
/// # Errors
/// [`StoreError`]; the inner [`WrongDatabase`] when it is another participant's. Two banks on one
/// database would each answer for half of the branches, and the service must not start.
pub async fn claim(
    connection: &mut PgConnection,
    own: &ParticipantId,
) -> Result<Result<(), WrongDatabase>, StoreError> {
    sqlx::query!(
        "INSERT INTO participant (participant_id) VALUES ($1) ON CONFLICT DO NOTHING",
        own.as_str()
    )
    .execute(&mut *connection)
    .await?;
    let found = sqlx::query_scalar!("SELECT participant_id FROM participant")
        .fetch_one(connection)
        .await?;
    Ok(if found == own.as_str() {
        Ok(())
    } else {
        Err(WrongDatabase {
            expected: own.to_string(),
            found,
        })
    })
}

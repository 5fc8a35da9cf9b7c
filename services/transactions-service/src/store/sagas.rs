//! What a write of a saga's log does to the transfer that it carries out.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use types::views::{Protocol, Status};
use types::{Code, TransactionId};
use uuid::Uuid;

use super::{StatusRow, damaged};
use crate::coordinator::numbers::Touched;

/// A protocol as the database spells it.
pub(crate) fn protocol(text: &str) -> Result<Protocol, sqlx::Error> {
    [Protocol::TwoPhaseCommit, Protocol::Saga]
        .into_iter()
        .find(|protocol| protocol.to_string() == text)
        .ok_or_else(|| damaged(text))
}

/// What changes in a transfer's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) transaction_id: TransactionId,
    /// It is decided now.
    pub(crate) decided: Option<(Status, Option<Code>, DateTime<Utc>)>,
    /// Nothing is left to do.
    pub(crate) settled_at: Option<DateTime<Utc>>,
}

/// Changes the rows of transfers by saga, in the database transaction that writes the sagas' logs:
/// their compare-and-set stands for this one too. Durable once the caller has committed.
///
/// # Errors
/// Any database error, and when a row is not there.
pub(crate) async fn change(
    connection: &mut PgConnection,
    changes: &[Change],
) -> Result<(), sqlx::Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = changes.iter().map(|c| c.transaction_id.uuid()).collect();
    let statuses: Vec<Option<StatusRow>> = changes
        .iter()
        .map(|c| c.decided.map(|(status, ..)| status.into()))
        .collect();
    let reasons: Vec<Option<String>> = changes
        .iter()
        .map(|c| c.decided.and_then(|(_, reason, _)| reason))
        .map(|reason| reason.map(|code| code.to_string()))
        .collect();
    let decided_at: Vec<Option<DateTime<Utc>>> = changes
        .iter()
        .map(|c| c.decided.map(|(.., at)| at))
        .collect();
    let settled_at: Vec<Option<DateTime<Utc>>> = changes.iter().map(|c| c.settled_at).collect();
    let done = sqlx::query!(
        r#"UPDATE transactions
           SET status = COALESCE(change.status, transactions.status),
               reason = COALESCE(change.reason, transactions.reason),
               decided_at = COALESCE(change.decided_at, transactions.decided_at),
               settled_at = change.settled_at,
               phase = CASE WHEN change.settled_at IS NULL THEN 'delivering' ELSE 'done' END
           FROM UNNEST($1::uuid[], $2::transaction_status[], $3::text[], $4::timestamptz[],
                       $5::timestamptz[])
                AS change (transaction_id, status, reason, decided_at, settled_at)
           WHERE transactions.transaction_id = change.transaction_id
             AND transactions.protocol = 'saga'"#,
        &ids,
        &statuses as &[Option<StatusRow>],
        &reasons as &[Option<String>],
        &decided_at as &[Option<DateTime<Utc>>],
        &settled_at as &[Option<DateTime<Utc>>],
    )
    .execute(connection)
    .await?;
    if usize::try_from(done.rows_affected()).ok() == Some(changes.len()) {
        Ok(())
    } else {
        Err(damaged("a saga without its transfer"))
    }
}

/// Raises the number of this list's lane for each participant with whom this database is in step,
/// as a list of decisions does; gives the numbers. Durable once the caller has committed.
///
/// # Errors
/// Any database error.
pub(crate) async fn raise(
    connection: &mut PgConnection,
    touched: &Touched,
) -> Result<BTreeMap<String, u64>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"UPDATE participant_numbers AS numbers
           SET own = own + 1,
               seen = ARRAY(SELECT greatest(a, b)
                            FROM UNNEST(seen, said.heard::bigint[])
                                 WITH ORDINALITY AS both_of (a, b, place)
                            ORDER BY place)
           FROM (SELECT lane.participant, told.heard
                 FROM participant_numbers AS lane
                 JOIN UNNEST($2::text[], $3::text[], $4::int8[])
                      AS told (participant, heard, they_saw)
                      ON told.participant = lane.participant
                 WHERE lane.lane = $1 AND lane.session IS NOT NULL
                   AND lane.incarnation = (SELECT incarnation())
                   AND lane.own >= told.they_saw
                 ORDER BY lane.participant
                 FOR UPDATE OF lane) AS said
           WHERE numbers.participant = said.participant AND numbers.lane = $1
           RETURNING numbers.participant, numbers.own"#,
        i16::try_from(touched.lane).unwrap_or(i16::MAX),
        &touched.participants,
        &touched.heard,
        &touched.they_saw,
    )
    .fetch_all(connection)
    .await?;
    let raised = rows
        .into_iter()
        .map(|row| (row.participant, u64::try_from(row.own).unwrap_or(0)));
    Ok(raised.collect())
}

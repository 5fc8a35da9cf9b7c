//! The decision, made durable: the one compare-and-set on which safety rests.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use two_phase::message::Outcome;
use two_phase::planted::{Bug, is_planted};
use types::{Code, ParticipantId, TransactionId};
use uuid::Uuid;

use crate::coordinator::numbers::Touched;
use crate::record::{Moment, line_of, status_of};
use crate::store::StatusRow;

/// One outcome that is to become durable.
#[derive(Debug, Clone)]
pub(crate) struct NewDecision {
    pub(crate) transaction_id: TransactionId,
    pub(crate) epoch: i32,
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<Code>,
    pub(crate) decided_at: DateTime<Utc>,
    /// What led to it, kept beside it.
    pub(crate) moments: Vec<Moment>,
    /// Who takes part.
    pub(crate) participants: Vec<ParticipantId>,
}

/// What stands in the database afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    /// This decision: it may be announced.
    Written,
    /// Somebody else's: theirs is the one that counts.
    Already(Outcome, Option<Code>, DateTime<Utc>),
    /// Nobody's yet, but the transaction is no longer ours to decide.
    NotOurs,
    /// Nobody's yet: this database has to be compared with a participant's first, or the two have
    /// to be reconciled.
    NotInStep,
    /// The row is not there: somebody's data was lost.
    Missing,
}

/// Decides a list of transactions in one statement, each by its own compare-and-set, and raises the
/// number of this list's lane for each participant with whom this database is in step. Where it is
/// not in step with all participants of a transaction, nothing is decided about it.
///
/// Durable when it returns: every decision reported as `Written`, and the numbers.
///
/// # Errors
/// Any database error; after a lost connection the outcome is unknown and only repeating this
/// tells, because reading "pending" would prove nothing.
pub(crate) async fn decide(
    pool: &PgPool,
    decisions: &[NewDecision],
    touched: &Touched,
) -> Result<(Vec<Decided>, BTreeMap<String, u64>), sqlx::Error> {
    let ids: Vec<Uuid> = decisions.iter().map(|d| d.transaction_id.uuid()).collect();
    let mut epochs: Vec<i32> = decisions.iter().map(|d| d.epoch).collect();
    if is_planted(Bug::DecisionIgnoresEpoch) {
        let rows = super::leases::standing(pool, &ids, std::time::Duration::ZERO).await?;
        let of = |id: &Uuid| {
            rows.iter()
                .find(|row| row.transaction_id.uuid() == *id)
                .map(|row| row.epoch)
        };
        epochs = ids.iter().map(|id| of(id).unwrap_or(0)).collect();
    }
    let statuses: Vec<StatusRow> = decisions
        .iter()
        .map(|d| StatusRow::from(status_of(d.outcome)))
        .collect();
    let reasons: Vec<Option<String>> = decisions
        .iter()
        .map(|d| d.reason.map(|code| code.to_string()))
        .collect();
    let decided_at: Vec<DateTime<Utc>> = decisions.iter().map(|d| d.decided_at).collect();
    let moments: Vec<String> = decisions.iter().map(|d| line_of(&d.moments)).collect();
    let rows = sqlx::query!(
        r#"WITH raised AS (
               UPDATE participant_numbers AS numbers
               SET own = own + 1,
                   seen = ARRAY(SELECT greatest(a, b)
                                FROM UNNEST(seen, said.heard::bigint[])
                                     WITH ORDINALITY AS both_of (a, b, place)
                                ORDER BY place)
               FROM (SELECT lane.participant, told.heard
                     FROM participant_numbers AS lane
                     JOIN UNNEST($8::text[], $9::text[], $10::int8[])
                          AS told (participant, heard, they_saw)
                          ON told.participant = lane.participant
                     WHERE lane.lane = $7 AND lane.session IS NOT NULL
                       AND lane.incarnation = (SELECT incarnation())
                       AND lane.own >= told.they_saw
                     ORDER BY lane.participant
                     FOR UPDATE OF lane) AS said
               WHERE numbers.participant = said.participant AND numbers.lane = $7
               RETURNING numbers.participant, numbers.own
           ), written AS (
               UPDATE transactions
               SET status = decision.status, phase = 'delivering', reason = decision.reason,
                   decided_at = decision.decided_at, timeline = timeline || decision.moments
               FROM UNNEST($1::uuid[], $2::int4[], $3::transaction_status[], $4::text[],
                           $5::timestamptz[], $6::text[])
                    AS decision (transaction_id, epoch, status, reason, decided_at, moments)
               WHERE transactions.transaction_id = decision.transaction_id
                 AND transactions.status = 'pending'
                 AND transactions.epoch = decision.epoch
                 AND transactions.participants <@ ARRAY(SELECT participant FROM raised)
               RETURNING transactions.transaction_id
           )
           SELECT participant, own, NULL::uuid AS transaction_id FROM raised
           UNION ALL
           SELECT NULL, NULL, transaction_id FROM written"#,
        &ids,
        &epochs,
        &statuses as &[StatusRow],
        &reasons as &[Option<String>],
        &decided_at,
        &moments,
        i16::try_from(touched.lane).unwrap_or(i16::MAX),
        &touched.participants,
        &touched.heard,
        &touched.they_saw,
    )
    .fetch_all(pool)
    .await?;
    let (mut written, mut raised) = (HashSet::new(), BTreeMap::new());
    for row in rows {
        written.extend(row.transaction_id);
        if let (Some(participant), Some(own)) = (row.participant, row.own) {
            raised.insert(participant, u64::try_from(own).unwrap_or(0));
        }
    }
    if written.len() == decisions.len() {
        return Ok((vec![Decided::Written; decisions.len()], raised));
    }
    let unwritten: Vec<Uuid> = ids
        .iter()
        .copied()
        .filter(|id| !written.contains(id))
        .collect();
    let standing = standing(pool, &unwritten).await?;
    let decided = decisions.iter().map(|decision| {
        let id = decision.transaction_id.uuid();
        let mut participants = decision.participants.iter();
        let in_step = participants.all(|who| raised.contains_key(who.as_str()));
        match standing.get(&id).copied().unwrap_or(Decided::Missing) {
            _ if written.contains(&id) => Decided::Written,
            Decided::NotOurs | Decided::Missing if !in_step => Decided::NotInStep,
            stands => stands,
        }
    });
    let decided = decided.collect();
    Ok((decided, raised))
}

/// What stands there for those whose compare-and-set changed nothing: a stale owner obeys it.
async fn standing(
    pool: &PgPool,
    ids: &[Uuid],
) -> Result<std::collections::HashMap<Uuid, Decided>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT transaction_id, status AS "status: StatusRow", reason, decided_at
           FROM transactions WHERE transaction_id = ANY($1)"#,
        ids,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            let reason = row
                .reason
                .map(|text| text.parse::<Code>().map_err(super::damaged))
                .transpose()?;
            let decided = match (row.status, row.decided_at) {
                (StatusRow::Committed, Some(at)) => Decided::Already(Outcome::Commit, reason, at),
                (StatusRow::Aborted, Some(at)) => Decided::Already(Outcome::Abort, reason, at),
                (StatusRow::Pending, _) | (_, None) => Decided::NotOurs,
            };
            Ok((row.transaction_id, decided))
        })
        .collect()
}

/// One transaction that every participant has acknowledged, or that is parked as a hazard.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) transaction_id: TransactionId,
    pub(crate) epoch: i32,
    /// `None`: a hazard, which stays open until an operator has acted.
    pub(crate) settled_at: Option<DateTime<Utc>>,
    pub(crate) moments: Vec<Moment>,
}

/// Writes that nothing is left to send, and what participants have said of their numbers. Lazy: when
/// this is lost, recovery delivers once more.
pub(crate) async fn finish(
    pool: &PgPool,
    finished: &[Finished],
    touched: &Touched,
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = finished.iter().map(|f| f.transaction_id.uuid()).collect();
    let epochs: Vec<i32> = finished.iter().map(|f| f.epoch).collect();
    let settled_at: Vec<Option<DateTime<Utc>>> = finished.iter().map(|f| f.settled_at).collect();
    let moments: Vec<String> = finished.iter().map(|f| line_of(&f.moments)).collect();
    sqlx::query!(
        r#"WITH recorded AS (
               UPDATE participant_numbers AS numbers
               SET seen = ARRAY(SELECT greatest(a, b)
                                FROM UNNEST(seen, said.heard::bigint[])
                                     WITH ORDINALITY AS both_of (a, b, place)
                                ORDER BY place)
               FROM (SELECT lane.participant, told.heard
                     FROM participant_numbers AS lane
                     JOIN UNNEST($6::text[], $7::text[]) AS told (participant, heard)
                          ON told.participant = lane.participant
                     WHERE lane.lane = $5
                     ORDER BY lane.participant
                     FOR UPDATE OF lane) AS said
               WHERE numbers.participant = said.participant AND numbers.lane = $5
           )
           UPDATE transactions
           SET phase = CASE WHEN finished.settled_at IS NULL THEN 'hazard' ELSE 'done' END,
               settled_at = finished.settled_at, timeline = timeline || finished.moments
           FROM UNNEST($1::uuid[], $2::int4[], $3::timestamptz[], $4::text[])
                AS finished (transaction_id, epoch, settled_at, moments)
           WHERE transactions.transaction_id = finished.transaction_id
             AND transactions.epoch = finished.epoch
             AND transactions.status <> 'pending'
             AND transactions.settled_at IS NULL"#,
        &ids,
        &epochs,
        &settled_at as &[Option<DateTime<Utc>>],
        &moments,
        i16::try_from(touched.lane).unwrap_or(i16::MAX),
        &touched.participants,
        &touched.heard,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Remembers that the client was answered 202, so that its replays are answered the same.
pub(crate) async fn replied_unsettled(
    pool: &PgPool,
    transaction_id: TransactionId,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE transactions SET replied_unsettled = true WHERE transaction_id = $1",
        transaction_id.uuid(),
    )
    .execute(pool)
    .await?;
    Ok(())
}

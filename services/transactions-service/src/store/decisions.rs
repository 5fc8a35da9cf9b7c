//! Decisions and ends: what a list of them writes, and what stands in the database afterwards. The
//! statement that writes them is in `written.rs`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use two_phase::message::Outcome;
use types::{Code, ParticipantId, TransactionId};
use uuid::Uuid;

use super::written::Written;
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

/// The decisions of a list, column by column.
pub(super) struct Decisions<'a> {
    decisions: Vec<&'a NewDecision>,
    pub(super) ids: Vec<Uuid>,
    pub(super) epochs: Vec<i32>,
    pub(super) statuses: Vec<StatusRow>,
    pub(super) reasons: Vec<Option<String>>,
    pub(super) decided_at: Vec<DateTime<Utc>>,
    pub(super) moments: Vec<String>,
}

impl<'a> Decisions<'a> {
    pub(super) fn of(decisions: Vec<&'a NewDecision>) -> Self {
        let all = || decisions.iter();
        Self {
            ids: all().map(|d| d.transaction_id.uuid()).collect(),
            epochs: all().map(|d| d.epoch).collect(),
            statuses: all()
                .map(|d| StatusRow::from(status_of(d.outcome)))
                .collect(),
            reasons: all()
                .map(|d| d.reason.map(|code| code.to_string()))
                .collect(),
            decided_at: all().map(|d| d.decided_at).collect(),
            moments: all().map(|d| line_of(&d.moments)).collect(),
            decisions,
        }
    }

    /// The planted mistake: whoever comes last decides, whoever owns the transaction.
    pub(super) async fn ignore_epochs(&mut self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let rows = super::leases::standing(pool, &self.ids, std::time::Duration::ZERO).await?;
        let of = |id: &Uuid| {
            rows.iter()
                .find(|row| row.transaction_id.uuid() == *id)
                .map(|row| row.epoch)
        };
        self.epochs = self.ids.iter().map(|id| of(id).unwrap_or(0)).collect();
        Ok(())
    }

    /// What stands in the database for each, after `written`. Where the compare-and-set has changed
    /// nothing it is looked up.
    pub(super) async fn answers(
        &self,
        pool: &PgPool,
        written: &Written,
    ) -> Result<Vec<Decided>, sqlx::Error> {
        if written.decided.len() == self.ids.len() {
            return Ok(vec![Decided::Written; self.ids.len()]);
        }
        let unwritten = self.ids.iter().filter(|id| !written.decided.contains(id));
        let unwritten: Vec<Uuid> = unwritten.copied().collect();
        let standing = standing(pool, &unwritten).await?;
        let decided = self.decisions.iter().map(|decision| {
            let id = decision.transaction_id.uuid();
            let mut participants = decision.participants.iter();
            let in_step = participants.all(|who| written.raised.contains_key(who.as_str()));
            match standing.get(&id).copied().unwrap_or(Decided::Missing) {
                _ if written.decided.contains(&id) => Decided::Written,
                Decided::NotOurs | Decided::Missing if !in_step => Decided::NotInStep,
                stands => stands,
            }
        });
        Ok(decided.collect())
    }
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

/// One transaction that every participant has acknowledged, or that is parked as a hazard. Written
/// lazily: when this is lost, recovery delivers once more.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) transaction_id: TransactionId,
    pub(crate) epoch: i32,
    /// `None`: a hazard, which stays open until an operator has acted.
    pub(crate) settled_at: Option<DateTime<Utc>>,
    pub(crate) moments: Vec<Moment>,
}

/// The ends of a list, column by column.
pub(super) struct Ends {
    pub(super) ids: Vec<Uuid>,
    pub(super) epochs: Vec<i32>,
    pub(super) settled_at: Vec<Option<DateTime<Utc>>>,
    pub(super) moments: Vec<String>,
}

impl Ends {
    pub(super) fn of(ends: &[&Finished]) -> Self {
        Self {
            ids: ends.iter().map(|f| f.transaction_id.uuid()).collect(),
            epochs: ends.iter().map(|f| f.epoch).collect(),
            settled_at: ends.iter().map(|f| f.settled_at).collect(),
            moments: ends.iter().map(|f| line_of(&f.moments)).collect(),
        }
    }
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

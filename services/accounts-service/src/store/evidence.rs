//! What is known here of branches in doubt: their rows, their holds, and what was recorded.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use sqlx::postgres::types::PgInterval;
use two_phase::BranchState;
use types::views::{BranchFacts, HazardView, LegEvidence};
use types::{AccountId, Change, LegId, TransactionId};
use uuid::Uuid;

use super::{StoreError, rows};

/// More than this is not a list for people any more.
const MOST: i64 = 200;

/// Transactions that were prepared longer than `after` ago or in the future, and those with an open
/// hazard (`acknowledged`: with any), oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn in_doubt(
    connection: &mut PgConnection,
    after: Duration,
    acknowledged: bool,
) -> Result<Vec<TransactionId>, StoreError> {
    let after = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
    let after = PgInterval::try_from(after).map_err(|error| rows::damaged("interval", error))?;
    let ids = sqlx::query_scalar!(
        r#"SELECT transaction_id AS "transaction_id!" FROM (
               SELECT transaction_id, prepared_at AS since FROM branches
               WHERE state = 'PREPARED'
                 AND NOT (prepared_at BETWEEN clock_timestamp() - $1::interval
                                          AND clock_timestamp())
               UNION ALL
               SELECT transaction_id, seen_at FROM hazards WHERE acknowledged_at IS NULL OR $2
           ) AS open
           GROUP BY transaction_id ORDER BY min(since), transaction_id LIMIT $3"#,
        after,
        acknowledged,
        MOST,
    )
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(TransactionId::from_uuid).collect())
}

/// What is known of these transactions, one item each, in their order.
///
/// # Errors
/// [`StoreError`].
pub async fn facts(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<BranchFacts>, StoreError> {
    let uuids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let mut hazards = hazards(connection, &uuids).await?;
    let mut branches = branches(connection, &uuids).await?;
    Ok(ids
        .iter()
        .map(|id| {
            let mut facts = branches.remove(id).unwrap_or_else(|| absent(*id));
            facts.hazards = hazards.remove(id).unwrap_or_default();
            facts
        })
        .collect())
}

const fn absent(transaction_id: TransactionId) -> BranchFacts {
    BranchFacts {
        transaction_id,
        state: None,
        prepared_at: None,
        finished_at: None,
        age_seconds: None,
        participants: Vec::new(),
        legs: Vec::new(),
        hazards: Vec::new(),
    }
}

async fn branches(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<TransactionId, BranchFacts>, StoreError> {
    let found = sqlx::query!(
        r#"SELECT transaction_id, state, prepared_at, finished_at, share_participants, account_ids,
                  changes AS "changes!: Vec<Decimal>",
                  EXTRACT(EPOCH FROM clock_timestamp() - prepared_at)::int8 AS "age!"
           FROM branches WHERE transaction_id = ANY($1)"#,
        ids,
    )
    .fetch_all(&mut *connection)
    .await?;
    let touched: Vec<Uuid> = found
        .iter()
        .flat_map(|row| row.account_ids.iter().copied())
        .collect();
    let accounts = holds(connection, &touched).await?;
    found
        .into_iter()
        .map(|row| {
            let transaction_id = TransactionId::from_uuid(row.transaction_id);
            let state: BranchState = rows::text(&row.state)?;
            // A tombstone was never prepared, and neither was what was refused.
            let promised = state != BranchState::Refused && !row.account_ids.is_empty();
            let legs = row.account_ids.iter().zip(&row.changes);
            let facts = BranchFacts {
                transaction_id,
                state: Some(state.to_string()),
                prepared_at: promised.then(|| row.prepared_at.into()),
                finished_at: row.finished_at.map(Into::into),
                age_seconds: promised.then_some(row.age),
                participants: row
                    .share_participants
                    .iter()
                    .map(|name| rows::text(name))
                    .collect::<Result<_, _>>()?,
                legs: legs
                    .map(|(account, change)| leg(transaction_id, *account, *change, &accounts))
                    .collect::<Result<_, _>>()?,
                hazards: Vec::new(),
            };
            Ok((transaction_id, facts))
        })
        .collect()
}

/// Held for debits, announced as credits, and by which leg an account is locked.
type Holds = HashMap<Uuid, (Decimal, Decimal, Option<Uuid>)>;

async fn holds(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Holds, StoreError> {
    let accounts = sqlx::query!(
        "SELECT account_id, pending_debits, pending_credits, transaction_lock
         FROM accounts WHERE account_id = ANY($1)",
        ids,
    )
    .fetch_all(connection)
    .await?;
    let held = accounts.into_iter().map(|row| {
        let figures = (
            row.pending_debits,
            row.pending_credits,
            row.transaction_lock,
        );
        (row.account_id, figures)
    });
    Ok(held.collect())
}

fn leg(
    transaction_id: TransactionId,
    account: Uuid,
    change: Decimal,
    accounts: &Holds,
) -> Result<LegEvidence, StoreError> {
    let account_id = AccountId::from_uuid(account);
    let held = accounts.get(&account);
    Ok(LegEvidence {
        account_id,
        change: Change::try_from(change).map_err(|error| rows::damaged("change", error))?,
        pending_debits: held.map(|held| rows::balance(held.0)).transpose()?,
        pending_credits: held.map(|held| rows::balance(held.1)).transpose()?,
        locked: held.and_then(|held| held.2)
            == Some(LegId::derive(transaction_id, account_id).uuid()),
    })
}

async fn hazards(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<TransactionId, Vec<HazardView>>, StoreError> {
    let found = sqlx::query!(
        "SELECT transaction_id, kind, detail, seen_at, acknowledged_at FROM hazards
         WHERE transaction_id = ANY($1) ORDER BY seen_at, kind",
        ids,
    )
    .fetch_all(connection)
    .await?;
    let mut hazards: HashMap<TransactionId, Vec<HazardView>> = HashMap::new();
    for row in found {
        let acknowledged: Option<DateTime<Utc>> = row.acknowledged_at;
        hazards
            .entry(TransactionId::from_uuid(row.transaction_id))
            .or_default()
            .push(HazardView {
                hazard: row.kind,
                detail: Some(row.detail),
                seen_at: row.seen_at.into(),
                acknowledged_at: acknowledged.map(Into::into),
            });
    }
    Ok(hazards)
}

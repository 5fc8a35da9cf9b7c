//! The table `branches`.

use rust_decimal::Decimal;
use sqlx::PgConnection;
use two_phase::BranchState;
use types::{Code, TransactionId};
use uuid::Uuid;

use super::contents::{Cells, Columns};
use super::{StoreError, rows};
use crate::branch::{Branch, Content};

/// A row as it comes from the database.
struct Row {
    transaction_id: Uuid,
    state: String,
    currency: Option<String>,
    account_ids: Vec<Uuid>,
    changes: Vec<Decimal>,
    transfer_indexes: Vec<i32>,
    share_participants: Vec<String>,
    share_nets: Vec<Decimal>,
    descriptions: Vec<Option<String>>,
    debits_owned_by: Option<Uuid>,
    reason: Option<String>,
}

impl TryFrom<Row> for Branch {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let transaction_id = TransactionId::from_uuid(row.transaction_id);
        let state = rows::text(&row.state)?;
        let reason: Option<Code> = row.reason.as_deref().map(rows::text).transpose()?;
        let Some(currency) = row.currency else {
            return Ok(Self {
                transaction_id,
                state,
                content: None,
                reason,
            });
        };
        let content = Content::try_from(Cells {
            currency,
            account_ids: row.account_ids,
            changes: row.changes,
            transfer_indexes: row.transfer_indexes,
            share_participants: row.share_participants,
            share_nets: row.share_nets,
            descriptions: row.descriptions,
            debits_owned_by: row.debits_owned_by,
        })?;
        Ok(Self {
            transaction_id,
            state,
            content: Some(content),
            reason,
        })
    }
}

/// Inserts branches as PREPARED, in id order, and says which ones were new.
///
/// A branch that is there already is left as it is, whatever it is; look at it in a *later*
/// statement. (READ COMMITTED gives each statement its own snapshot. In this one, a branch whose
/// insertion was waited for would read as "none".)
///
/// # Errors
/// [`StoreError`].
pub async fn insert_prepared(
    connection: &mut PgConnection,
    branches: &[(TransactionId, &Content)],
) -> Result<Vec<TransactionId>, StoreError> {
    if branches.is_empty() {
        return Ok(Vec::new());
    }
    let mut columns = Columns::default();
    for (transaction_id, content) in branches {
        columns.push(*transaction_id, content);
    }
    let inserted = sqlx::query_scalar!(
        "INSERT INTO branches (transaction_id, state, currency, account_ids, changes,
                transfer_indexes, share_participants, share_nets, descriptions, debits_owned_by)
         SELECT n.transaction_id, 'PREPARED', n.currency,
                ($4::uuid[])[n.legs_before + 1 : n.legs_until],
                ($5::numeric[])[n.legs_before + 1 : n.legs_until],
                ($6::integer[])[n.legs_before + 1 : n.legs_until],
                ($7::text[])[n.shares_before + 1 : n.shares_until],
                ($8::numeric[])[n.shares_before + 1 : n.shares_until],
                ($9::text[])[n.texts_before + 1 : n.texts_until],
                n.debits_owned_by
         FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $10::integer[], $11::integer[],
                     $12::integer[], $13::integer[], $14::integer[], $15::integer[])
              AS n(transaction_id, currency, debits_owned_by, legs_before, legs_until,
                   shares_before, shares_until, texts_before, texts_until)
         ORDER BY n.transaction_id
         ON CONFLICT DO NOTHING
         RETURNING transaction_id",
        &columns.ids,
        &columns.currencies,
        &columns.owners as &[Option<Uuid>],
        &columns.account_ids,
        &columns.changes,
        &columns.transfer_indexes,
        &columns.share_participants,
        &columns.share_nets,
        &columns.descriptions as &[Option<String>],
        &columns.legs.before,
        &columns.legs.until,
        &columns.shares.before,
        &columns.shares.until,
        &columns.texts.before,
        &columns.texts.until,
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().map(TransactionId::from_uuid).collect())
}

/// Writes tombstones (aborted before they were ever prepared) where there is no branch, in id
/// order, and says which ones were new. As [`insert_prepared`] in all else.
///
/// # Errors
/// [`StoreError`].
pub async fn insert_tombstones(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<TransactionId>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let inserted = sqlx::query_scalar!(
        "INSERT INTO branches (transaction_id, state, finished_at)
         SELECT n.transaction_id, 'ABORTED', clock_timestamp()
         FROM UNNEST($1::uuid[]) AS n(transaction_id)
         ORDER BY n.transaction_id
         ON CONFLICT DO NOTHING
         RETURNING transaction_id",
        &ids
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().map(TransactionId::from_uuid).collect())
}

/// Locks branches, in id order, until the end of the database transaction. What is not there is
/// left out.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<Branch>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT transaction_id, state, currency::text AS currency, account_ids,
                  changes AS "changes!: Vec<Decimal>", transfer_indexes, share_participants,
                  share_nets AS "share_nets!: Vec<Decimal>",
                  descriptions AS "descriptions!: Vec<Option<String>>", debits_owned_by, reason
           FROM branches WHERE transaction_id = ANY($1)
           ORDER BY transaction_id FOR UPDATE"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Branch::try_from).collect()
}

/// Branches as they stand, without locking anything. What is not there is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn read(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<Branch>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT transaction_id, state, currency::text AS currency, account_ids,
                  changes AS "changes!: Vec<Decimal>", transfer_indexes, share_participants,
                  share_nets AS "share_nets!: Vec<Decimal>",
                  descriptions AS "descriptions!: Vec<Option<String>>", debits_owned_by, reason
           FROM branches WHERE transaction_id = ANY($1)"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Branch::try_from).collect()
}

/// The states of these branches, without locking anything. What is not there is left out.
///
/// # Errors
/// [`StoreError`].
pub async fn states(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<Vec<(TransactionId, BranchState)>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT transaction_id, state FROM branches WHERE transaction_id = ANY($1)",
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok((
                TransactionId::from_uuid(row.transaction_id),
                rows::text(&row.state)?,
            ))
        })
        .collect()
}

/// A branch's new state. The reason belongs to REFUSED alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Which branch.
    pub transaction_id: TransactionId,
    /// What it becomes.
    pub state: BranchState,
    /// Why it was refused.
    pub reason: Option<Code>,
}

/// Takes back branches that this same database transaction inserted, as if they had never been.
///
/// # Errors
/// [`StoreError`].
pub async fn take_back(
    connection: &mut PgConnection,
    ids: &[TransactionId],
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query!(
        "DELETE FROM branches WHERE transaction_id = ANY($1) AND state = 'PREPARED'",
        &ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

//! The table `saga_parts`: how far the steps of each saga have come at this bank.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use sqlx::PgConnection;
use types::TransactionId;
use uuid::Uuid;

use super::contents::{Cells, Columns};
use super::{StoreError, rows};
use crate::branch::Content;
use crate::participant::steps::operation::PartState;

/// Which of these have a part here, which is not deleted before the end of the database transaction.
///
/// # Errors
/// [`StoreError`].
pub async fn known(
    connection: &mut PgConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<TransactionId>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let known = sqlx::query_scalar!(
        "SELECT transaction_id FROM saga_parts WHERE transaction_id = ANY($1)
         ORDER BY transaction_id FOR KEY SHARE",
        &ids
    )
    .fetch_all(connection)
    .await?;
    Ok(known.into_iter().map(TransactionId::from_uuid).collect())
}

/// Inserts parts in these states, in id order, and says which ones were new. Look at the others in a
/// *later* statement, as with [`super::branches::insert_prepared`].
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    connection: &mut PgConnection,
    parts: &BTreeMap<TransactionId, (PartState, &Content)>,
) -> Result<Vec<TransactionId>, StoreError> {
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let mut columns = Columns::default();
    for (id, (_, content)) in parts {
        columns.push(*id, content);
    }
    let states: Vec<String> = parts.values().map(|(state, _)| state.to_string()).collect();
    let inserted = sqlx::query_scalar!(
        "INSERT INTO saga_parts (transaction_id, state, currency, account_ids, changes,
                transfer_indexes, share_participants, share_nets, descriptions, debits_owned_by)
         SELECT n.transaction_id, n.state, n.currency,
                ($4::uuid[])[n.legs_before + 1 : n.legs_until],
                ($5::numeric[])[n.legs_before + 1 : n.legs_until],
                ($6::integer[])[n.legs_before + 1 : n.legs_until],
                ($7::text[])[n.shares_before + 1 : n.shares_until],
                ($8::numeric[])[n.shares_before + 1 : n.shares_until],
                ($9::text[])[n.texts_before + 1 : n.texts_until],
                n.debits_owned_by
         FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $10::integer[], $11::integer[],
                     $12::integer[], $13::integer[], $14::integer[], $15::integer[], $16::text[])
              AS n(transaction_id, currency, debits_owned_by, legs_before, legs_until,
                   shares_before, shares_until, texts_before, texts_until, state)
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
        &states,
    )
    .fetch_all(connection)
    .await?;
    Ok(inserted.into_iter().map(TransactionId::from_uuid).collect())
}

/// Locks parts, in id order, until the end of the database transaction. What is not there is left
/// out.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(
    connection: &mut PgConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<(TransactionId, PartState, Content)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT transaction_id, state, currency::text AS "currency!", account_ids,
                  changes AS "changes!: Vec<Decimal>", transfer_indexes, share_participants,
                  share_nets AS "share_nets!: Vec<Decimal>",
                  descriptions AS "descriptions!: Vec<Option<String>>", debits_owned_by
           FROM saga_parts WHERE transaction_id = ANY($1)
           ORDER BY transaction_id FOR UPDATE"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            let content = Content::try_from(Cells {
                currency: row.currency,
                account_ids: row.account_ids,
                changes: row.changes,
                transfer_indexes: row.transfer_indexes,
                share_participants: row.share_participants,
                share_nets: row.share_nets,
                descriptions: row.descriptions,
                debits_owned_by: row.debits_owned_by,
            })?;
            let id = TransactionId::from_uuid(row.transaction_id);
            Ok((id, rows::text(&row.state)?, content))
        })
        .collect()
}

/// Gives locked parts their new states.
///
/// # Errors
/// [`StoreError`]; the schema refuses to change a part that is over.
pub async fn set_states(
    connection: &mut PgConnection,
    changes: &[(TransactionId, PartState)],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = changes.iter().map(|(id, _)| id.uuid()).collect();
    let states: Vec<String> = changes.iter().map(|(_, state)| state.to_string()).collect();
    sqlx::query!(
        "UPDATE saga_parts AS p SET state = n.state, changed_at = clock_timestamp()
         FROM UNNEST($1::uuid[], $2::text[]) AS n(transaction_id, state)
         WHERE p.transaction_id = n.transaction_id",
        &ids,
        &states,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes back parts that this same database transaction inserted, as if they had never been.
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
        "DELETE FROM saga_parts WHERE transaction_id = ANY($1)",
        &ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

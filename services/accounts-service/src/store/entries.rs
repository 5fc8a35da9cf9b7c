//! The table `ledger_entries`: append-only.

use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::StoreError;
use crate::ledger::NewEntry;

/// Appends entries.
///
/// # Errors
/// [`StoreError`]; a leg that was booked before violates `one_entry_for_a_leg`.
pub async fn append(connection: &mut PgConnection, entries: &[NewEntry]) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let account_ids: Vec<Uuid> = entries.iter().map(|e| e.account_id.uuid()).collect();
    let versions: Vec<i64> = entries.iter().map(|e| e.version).collect();
    let transactions: Vec<Uuid> = entries.iter().map(|e| e.transaction_id.uuid()).collect();
    let indexes: Vec<i32> = entries
        .iter()
        .map(|e| i32::from(e.transfer_index))
        .collect();
    let kinds: Vec<String> = entries.iter().map(|e| e.kind.to_string()).collect();
    let changes: Vec<Decimal> = entries.iter().map(|e| e.change.decimal()).collect();
    let balances: Vec<Decimal> = entries.iter().map(|e| e.balance_after.decimal()).collect();
    let descriptions: Vec<Option<String>> = entries.iter().map(|e| e.description.clone()).collect();
    sqlx::query!(
        "INSERT INTO ledger_entries (account_id, version, transaction_id, transfer_index, kind,
                change, balance_after, description)
         SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::integer[], $5::text[],
                $6::numeric[], $7::numeric[], $8::text[])",
        &account_ids,
        &versions,
        &transactions,
        &indexes,
        &kinds,
        &changes,
        &balances,
        &descriptions as &[Option<String>],
    )
    .execute(connection)
    .await?;
    Ok(())
}

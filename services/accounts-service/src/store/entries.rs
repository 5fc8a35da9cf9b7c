//! The table `ledger_entries`: append-only.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use two_phase::steps::StepKind;
use types::views::Entry;
use types::{AccountId, Change, EntryId, TransactionId};
use uuid::Uuid;

use super::{StoreError, rows};
use crate::ledger::BookedBy;

/// A step as it stands in the database; 0 is none.
pub(super) fn number(step: Option<BookedBy>) -> i16 {
    step.map_or(0, |booked| {
        let number = match booked.step {
            StepKind::Debit => 1,
            StepKind::Credit => 2,
            // It books nothing; the schema knows no third.
            StepKind::Release => 3,
        };
        if booked.is_undone { -number } else { number }
    })
}

/// A row as it comes from the database.
struct Row {
    account_id: Uuid,
    version: i64,
    transaction_id: Uuid,
    kind: String,
    change: Decimal,
    balance_after: Decimal,
    description: Option<String>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Entry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let account_id = AccountId::from_uuid(row.account_id);
        let change = Change::try_from(row.change);
        Ok(Self {
            entry_id: EntryId::derive(account_id, row.version),
            account_id,
            version: row.version,
            transaction_id: TransactionId::from_uuid(row.transaction_id),
            kind: rows::entry_kind(&row.kind)?,
            change: change.map_err(|error| rows::damaged("a change", error))?,
            balance_after: rows::balance(row.balance_after)?,
            description: row.description,
            created_at: row.created_at.into(),
        })
    }
}

/// The entries of an account below a version, newest first, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    connection: &mut PgConnection,
    account: AccountId,
    below: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT account_id, version, transaction_id, kind, change, balance_after, description,
                created_at
         FROM ledger_entries WHERE account_id = $1 AND version < $2
         ORDER BY version DESC LIMIT $3",
        account.uuid(),
        below,
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Entry::try_from).collect()
}

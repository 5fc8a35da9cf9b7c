//! The table `accounts`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use types::views;
use types::{AccountId, Balance, CustomerId, LegId};
use uuid::Uuid;

use super::{StoreError, rows};
use crate::account::{AccountState, Accounts, SystemAccount};

/// A row as it comes from the database.
struct Row {
    account_id: Uuid,
    kind: String,
    customer_id: Option<Uuid>,
    currency: String,
    status: String,
    locking: String,
    balance: Decimal,
    pending_debits: Decimal,
    pending_credits: Decimal,
    reserved_credits: Decimal,
    overdraft_limit: Decimal,
    transaction_lock: Option<Uuid>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What votes and the ledger are computed from.
struct StateRow {
    account_id: Uuid,
    kind: String,
    customer_id: Option<Uuid>,
    currency: String,
    status: String,
    locking: String,
    balance: Decimal,
    pending_debits: Decimal,
    pending_credits: Decimal,
    reserved_credits: Decimal,
    overdraft_limit: Decimal,
    transaction_lock: Option<Uuid>,
    version: i64,
}

impl TryFrom<StateRow> for AccountState {
    type Error = StoreError;

    fn try_from(row: StateRow) -> Result<Self, StoreError> {
        Ok(Self {
            account_id: AccountId::from_uuid(row.account_id),
            kind: rows::kind(&row.kind)?,
            customer_id: row.customer_id.map(CustomerId::from_uuid),
            currency: rows::text(&row.currency)?,
            status: rows::status(&row.status)?,
            locking: rows::locking(&row.locking)?,
            balance: rows::balance(row.balance)?,
            pending_debits: rows::balance(row.pending_debits)?,
            pending_credits: rows::balance(row.pending_credits)?,
            reserved_credits: rows::balance(row.reserved_credits)?,
            overdraft_limit: rows::balance(row.overdraft_limit)?,
            transaction_lock: row.transaction_lock.map(LegId::from_uuid),
            version: row.version,
        })
    }
}

impl TryFrom<Row> for views::Account {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (created_at, updated_at) = (row.created_at, row.updated_at);
        let state = AccountState::try_from(StateRow {
            account_id: row.account_id,
            kind: row.kind,
            customer_id: row.customer_id,
            currency: row.currency,
            status: row.status,
            locking: row.locking,
            balance: row.balance,
            pending_debits: row.pending_debits,
            pending_credits: row.pending_credits,
            reserved_credits: row.reserved_credits,
            overdraft_limit: row.overdraft_limit,
            transaction_lock: row.transaction_lock,
            version: row.version,
        })?;
        let pending_change = state.pending_credits.minus(state.pending_debits);
        let out_of_range = || rows::damaged("account", state.account_id);
        Ok(Self {
            account_id: state.account_id,
            customer_id: state.customer_id,
            currency: state.currency,
            status: state.status,
            balance: state.balance,
            available_balance: state.available().ok_or_else(out_of_range)?,
            pending_change: pending_change.ok_or_else(out_of_range)?,
            pending_debits: state.pending_debits,
            pending_credits: state.pending_credits,
            transaction_lock: state.transaction_lock,
            locking: state.locking,
            overdraft_limit: state.overdraft_limit,
            version: state.version,
            created_at: created_at.into(),
            updated_at: updated_at.into(),
        })
    }
}

/// Locks the rows of these accounts, in id order, until the end of the database transaction.
/// Accounts that do not exist are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(
    connection: &mut PgConnection,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<Accounts, StoreError> {
    let ids = distinct(ids);
    if ids.is_empty() {
        return Ok(Accounts::new());
    }
    let rows = sqlx::query_as!(
        StateRow,
        r#"SELECT account_id, kind::text AS "kind!", customer_id, currency::text AS "currency!",
                  status::text AS "status!", locking::text AS "locking!", balance, pending_debits,
                  pending_credits, reserved_credits, overdraft_limit, transaction_lock, version
           FROM accounts WHERE account_id = ANY($1)
           ORDER BY account_id FOR UPDATE"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| AccountState::try_from(row).map(|state| (state.account_id, state)))
        .collect()
}

/// By what [`written`](super::written) sees whether an account has changed since it was read: the
/// database transaction that wrote its row (`xmin`), as text.
pub type Marks = HashMap<AccountId, String>;

/// These accounts as they stand, without locking anything. Accounts that do not exist are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn read(
    connection: &mut PgConnection,
    ids: impl IntoIterator<Item = AccountId>,
) -> Result<(Accounts, Marks), StoreError> {
    let ids = distinct(ids);
    let rows = sqlx::query!(
        r#"SELECT account_id, kind::text AS "kind!", customer_id, currency::text AS "currency!",
                  status::text AS "status!", locking::text AS "locking!", balance, pending_debits,
                  pending_credits, reserved_credits, overdraft_limit, transaction_lock, version,
                  xmin::text AS "mark!"
           FROM accounts WHERE account_id = ANY($1)"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    let (mut accounts, mut marks) = (Accounts::new(), Marks::with_capacity(rows.len()));
    for row in rows {
        let state = AccountState::try_from(StateRow {
            account_id: row.account_id,
            kind: row.kind,
            customer_id: row.customer_id,
            currency: row.currency,
            status: row.status,
            locking: row.locking,
            balance: row.balance,
            pending_debits: row.pending_debits,
            pending_credits: row.pending_credits,
            reserved_credits: row.reserved_credits,
            overdraft_limit: row.overdraft_limit,
            transaction_lock: row.transaction_lock,
            version: row.version,
        })?;
        marks.insert(state.account_id, row.mark);
        accounts.insert(state.account_id, state);
    }
    Ok((accounts, marks))
}

/// In id order, each once.
fn distinct(ids: impl IntoIterator<Item = AccountId>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.into_iter().map(AccountId::uuid).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Opens the system accounts that are not there yet.
///
/// # Errors
/// [`StoreError`].
pub async fn open_system_accounts(
    connection: &mut PgConnection,
    wanted: impl IntoIterator<Item = SystemAccount>,
) -> Result<(), StoreError> {
    // In id order, so that two lists that open the same ones never wait for each other in a circle.
    let mut wanted: Vec<SystemAccount> = wanted.into_iter().collect();
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = wanted.iter().map(|a| a.account_id.uuid()).collect();
    let kinds: Vec<String> = wanted.iter().map(|a| a.kind.as_str().to_owned()).collect();
    let purposes: Vec<String> = wanted.iter().map(|a| a.purpose.clone()).collect();
    let currencies: Vec<String> = wanted.iter().map(|a| a.currency.to_string()).collect();
    sqlx::query!(
        "INSERT INTO accounts (account_id, kind, purpose, currency)
         SELECT n.account_id, n.kind::account_kind, n.purpose, n.currency
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[])
              AS n(account_id, kind, purpose, currency)
         ORDER BY n.account_id
         ON CONFLICT DO NOTHING",
        &ids,
        &kinds,
        &purposes,
        &currencies,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One account as it stands; `None` when there is none.
///
/// # Errors
/// [`StoreError`].
pub async fn find(
    connection: &mut PgConnection,
    id: AccountId,
) -> Result<Option<views::Account>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT account_id, kind::text AS "kind!", customer_id, currency::text AS "currency!",
                  status::text AS "status!", locking::text AS "locking!", balance, pending_debits,
                  pending_credits, reserved_credits, overdraft_limit, transaction_lock, version,
                  created_at, updated_at
           FROM accounts WHERE account_id = $1"#,
        id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    row.map(views::Account::try_from).transpose()
}

/// What a coordinator remembers of a customer's account.
pub struct Listed {
    /// Which account.
    pub account_id: AccountId,
    /// Whose.
    pub customer_id: Option<CustomerId>,
    /// Its currency.
    pub currency: types::Currency,
}

/// Whose these accounts are. Unknown ones and system accounts are left out.
///
/// # Errors
/// [`StoreError`].
pub async fn look_up(
    connection: &mut PgConnection,
    ids: &[AccountId],
) -> Result<Vec<Listed>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT account_id, customer_id, currency::text AS "currency!"
           FROM accounts WHERE account_id = ANY($1) AND kind = 'customer'
           ORDER BY account_id"#,
        &ids
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Listed {
                account_id: AccountId::from_uuid(row.account_id),
                customer_id: row.customer_id.map(CustomerId::from_uuid),
                currency: rows::text(&row.currency)?,
            })
        })
        .collect()
}

/// A customer's account that is to be opened, empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Which account.
    pub account_id: AccountId,
    /// Whose.
    pub customer_id: CustomerId,
    /// Its currency, for ever.
    pub currency: types::Currency,
    /// How prepared branches share it, for ever.
    pub locking: views::Locking,
    /// How far below zero it may go.
    pub overdraft_limit: Balance,
}

/// Opens an account, empty. Tells whether it was new.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    connection: &mut PgConnection,
    account: &NewAccount,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query!(
        "INSERT INTO accounts (account_id, customer_id, currency, locking, overdraft_limit)
         VALUES ($1, $2, $3, $4::text::account_locking, $5)
         ON CONFLICT (account_id) DO NOTHING",
        account.account_id.uuid(),
        account.customer_id.uuid(),
        account.currency.to_string(),
        account.locking.to_string(),
        account.overdraft_limit.decimal(),
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// The accounts of a customer in id order, going on after `after`, at most `limit`.
///
/// # Errors
/// [`StoreError`].
pub async fn of_customer(
    connection: &mut PgConnection,
    customer: CustomerId,
    after: Option<AccountId>,
    limit: i64,
) -> Result<Vec<views::Account>, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT account_id, kind::text AS "kind!", customer_id, currency::text AS "currency!",
                  status::text AS "status!", locking::text AS "locking!", balance, pending_debits,
                  pending_credits, reserved_credits, overdraft_limit, transaction_lock, version,
                  created_at, updated_at
           FROM accounts
           WHERE customer_id = $1 AND ($2::uuid IS NULL OR account_id > $2)
           ORDER BY account_id LIMIT $3"#,
        customer.uuid(),
        after.map(AccountId::uuid),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(views::Account::try_from).collect()
}

/// Writes the status and the limit of a locked account.
///
/// # Errors
/// [`StoreError`].
pub async fn set_terms(
    connection: &mut PgConnection,
    account: &AccountState,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE accounts SET status = $2::text::account_status, overdraft_limit = $3,
                updated_at = clock_timestamp()
         WHERE account_id = $1",
        account.account_id.uuid(),
        account.status.to_string(),
        account.overdraft_limit.decimal(),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether a prepared branch or an open saga names this account, with or without a hold. What a
/// saga may have to refund is no hold.
///
/// # Errors
/// [`StoreError`].
pub async fn takes_part_in_something_open(
    connection: &mut PgConnection,
    account: AccountId,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM branches
               WHERE state = 'PREPARED' AND $1 = ANY(account_ids))
           OR EXISTS (SELECT FROM saga_parts
               WHERE state IN ('DEBITED', 'CREDITED') AND $1 = ANY(account_ids)) AS "found!""#,
        account.uuid()
    )
    .fetch_one(connection)
    .await?;
    Ok(found)
}

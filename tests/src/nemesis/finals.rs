//! What the bank says at the end: read from its databases, not through its services.

use std::collections::BTreeMap;

use history::{Entry, FinalAccount, Finals, KeyRecord, Leg, Record};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::PgPool;
use types::{AccountId, Balance, Change, TransactionId};
use uuid::Uuid;

use super::world::BANKS;
use crate::bank::{TRANSACTIONS, TestBank};

/// Why the end could not be written down.
pub(super) type Unreadable = Box<dyn std::error::Error + Send + Sync>;

/// Reads all of it. The bank must be at rest.
pub(super) async fn read(bank: &TestBank) -> Result<Finals, Unreadable> {
    let mut finals = Finals::default();
    for (name, service) in BANKS {
        let pool = bank.database(service).await;
        finals.accounts.extend(accounts(&pool, name).await?);
        finals.entries.extend(entries(&pool).await?);
        let keys: Vec<(String, Uuid)> =
            sqlx::query_as("SELECT key, transaction_id FROM idempotency_keys")
                .fetch_all(&pool)
                .await?;
        finals
            .keys
            .extend(keys.into_iter().map(|(key, id)| KeyRecord {
                service: name.to_owned(),
                key,
                transactions: vec![id.into()],
            }));
    }
    let pool = bank.database(TRANSACTIONS).await;
    finals.records = records(&pool).await?;
    let keys: Vec<(String, Vec<Uuid>)> =
        sqlx::query_as("SELECT key, transaction_ids FROM idempotency_keys")
            .fetch_all(&pool)
            .await?;
    finals
        .keys
        .extend(keys.into_iter().map(|(key, ids)| KeyRecord {
            service: TRANSACTIONS.to_owned(),
            key,
            transactions: ids.into_iter().map(TransactionId::from).collect(),
        }));
    Ok(finals)
}

type AccountRow = (Uuid, String, String, Decimal, Decimal, i64);

async fn accounts(pool: &PgPool, bank: &str) -> Result<Vec<FinalAccount>, Unreadable> {
    let rows: Vec<AccountRow> = sqlx::query_as(
        "SELECT account_id, currency::text, kind::text, overdraft_limit, balance, version
         FROM accounts ORDER BY account_id",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(id, currency, kind, limit, balance, version)| {
            Ok(FinalAccount {
                account: AccountId::from(id),
                bank: bank.to_owned(),
                currency: currency.parse()?,
                kind,
                limit: Balance::try_from(limit)?,
                balance: Balance::try_from(balance)?,
                version,
            })
        })
        .collect()
}

type EntryRow = (Uuid, i64, Uuid, i32, i16, String, Decimal, Decimal);

async fn entries(pool: &PgPool) -> Result<Vec<Entry>, Unreadable> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT account_id, version, transaction_id, transfer_index, step, kind, change,
                balance_after
         FROM ledger_entries ORDER BY account_id, version",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(account, version, id, index, step, kind, change, after)| {
            Ok(Entry {
                account: account.into(),
                version,
                transaction: id.into(),
                transfer_index: index.try_into()?,
                step,
                kind: serde_json::from_value(Value::String(kind))?,
                change: Balance::try_from(change)?,
                balance_after: Balance::try_from(after)?,
            })
        })
        .collect()
}

async fn records(pool: &PgPool) -> Result<Vec<Record>, Unreadable> {
    let rows: Vec<(Uuid, i16, Uuid, Decimal)> = sqlx::query_as(
        "SELECT transaction_id, transfer_index, account_id, change
         FROM transfer_legs ORDER BY transaction_id, position",
    )
    .fetch_all(pool)
    .await?;
    let mut legs: BTreeMap<Uuid, Vec<(u16, Leg)>> = BTreeMap::new();
    for (id, index, account, change) in rows {
        let leg = Leg {
            account: account.into(),
            change: Change::try_from(change)?,
        };
        legs.entry(id).or_default().push((index.try_into()?, leg));
    }
    let rows: Vec<(Uuid, String, Option<String>)> = sqlx::query_as(
        "SELECT transaction_id, status::text, reason FROM transactions ORDER BY transaction_id",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(id, status, reason)| {
            Ok(Record {
                transaction: id.into(),
                status: serde_json::from_value(Value::String(status))?,
                reason,
                legs: legs.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

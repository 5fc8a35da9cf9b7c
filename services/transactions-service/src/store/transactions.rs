//! Reading transactions with their legs.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use types::views::Status;
use types::{AccountId, Change, Code, CustomerId, TransactionId};
use uuid::Uuid;

use crate::record::{Record, moments_of};
use crate::store::StatusRow;

struct Row {
    transaction_id: Uuid,
    status: StatusRow,
    protocol: String,
    phase: String,
    participants: Vec<String>,
    descriptions: Vec<Option<String>>,
    reason: Option<String>,
    request_id: String,
    created_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    settled_at: Option<DateTime<Utc>>,
    replied_unsettled: bool,
    timeline: String,
}

impl TryFrom<Row> for Record {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            transaction_id: row.transaction_id.into(),
            status: row.status.into(),
            protocol: super::sagas::protocol(&row.protocol)?,
            phase: row.phase,
            participants: super::leases::participants(row.participants)?,
            descriptions: row.descriptions,
            reason: row
                .reason
                .map(|text| text.parse::<Code>().map_err(super::damaged))
                .transpose()?,
            request_id: row.request_id,
            created_at: row.created_at,
            decided_at: row.decided_at,
            settled_at: row.settled_at,
            replied_unsettled: row.replied_unsettled,
            timeline: moments_of(&row.timeline).map_err(super::damaged)?,
            legs: Vec::new(),
        })
    }
}

/// Reads transactions by id; those that are not there are left out.
pub(crate) async fn read(
    pool: &PgPool,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Record>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT transaction_id, status AS "status: StatusRow", protocol, phase,
                  participants,
                  descriptions AS "descriptions: Vec<Option<String>>", reason, request_id,
                  created_at, decided_at, settled_at, replied_unsettled, timeline
           FROM transactions WHERE transaction_id = ANY($1)"#,
        &ids,
    )
    .fetch_all(pool)
    .await?;
    let mut records = rows
        .into_iter()
        .map(|row| Record::try_from(row).map(|record| (record.transaction_id, record)))
        .collect::<Result<HashMap<_, _>, _>>()?;
    add_legs(pool, &ids, &mut records).await?;
    Ok(records)
}

async fn add_legs(
    pool: &PgPool,
    ids: &[Uuid],
    records: &mut HashMap<TransactionId, Record>,
) -> Result<(), sqlx::Error> {
    let legs = sqlx::query!(
        "SELECT transaction_id, account_id, change FROM transfer_legs
         WHERE transaction_id = ANY($1) ORDER BY transaction_id, position",
        ids,
    )
    .fetch_all(pool)
    .await?;
    for leg in legs {
        if let Some(record) = records.get_mut(&TransactionId::from(leg.transaction_id)) {
            let change = Change::try_from(leg.change).map_err(super::damaged)?;
            record.legs.push((AccountId::from(leg.account_id), change));
        }
    }
    Ok(())
}

/// Which transfers a list shows. What is `None` does not narrow it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Only those with a leg on an account of this customer.
    pub(crate) party: Option<CustomerId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) status: Option<Status>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    /// Only those older than this one.
    pub(crate) before: Option<TransactionId>,
}

impl Filter {
    /// What every id of the page is below.
    fn cursor(&self) -> Uuid {
        self.before.map_or(Uuid::max(), TransactionId::uuid)
    }
}

/// Lists transfers, newest first.
pub(crate) async fn list(
    pool: &PgPool,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<TransactionId>, sqlx::Error> {
    let ids = if filter.party.is_none() && filter.account.is_none() {
        all(pool, filter, limit).await?
    } else {
        of_accounts(pool, filter, limit).await?
    };
    Ok(ids.into_iter().map(TransactionId::from).collect())
}

/// Everybody's. Ids are made in time order (UUIDv7), so the id is the order and the cursor.
async fn all(pool: &PgPool, filter: &Filter, limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT transaction_id FROM transactions
           WHERE transaction_id < $1
             AND ($2::transaction_status IS NULL OR status = $2)
             AND ($3::timestamptz IS NULL OR created_at >= $3)
             AND ($4::timestamptz IS NULL OR created_at < $4)
           ORDER BY transaction_id DESC
           LIMIT $5"#,
        filter.cursor(),
        filter.status.map(StatusRow::from) as Option<StatusRow>,
        filter.from,
        filter.to,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Those of one account, or of a customer's accounts: a page of each, and of these the newest. So it
/// costs what a page costs, however many transfers there are.
async fn of_accounts(pool: &PgPool, filter: &Filter, limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT DISTINCT page.transaction_id AS "transaction_id!"
           FROM (SELECT account_id FROM account_directory WHERE customer_id = $1
                 UNION ALL
                 SELECT $2 WHERE $1 IS NULL) AS own
           CROSS JOIN LATERAL (
               SELECT DISTINCT leg.transaction_id
               FROM transfer_legs AS leg
               JOIN transactions AS t ON t.transaction_id = leg.transaction_id
               WHERE leg.account_id = own.account_id
                 AND leg.transaction_id < $3
                 AND ($4::transaction_status IS NULL OR t.status = $4)
                 AND ($5::timestamptz IS NULL OR t.created_at >= $5)
                 AND ($6::timestamptz IS NULL OR t.created_at < $6)
                 AND ($1 IS NULL OR $2 IS NULL OR EXISTS (
                         SELECT FROM transfer_legs AS other
                         WHERE other.transaction_id = leg.transaction_id
                           AND other.account_id = $2))
               ORDER BY leg.transaction_id DESC
               LIMIT $7) AS page
           ORDER BY 1 DESC
           LIMIT $7"#,
        filter.party.map(CustomerId::uuid),
        filter.account.map(AccountId::uuid),
        filter.cursor(),
        filter.status.map(StatusRow::from) as Option<StatusRow>,
        filter.from,
        filter.to,
        limit,
    )
    .fetch_all(pool)
    .await
}

/// Transactions that are open for longer than they should be, or parked as hazards that nobody has
/// acknowledged (`acknowledged`: those too).
pub(crate) async fn in_doubt(
    pool: &PgPool,
    older_than: DateTime<Utc>,
    acknowledged: bool,
    limit: i64,
) -> Result<Vec<TransactionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT transaction_id FROM transactions AS t
         WHERE settled_at IS NULL AND protocol = '2pc'
           AND CASE WHEN phase = 'hazard'
               THEN $2 OR NOT EXISTS (
                        SELECT FROM hazards AS h WHERE h.transaction_id = t.transaction_id)
                    OR EXISTS (
                        SELECT FROM hazards AS h WHERE h.transaction_id = t.transaction_id
                                                   AND h.acknowledged_at IS NULL)
               ELSE created_at < $1 END
         ORDER BY transaction_id LIMIT $3",
        older_than,
        acknowledged,
        limit,
    )
    .fetch_all(pool)
    .await?;
    Ok(ids.into_iter().map(TransactionId::from).collect())
}

/// Whether a customer owns one of a transaction's accounts.
pub(crate) async fn is_party(
    pool: &PgPool,
    transaction: TransactionId,
    customer: CustomerId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM transfer_legs JOIN account_directory USING (account_id)
               WHERE transaction_id = $1 AND customer_id = $2) AS "party!""#,
        transaction.uuid(),
        customer.uuid(),
    )
    .fetch_one(pool)
    .await
}

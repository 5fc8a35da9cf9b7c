//! At which bank an account is kept. What is written here never changes.

use sqlx::PgPool;
use types::{AccountId, Currency, CustomerId, ParticipantId};
use uuid::Uuid;

/// Where an account is, and what of it never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) account_id: AccountId,
    pub(crate) participant: ParticipantId,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) currency: Currency,
}

/// Reads what is known of these accounts.
pub(crate) async fn find(
    pool: &PgPool,
    accounts: &[AccountId],
) -> Result<Vec<Location>, sqlx::Error> {
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.uuid()).collect();
    let rows = sqlx::query!(
        "SELECT account_id, participant, customer_id, currency
         FROM account_directory WHERE account_id = ANY($1)",
        &ids,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Location {
                account_id: row.account_id.into(),
                participant: row.participant.parse().map_err(super::damaged)?,
                customer_id: row.customer_id.map(CustomerId::from),
                currency: row.currency.parse().map_err(super::damaged)?,
            })
        })
        .collect()
}

/// Remembers where accounts are. Durable when it returns; what was known before stays.
pub(crate) async fn remember(pool: &PgPool, found: &[Location]) -> Result<(), sqlx::Error> {
    let mut found: Vec<&Location> = found.iter().collect();
    found.sort_by_key(|location| location.account_id);
    let ids: Vec<Uuid> = found.iter().map(|l| l.account_id.uuid()).collect();
    let participants: Vec<String> = found.iter().map(|l| l.participant.to_string()).collect();
    let customers: Vec<Option<Uuid>> = found
        .iter()
        .map(|l| l.customer_id.map(CustomerId::uuid))
        .collect();
    let currencies: Vec<String> = found.iter().map(|l| l.currency.to_string()).collect();
    sqlx::query!(
        "INSERT INTO account_directory (account_id, participant, customer_id, currency)
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::uuid[], $4::text[])
         ON CONFLICT DO NOTHING",
        &ids,
        &participants,
        &customers as &[Option<Uuid>],
        &currencies,
    )
    .execute(pool)
    .await?;
    Ok(())
}

//! Beginning: key, transactions and legs of each request, durable together or not at all.

use std::collections::HashSet;

use saga_postgres::{ExecutorId, begin_in};
use sqlx::{PgPool, Postgres, Transaction};
use two_phase::planted::{Bug, is_planted};
use types::views::Protocol;
use uuid::Uuid;

use crate::record::NewTransaction;
use crate::sagas::definition;
use crate::store::keys::{KeyKind, KeyName};

/// One request that wants to begin.
#[derive(Debug, Clone)]
pub(crate) struct BeginRequest {
    pub(crate) name: KeyName,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) kind: KeyKind,
    pub(crate) transactions: Vec<NewTransaction>,
    /// What a batch refused before it began, as it will be replayed.
    pub(crate) refusals: Option<serde_json::Value>,
}

/// Who owns what begins: by two-phase commit, and by saga.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) coordinator: Uuid,
    pub(crate) executor: ExecutorId,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The key is ours and everything is durable.
    Fresh,
    /// The key was taken before: nothing of this request was written.
    KeyTaken,
}

/// Begins a list of requests in one database transaction.
///
/// Durable when it returns: for every `Fresh` request its key, its transactions (pending and owned
/// by `owner`, or aborted from the start) and their legs; for the others nothing. Where anything was
/// written it tells what this database is now (`numbers.rs`).
///
/// # Errors
/// Any database error. After a lost connection whether it happened is unknown: a pending row whose
/// coordinator gives up is found by recovery.
pub(crate) async fn begin(
    pool: &PgPool,
    owner: Owner,
    requests: &[BeginRequest],
) -> Result<(Vec<Begun>, Option<String>), sqlx::Error> {
    if is_planted(Bug::KeyWrittenLater) {
        return Ok((keys_later(pool, owner.coordinator, requests).await?, None));
    }
    let mut database_transaction = pool.begin().await?;
    let (taken, incarnation) = take_keys(&mut database_transaction, requests).await?;
    let mut ours = HashSet::new();
    let mut begun = Vec::with_capacity(requests.len());
    let mut fresh = Vec::new();
    for request in requests {
        // The second one of a list with the same key is a repetition, not the winner again.
        let first = ours.insert(&request.name);
        let again = is_planted(Bug::RepeatedKeyBeginsAgain);
        if first && (taken.contains(&request.name) || again) {
            fresh.extend(&request.transactions);
            begun.push(Begun::Fresh);
        } else {
            begun.push(Begun::KeyTaken);
        }
    }
    if !fresh.is_empty() {
        insert_transactions(&mut database_transaction, owner.coordinator, &fresh).await?;
        insert_legs(&mut database_transaction, &fresh).await?;
        insert_sagas(&mut database_transaction, owner.executor, &fresh).await?;
    }
    database_transaction.commit().await?;
    Ok((begun, incarnation))
}

/// The planted mistake: a process that dies in between has begun what nobody can ask for again.
async fn keys_later(
    pool: &PgPool,
    owner: Uuid,
    requests: &[BeginRequest],
) -> Result<Vec<Begun>, sqlx::Error> {
    let all: Vec<_> = requests.iter().flat_map(|r| &r.transactions).collect();
    let mut database_transaction = pool.begin().await?;
    insert_transactions(&mut database_transaction, owner, &all).await?;
    insert_legs(&mut database_transaction, &all).await?;
    database_transaction.commit().await?;
    service_kit::failpoints::hit("after_begin").await.ok();
    let mut database_transaction = pool.begin().await?;
    take_keys(&mut database_transaction, requests).await?;
    database_transaction.commit().await?;
    Ok(vec![Begun::Fresh; requests.len()])
}

/// Inserts the keys that are free. Of several with one name the first request's is written.
async fn take_keys(
    database_transaction: &mut Transaction<'_, Postgres>,
    requests: &[BeginRequest],
) -> Result<(HashSet<KeyName>, Option<String>), sqlx::Error> {
    let mut first: Vec<&BeginRequest> = Vec::with_capacity(requests.len());
    let mut names = HashSet::new();
    first.extend(
        requests
            .iter()
            .filter(|request| names.insert(&request.name)),
    );
    // One order for everybody, so that two lists never wait for each other's keys in a circle.
    first.sort_by(|a, b| a.name.cmp(&b.name));
    let scopes: Vec<Uuid> = first.iter().map(|request| request.name.scope).collect();
    let keys: Vec<String> = first
        .iter()
        .map(|r| r.name.key.as_str().to_owned())
        .collect();
    let fingerprints: Vec<Vec<u8>> = first.iter().map(|r| r.fingerprint.clone()).collect();
    let kinds: Vec<String> = first.iter().map(|r| r.kind.as_str().to_owned()).collect();
    // An array of arrays must be rectangular; a text form of each is not bound by that.
    let transaction_ids: Vec<String> = first
        .iter()
        .map(|request| {
            let ids: Vec<String> = request
                .transactions
                .iter()
                .map(|t| t.transaction_id.to_string())
                .collect();
            format!("{{{}}}", ids.join(","))
        })
        .collect();
    let refusals: Vec<serde_json::Value> = first
        .iter()
        .map(|r| r.refusals.clone().unwrap_or_default())
        .collect();
    let rows = sqlx::query!(
        r#"INSERT INTO idempotency_keys
               (scope, key, fingerprint, kind, transaction_ids, refusals, created_at)
           SELECT scope, key, fingerprint, kind, transaction_ids::uuid[],
                  NULLIF(refusals, 'null'::jsonb), now()
           FROM UNNEST($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::jsonb[])
                AS request (scope, key, fingerprint, kind, transaction_ids, refusals)
           ON CONFLICT DO NOTHING
           RETURNING scope, key, (SELECT incarnation()) AS "incarnation!""#,
        &scopes,
        &keys,
        &fingerprints,
        &kinds,
        &transaction_ids,
        &refusals,
    )
    .fetch_all(&mut **database_transaction)
    .await?;
    let incarnation = rows.first().map(|row| row.incarnation.clone());
    let names = rows
        .into_iter()
        .map(|row| KeyName::from_row(row.scope, row.key));
    Ok((names.collect::<Result<_, _>>()?, incarnation))
}

async fn insert_transactions(
    database_transaction: &mut Transaction<'_, Postgres>,
    owner: Uuid,
    transactions: &[&NewTransaction],
) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = transactions
        .iter()
        .map(|t| t.transaction_id.uuid())
        .collect();
    let linked: Vec<bool> = transactions.iter().map(|t| t.linked).collect();
    let currencies: Vec<Option<String>> = transactions
        .iter()
        .map(|t| t.currency.map(String::from))
        .collect();
    let participants: Vec<serde_json::Value> = transactions
        .iter()
        .map(|t| serde_json::json!(t.participants()))
        .collect();
    let descriptions: Vec<serde_json::Value> = transactions
        .iter()
        .map(|t| serde_json::json!(t.descriptions))
        .collect();
    let reasons: Vec<Option<String>> = transactions
        .iter()
        .map(|t| t.refused.map(|code| code.to_string()))
        .collect();
    let request_ids: Vec<String> = transactions.iter().map(|t| t.request_id.clone()).collect();
    let protocols: Vec<String> = transactions
        .iter()
        .map(|t| t.protocol.to_string())
        .collect();
    let created_at: Vec<_> = transactions.iter().map(|t| t.created_at).collect();
    sqlx::query!(
        r#"INSERT INTO transactions
               (transaction_id, status, phase, owner, protocol, linked, currency, participants,
                descriptions, reason, request_id, created_at, decided_at, settled_at)
           SELECT transaction_id,
                  CASE WHEN reason IS NULL THEN 'pending' ELSE 'aborted' END::transaction_status,
                  CASE WHEN reason IS NULL THEN 'preparing' ELSE 'done' END,
                  $1, protocol, linked, currency,
                  ARRAY(SELECT jsonb_array_elements_text(participants)),
                  ARRAY(SELECT jsonb_array_elements_text(descriptions)),
                  reason, request_id, created_at,
                  CASE WHEN reason IS NOT NULL THEN created_at END,
                  CASE WHEN reason IS NOT NULL THEN created_at END
           FROM UNNEST($2::uuid[], $3::bool[], $4::text[], $5::jsonb[], $6::jsonb[], $7::text[],
                       $8::text[], $9::timestamptz[], $10::text[])
                AS new (transaction_id, linked, currency, participants, descriptions, reason,
                        request_id, created_at, protocol)"#,
        owner,
        &ids,
        &linked,
        &currencies as &[Option<String>],
        &participants,
        &descriptions,
        &reasons as &[Option<String>],
        &request_ids,
        &created_at,
        &protocols,
    )
    .execute(&mut **database_transaction)
    .await?;
    Ok(())
}

/// Those that are carried out by saga get its first rows too.
async fn insert_sagas(
    database_transaction: &mut Transaction<'_, Postgres>,
    executor: ExecutorId,
    transactions: &[&NewTransaction],
) -> Result<(), sqlx::Error> {
    let by_saga = transactions
        .iter()
        .filter(|t| t.protocol == Protocol::Saga && t.refused.is_none());
    let sagas: Result<Vec<_>, _> = by_saga.map(|t| definition::begin(t)).collect();
    let sagas = sagas.map_err(super::damaged)?;
    begin_in(database_transaction, executor, &sagas).await?;
    Ok(())
}

async fn insert_legs(
    database_transaction: &mut Transaction<'_, Postgres>,
    transactions: &[&NewTransaction],
) -> Result<(), sqlx::Error> {
    let mut ids = Vec::new();
    let mut positions = Vec::new();
    let mut indexes = Vec::new();
    let mut accounts = Vec::new();
    let mut changes = Vec::new();
    for transaction in transactions {
        for (position, leg) in transaction.legs.iter().enumerate() {
            ids.push(transaction.transaction_id.uuid());
            positions.push(small(position)?);
            indexes.push(small(usize::from(leg.transfer_index))?);
            accounts.push(leg.account_id.uuid());
            changes.push(leg.change.decimal());
        }
    }
    sqlx::query!(
        r#"INSERT INTO transfer_legs
               (transaction_id, position, transfer_index, account_id, change)
           SELECT * FROM UNNEST($1::uuid[], $2::int2[], $3::int2[], $4::uuid[], $5::numeric[])"#,
        &ids,
        &positions,
        &indexes,
        &accounts,
        &changes,
    )
    .execute(&mut **database_transaction)
    .await?;
    Ok(())
}

fn small(number: usize) -> Result<i16, sqlx::Error> {
    i16::try_from(number).map_err(|_| super::damaged("more legs than a transfer may have"))
}

//! Beginning: key, transactions and legs of each request, durable together or not at all.

mod columns;

use std::collections::HashSet;

use saga_postgres::{ExecutorId, begin_in};
use sqlx::{PgExecutor, PgPool};
use two_phase::planted::{Bug, is_planted};
use types::views::Protocol;
use uuid::Uuid;

use columns::Columns;

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

/// Begins a list of requests in one database transaction, and where no saga is among them in one
/// statement.
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
    // The second one of a list with the same key is a repetition, not the winner again.
    let mut names = HashSet::new();
    let is_first: Vec<bool> = requests
        .iter()
        .map(|request| names.insert(&request.name))
        .collect();
    let mut first: Vec<&BeginRequest> = requests
        .iter()
        .zip(&is_first)
        .filter_map(|(request, first)| first.then_some(request))
        .collect();
    // One order for everybody, so that two lists never wait for each other's keys in a circle.
    first.sort_by(|a, b| a.name.cmp(&b.name));
    let columns = Columns::of(first.iter().copied())?;
    let coordinator = owner.coordinator;
    let written = if first
        .iter()
        .any(|request| by_saga(request).next().is_some())
    {
        let mut database_transaction = pool.begin().await?;
        let written = insert(&mut *database_transaction, coordinator, &columns).await?;
        let fresh = first.iter().filter(|request| written.is_fresh(request));
        let sagas: Result<Vec<_>, _> = fresh
            .flat_map(|request| by_saga(request))
            .map(definition::begin)
            .collect();
        let sagas = sagas.map_err(super::damaged)?;
        begin_in(&mut database_transaction, owner.executor, &sagas).await?;
        database_transaction.commit().await?;
        written
    } else {
        insert(pool, coordinator, &columns).await?
    };
    let begun = requests.iter().zip(is_first).map(|(request, first)| {
        if first && written.is_fresh(request) {
            Begun::Fresh
        } else {
            Begun::KeyTaken
        }
    });
    Ok((begun.collect(), written.incarnation))
}

/// Those of a request that are carried out by saga: they get its first rows too.
fn by_saga(request: &BeginRequest) -> impl Iterator<Item = &NewTransaction> {
    let transactions = request.transactions.iter();
    transactions.filter(|t| t.protocol == Protocol::Saga && t.refused.is_none())
}

/// What a statement has written.
struct Written {
    /// The keys that were free.
    keys: HashSet<KeyName>,
    incarnation: Option<String>,
}

impl Written {
    fn is_fresh(&self, request: &BeginRequest) -> bool {
        self.keys.contains(&request.name) || is_planted(Bug::RepeatedKeyBeginsAgain)
    }
}

/// The planted mistake: a process that dies in between has begun what nobody can ask for again.
async fn keys_later(
    pool: &PgPool,
    owner: Uuid,
    requests: &[BeginRequest],
) -> Result<Vec<Begun>, sqlx::Error> {
    let mut columns = Columns::default();
    for request in requests {
        columns.push(&request.transactions)?;
    }
    insert(pool, owner, &columns).await?;
    service_kit::failpoints::hit("after_begin").await.ok();
    insert(pool, owner, &Columns::keys_of(requests)).await?;
    Ok(vec![Begun::Fresh; requests.len()])
}

/// Inserts the keys that are free, with their transactions and the legs of these.
async fn insert(
    database: impl PgExecutor<'_>,
    owner: Uuid,
    columns: &Columns,
) -> Result<Written, sqlx::Error> {
    let Columns {
        keys,
        transactions,
        legs,
    } = columns;
    let all = is_planted(Bug::RepeatedKeyBeginsAgain) || is_planted(Bug::KeyWrittenLater);
    let rows = sqlx::query!(
        r#"WITH taken AS (
               INSERT INTO idempotency_keys
                   (scope, key, fingerprint, kind, transaction_ids, refusals, created_at)
               SELECT scope, key, fingerprint, kind,
                      ($28::uuid[])[ids_before + 1 : ids_until], refusals, now()
               FROM UNNEST($1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::jsonb[],
                           $6::int4[], $7::int4[])
                    AS request (scope, key, fingerprint, kind, refusals, ids_before, ids_until)
               ON CONFLICT DO NOTHING
               RETURNING scope, key, transaction_ids
           ), fresh AS MATERIALIZED (
               SELECT array_agg(id) AS ids FROM taken, UNNEST(transaction_ids) AS id
           ), begun AS (
               INSERT INTO transactions
                   (transaction_id, status, phase, owner, protocol, linked, currency, participants,
                    descriptions, reason, request_id, created_at, decided_at, settled_at)
               SELECT transaction_id,
                      CASE WHEN reason IS NULL THEN 'pending' ELSE 'aborted' END
                          ::transaction_status,
                      CASE WHEN reason IS NULL THEN 'preparing' ELSE 'done' END,
                      $8, protocol, linked, currency,
                      ($17::text[])[participants_before + 1 : participants_until],
                      ($20::text[])[texts_before + 1 : texts_until],
                      reason, request_id, created_at,
                      CASE WHEN reason IS NOT NULL THEN created_at END,
                      CASE WHEN reason IS NOT NULL THEN created_at END
               FROM UNNEST($9::uuid[], $10::bool[], $11::text[], $12::text[], $13::text[],
                           $14::timestamptz[], $15::text[], $16::int4[], $18::int4[], $19::int4[],
                           $21::int4[])
                    AS new (transaction_id, linked, currency, reason, request_id, created_at,
                            protocol, participants_before, participants_until, texts_before,
                            texts_until)
               WHERE $22 OR transaction_id = ANY((SELECT ids FROM fresh)::uuid[])
           ), placed AS (
               INSERT INTO transfer_legs
                   (transaction_id, position, transfer_index, account_id, change)
               SELECT transaction_id, position, transfer_index, account_id, change
               FROM UNNEST($23::uuid[], $24::int2[], $25::int2[], $26::uuid[], $27::numeric[])
                    AS leg (transaction_id, position, transfer_index, account_id, change)
               WHERE $22 OR transaction_id = ANY((SELECT ids FROM fresh)::uuid[])
           )
           SELECT scope, key, (SELECT incarnation()) AS "incarnation!" FROM taken"#,
        &keys.scopes,
        &keys.keys,
        &keys.fingerprints,
        &keys.kinds,
        &keys.refusals as &[Option<serde_json::Value>],
        &keys.transactions_of.before,
        &keys.transactions_of.until,
        owner,
        &transactions.ids,
        &transactions.linked,
        &transactions.currencies as &[Option<String>],
        &transactions.reasons as &[Option<String>],
        &transactions.request_ids,
        &transactions.created_at,
        &transactions.protocols,
        &transactions.participants_of.before,
        &transactions.participants,
        &transactions.participants_of.until,
        &transactions.descriptions_of.before,
        &transactions.descriptions as &[Option<String>],
        &transactions.descriptions_of.until,
        all,
        &legs.transactions,
        &legs.positions,
        &legs.indexes,
        &legs.accounts,
        &legs.changes,
        &keys.transactions,
    )
    .fetch_all(database)
    .await?;
    let incarnation = rows.first().map(|row| row.incarnation.clone());
    let keys = rows
        .into_iter()
        .map(|row| KeyName::from_row(row.scope, row.key))
        .collect::<Result<_, _>>()?;
    Ok(Written { keys, incarnation })
}

//! The one statement of a list: what begins, what is decided, what is at its end. Its part `decided`
//! is the compare-and-set on which safety rests.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;
use two_phase::planted::{Bug, is_planted};
use uuid::Uuid;

use super::StatusRow;
use super::begin::columns::Columns;
use super::decisions::{Decisions, Ends};
use super::keys::KeyName;
use crate::coordinator::numbers::Touched;

/// What the statement has written.
#[derive(Default)]
pub(super) struct Written {
    /// The keys that were free; with each its transactions and their legs.
    pub(super) keys: HashSet<KeyName>,
    /// What this database is now, where any key was free.
    pub(super) incarnation: Option<String>,
    /// The numbers of this list's lane, for each participant about whom something is decided and
    /// with whom this database is in step.
    pub(super) raised: BTreeMap<String, u64>,
    /// The transactions that were decided.
    pub(super) decided: HashSet<Uuid>,
}

/// Inserts the keys that are free, with their transactions and the legs of these; decides, each
/// transaction by its own compare-and-set and only where this database is in step with all its
/// participants; and writes off what is at its end. Nothing of one transaction stands twice in a
/// list, so the parts do not see each other.
///
/// Ends are asked for by phase and not by `settled_at`: the index of what is open would look like a
/// short way to them, and all of it would be read.
pub(super) async fn write(
    database: impl PgExecutor<'_>,
    owner: Uuid,
    begins: &Columns,
    decisions: &Decisions<'_>,
    ends: &Ends,
    touched: &Touched,
) -> Result<Written, sqlx::Error> {
    let Columns {
        keys,
        transactions,
        legs,
    } = begins;
    let all = is_planted(Bug::RepeatedKeyBeginsAgain) || is_planted(Bug::KeyWrittenLater);
    let rows = sqlx::query!(
        r#"WITH raised AS (
               UPDATE participant_numbers AS numbers
               SET own = own + said.decides::int,
                   seen = ARRAY(SELECT greatest(a, b)
                                FROM UNNEST(seen, said.heard::bigint[])
                                     WITH ORDINALITY AS both_of (a, b, place)
                                ORDER BY place)
               FROM (SELECT lane.participant, told.heard, told.decides
                     FROM participant_numbers AS lane
                     JOIN UNNEST($30::text[], $31::text[], $32::int8[], $33::bool[])
                          AS told (participant, heard, they_saw, decides)
                          ON told.participant = lane.participant
                     WHERE lane.lane = $29
                       AND (NOT told.decides
                            OR lane.session IS NOT NULL
                               AND lane.incarnation = (SELECT incarnation())
                               AND lane.own >= told.they_saw)
                     ORDER BY lane.participant
                     FOR UPDATE OF lane) AS said
               WHERE numbers.participant = said.participant AND numbers.lane = $29
               RETURNING numbers.participant, numbers.own, said.decides
           ), decided AS (
               UPDATE transactions
               SET status = decision.status, phase = 'delivering', reason = decision.reason,
                   decided_at = decision.decided_at, timeline = timeline || decision.moments
               FROM UNNEST($34::uuid[], $35::int4[], $36::transaction_status[], $37::text[],
                           $38::timestamptz[], $39::text[])
                    AS decision (transaction_id, epoch, status, reason, decided_at, moments)
               WHERE transactions.transaction_id = decision.transaction_id
                 AND transactions.status = 'pending'
                 AND transactions.epoch = decision.epoch
                 AND transactions.participants <@ ARRAY(SELECT participant FROM raised WHERE decides)
               RETURNING transactions.transaction_id
           ), ended AS (
               UPDATE transactions
               SET phase = CASE WHEN ended.settled_at IS NULL THEN 'hazard' ELSE 'done' END,
                   settled_at = ended.settled_at, timeline = timeline || ended.moments
               FROM UNNEST($40::uuid[], $41::int4[], $42::timestamptz[], $43::text[])
                    AS ended (transaction_id, epoch, settled_at, moments)
               WHERE transactions.transaction_id = ended.transaction_id
                 AND transactions.epoch = ended.epoch
                 AND transactions.status <> 'pending'
                 AND transactions.phase <> 'done'
           ), taken AS (
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
           SELECT participant, own, NULL::uuid AS transaction_id, NULL::uuid AS scope,
                  NULL::text AS key, NULL::text AS incarnation
           FROM raised WHERE decides
           UNION ALL
           SELECT NULL, NULL, transaction_id, NULL, NULL, NULL FROM decided
           UNION ALL
           SELECT NULL, NULL, NULL, scope, key, (SELECT incarnation()) FROM taken"#,
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
        i16::try_from(touched.lane).unwrap_or(i16::MAX),
        &touched.participants,
        &touched.heard,
        &touched.they_saw,
        &touched.decides,
        &decisions.ids,
        &decisions.epochs,
        &decisions.statuses as &[StatusRow],
        &decisions.reasons as &[Option<String>],
        &decisions.decided_at,
        &decisions.moments,
        &ends.ids,
        &ends.epochs,
        &ends.settled_at as &[Option<DateTime<Utc>>],
        &ends.moments,
    )
    .fetch_all(database)
    .await?;
    let mut written = Written::default();
    for row in rows {
        written.decided.extend(row.transaction_id);
        if let (Some(participant), Some(own)) = (row.participant, row.own) {
            let own = u64::try_from(own).unwrap_or(0);
            written.raised.insert(participant, own);
        }
        if let (Some(scope), Some(key)) = (row.scope, row.key) {
            written.keys.insert(KeyName::from_row(scope, key)?);
            written.incarnation = row.incarnation;
        }
    }
    Ok(written)
}

//! Beginning sagas and writing their logs: the compare-and-set that everything rests on.

use std::collections::{HashMap, HashSet};

use saga::SagaId;
use saga::store::{Entry, LogWrite, NewSaga, WriteResult};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::lease::ExecutorId;
use crate::{damaged, literal};

/// The epoch of whoever begins a saga.
const FIRST_EPOCH: i32 = 1;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    /// It stands in this database transaction, and was not there before.
    Now,
    /// An earlier attempt, whose answer was lost, has written it.
    Before,
    /// Somebody else has taken the saga over. Nothing was written.
    Fenced,
    /// There is no such saga. Nothing was written.
    Gone,
}

impl From<Wrote> for WriteResult {
    fn from(wrote: Wrote) -> Self {
        match wrote {
            Wrote::Now | Wrote::Before => Self::Written,
            Wrote::Fenced => Self::Fenced,
            Wrote::Gone => Self::Gone,
        }
    }
}

/// Begins sagas in the caller's database transaction, and gives the epoch of each, as
/// [`saga::SagaStore::begin`] says. Durable once the caller has committed.
///
/// # Errors
/// Any database error.
pub async fn begin_in(
    connection: &mut PgConnection,
    executor: ExecutorId,
    sagas: &[NewSaga],
) -> Result<Vec<Option<i32>>, sqlx::Error> {
    if sagas.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = Lines::default();
    let (mut ids, mut kinds, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
    let (mut statuses, mut steps, mut states) = (Vec::new(), Vec::new(), Vec::new());
    let mut named = HashSet::new();
    for saga in sagas.iter().filter(|saga| named.insert(saga.saga_id)) {
        ids.push(saga.saga_id.uuid());
        kinds.push(saga.kind.to_owned());
        sequences.push(number(saga.record.sequence)?);
        statuses.push(saga.record.snapshot.status.as_str().to_owned());
        steps.push(literal(&saga.record.snapshot.steps));
        states.push(saga.record.state.clone());
        lines.push(saga.saga_id, &saga.entries, 0)?;
    }
    let begun: Vec<Uuid> = sqlx::query_scalar(
        r#"WITH begun AS (
               INSERT INTO sagas (saga_id, kind, owner, sequence, status, steps, state)
               SELECT saga_id, kind, $1, sequence, status, steps::text[], state
               FROM UNNEST($2::uuid[], $3::text[], $4::int4[], $5::text[], $6::text[], $7::text[])
                    AS new (saga_id, kind, sequence, status, steps, state)
               ON CONFLICT DO NOTHING
               RETURNING saga_id
           ), lines AS (
               INSERT INTO saga_log (saga_id, sequence, event, step, reason, attempts)
               SELECT line.*
               FROM UNNEST($8::uuid[], $9::int4[], $10::text[], $11::int2[], $12::text[],
                           $13::int4[])
                    AS line (saga_id, sequence, event, step, reason, attempts)
               JOIN begun USING (saga_id)
           )
           SELECT saga_id FROM begun"#,
    )
    .bind(executor.uuid())
    .bind(&ids)
    .bind(&kinds)
    .bind(&sequences)
    .bind(&statuses)
    .bind(&steps)
    .bind(&states)
    .bind(&lines.ids)
    .bind(&lines.sequences)
    .bind(&lines.events)
    .bind(&lines.steps)
    .bind(&lines.reasons)
    .bind(&lines.attempts)
    .fetch_all(&mut *connection)
    .await?;
    let mut begun: HashSet<Uuid> = begun.into_iter().collect();
    let before: Vec<Uuid> = ids.into_iter().filter(|id| !begun.contains(id)).collect();
    let standing = standing(connection, &before).await?;
    let epochs = sagas.iter().map(|saga| {
        let id = saga.saga_id.uuid();
        // The second one of a list is not begun again.
        let is_fresh = begun.remove(&id);
        let is_ours = standing.get(&id).is_some_and(|row| {
            row.owner == executor.uuid()
                && row.epoch == FIRST_EPOCH
                && i64::from(row.sequence) == i64::from(saga.record.sequence)
        });
        (is_fresh || is_ours).then_some(FIRST_EPOCH)
    });
    Ok(epochs.collect())
}

/// Writes lines of logs and the rows they lead to in the caller's database transaction, each by
/// itself, as [`saga::SagaStore::write`] says. Durable once the caller has committed.
///
/// # Errors
/// Any database error: then nothing of the list may be taken for written.
pub async fn write_in(
    connection: &mut PgConnection,
    writes: &[LogWrite],
) -> Result<Vec<Wrote>, sqlx::Error> {
    let mut results = vec![Wrote::Gone; writes.len()];
    let mut waiting: Vec<usize> = (0..writes.len()).collect();
    // One update changes a row once: a second write of the same saga goes into the next.
    while !waiting.is_empty() {
        let mut named = HashSet::new();
        let (now, later): (Vec<usize>, _) = waiting
            .into_iter()
            .partition(|index| named.insert(writes[*index].saga_id));
        write_once(connection, writes, &now, &mut results).await?;
        waiting = later;
    }
    Ok(results)
}

async fn write_once(
    connection: &mut PgConnection,
    writes: &[LogWrite],
    indexes: &[usize],
    results: &mut [Wrote],
) -> Result<(), sqlx::Error> {
    let mut lines = Lines::default();
    let (mut ids, mut epochs) = (Vec::new(), Vec::new());
    let (mut after, mut sequences) = (Vec::new(), Vec::new());
    let (mut statuses, mut steps, mut states) = (Vec::new(), Vec::new(), Vec::new());
    for write in indexes.iter().map(|index| &writes[*index]) {
        ids.push(write.saga_id.uuid());
        epochs.push(write.epoch);
        after.push(number(write.after)?);
        sequences.push(number(write.sequence())?);
        statuses.push(write.snapshot.status.as_str().to_owned());
        steps.push(literal(&write.snapshot.steps));
        states.push(write.state.clone());
        lines.push(write.saga_id, &write.entries, write.attempts)?;
    }
    let written: Vec<Uuid> = sqlx::query_scalar(
        r#"WITH written AS (
               UPDATE sagas
               SET sequence = new.sequence, status = new.status, steps = new.steps::text[],
                   state = COALESCE(new.state, sagas.state)
               FROM UNNEST($1::uuid[], $2::int4[], $3::int4[], $4::int4[], $5::text[], $6::text[],
                           $7::text[])
                    AS new (saga_id, epoch, after, sequence, status, steps, state)
               WHERE sagas.saga_id = new.saga_id AND sagas.epoch = new.epoch
                 AND sagas.sequence = new.after
               RETURNING sagas.saga_id
           ), lines AS (
               INSERT INTO saga_log (saga_id, sequence, event, step, reason, attempts)
               SELECT line.*
               FROM UNNEST($8::uuid[], $9::int4[], $10::text[], $11::int2[], $12::text[],
                           $13::int4[])
                    AS line (saga_id, sequence, event, step, reason, attempts)
               JOIN written USING (saga_id)
           )
           SELECT saga_id FROM written"#,
    )
    .bind(&ids)
    .bind(&epochs)
    .bind(&after)
    .bind(&sequences)
    .bind(&statuses)
    .bind(&steps)
    .bind(&states)
    .bind(&lines.ids)
    .bind(&lines.sequences)
    .bind(&lines.events)
    .bind(&lines.steps)
    .bind(&lines.reasons)
    .bind(&lines.attempts)
    .fetch_all(&mut *connection)
    .await?;
    let written: HashSet<Uuid> = written.into_iter().collect();
    let unwritten: Vec<Uuid> = ids.into_iter().filter(|id| !written.contains(id)).collect();
    // In a later statement, which sees what was committed while the one before waited for the row.
    let standing = standing(connection, &unwritten).await?;
    for index in indexes {
        let write = &writes[*index];
        let id = write.saga_id.uuid();
        results[*index] = match standing.get(&id) {
            _ if written.contains(&id) => Wrote::Now,
            None => Wrote::Gone,
            Some(row)
                if row.epoch == write.epoch
                    && i64::from(row.sequence) == i64::from(write.sequence()) =>
            {
                Wrote::Before
            }
            Some(_) => Wrote::Fenced,
        };
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Standing {
    saga_id: Uuid,
    owner: Uuid,
    epoch: i32,
    sequence: i32,
}

async fn standing(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Standing>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Standing> =
        sqlx::query_as("SELECT saga_id, owner, epoch, sequence FROM sagas WHERE saga_id = ANY($1)")
            .bind(ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.saga_id, row)).collect())
}

/// Lines of the logs of several sagas, by column.
#[derive(Default)]
struct Lines {
    ids: Vec<Uuid>,
    sequences: Vec<i32>,
    events: Vec<String>,
    steps: Vec<Option<i16>>,
    reasons: Vec<Option<String>>,
    attempts: Vec<i32>,
}

impl Lines {
    /// The attempts belong to the first line: it says how they ended.
    fn push(
        &mut self,
        saga_id: SagaId,
        entries: &[Entry],
        attempts: u32,
    ) -> Result<(), sqlx::Error> {
        for (place, entry) in entries.iter().enumerate() {
            let step = entry.event.step().map(i16::try_from).transpose();
            let reason = entry.event.reason().map(|reason| reason.as_str());
            self.ids.push(saga_id.uuid());
            self.sequences.push(number(entry.sequence)?);
            self.events.push(entry.event.as_str().to_owned());
            self.steps.push(step.map_err(damaged)?);
            // PostgreSQL's text has no place for a zero.
            self.reasons.push(reason.map(|text| text.replace('\0', "")));
            let attempts = if place == 0 { attempts } else { 0 };
            self.attempts
                .push(i32::try_from(attempts).unwrap_or(i32::MAX));
        }
        Ok(())
    }
}

fn number(sequence: u32) -> Result<i32, sqlx::Error> {
    i32::try_from(sequence).map_err(damaged)
}

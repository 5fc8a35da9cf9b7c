//! The tables `coordinator_numbers`, `coordinator_pair` and `reconciliations`: by what this database
//! and the coordinator's notice that one of them has lost its last commits.

use sqlx::PgConnection;
use two_phase::message::{Comparison, Numbers, Reconciliation};
use two_phase::numbers::Lanes;
use types::views::ParticipantState;
use types::{DatabaseId, SessionId};

use super::written::Raise;
use super::{StoreError, rows};

/// Raises the number of one lane and records what the coordinator says of its own. Nothing, when
/// the message belongs to another session, this database was started, replaced or filled anew since
/// the two were compared, or the coordinator has seen a higher number of this lane.
///
/// The new number is durable with the caller's database transaction; what is returned may be said
/// after its commit.
///
/// # Errors
/// [`StoreError`].
pub async fn raise(
    connection: &mut PgConnection,
    lane: usize,
    heard: &Numbers,
) -> Result<Option<u64>, StoreError> {
    let own = sqlx::query_scalar!(
        "UPDATE coordinator_numbers
         SET own = own + 1,
             seen = ARRAY(SELECT greatest(a, b)
                          FROM UNNEST(seen, $3::bigint[]) WITH ORDINALITY AS u(a, b, place)
                          ORDER BY place)
         WHERE lane = $1 AND session = $2 AND incarnation = incarnation() AND own >= $4
         RETURNING own",
        small(lane),
        heard.session.map(SessionId::uuid),
        &heard.own.row(),
        number(heard.seen.get(lane)),
    )
    .fetch_optional(connection)
    .await?;
    Ok(own.map(|own| u64::try_from(own).unwrap_or(0)))
}

/// The same as a part of [`written::write_if_unchanged`](super::written::write_if_unchanged).
#[must_use]
pub fn raising(lane: usize, heard: &Numbers) -> Raise {
    Raise {
        lane: small(lane),
        session: heard.session,
        heard: heard.own.row(),
        they_saw: number(heard.seen.get(lane)),
    }
}

fn small(lane: usize) -> i16 {
    i16::try_from(lane).unwrap_or(i16::MAX)
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// All numbers of this database.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its own.
    pub own: Lanes,
    /// The coordinator's on record here.
    pub seen: Lanes,
    /// What this database is now.
    pub incarnation: String,
}

/// Locks every lane, which waits for the lists that are being written, and reads all numbers.
///
/// # Errors
/// [`StoreError`].
pub async fn lock(connection: &mut PgConnection) -> Result<Statement, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT lane, own, seen, incarnation() AS "incarnation!" FROM coordinator_numbers
           ORDER BY lane FOR UPDATE"#
    )
    .fetch_all(connection)
    .await?;
    let mut statement = Statement {
        own: Lanes::default(),
        seen: Lanes::default(),
        incarnation: String::new(),
    };
    for row in rows {
        let lane = usize::try_from(row.lane).unwrap_or(0);
        let own = u64::try_from(row.own).unwrap_or(0);
        statement.own.raise(lane, own);
        statement.seen.merge(&Lanes::from_row(&row.seen));
        statement.incarnation = row.incarnation;
    }
    Ok(statement)
}

/// How this database and the coordinator's stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The coordinator's database.
    pub database_id: DatabaseId,
    /// What it was when the two were last found in step.
    pub coordinator_incarnation: Option<String>,
    /// What this one was then.
    pub own_incarnation: Option<String>,
    /// What messages have to name; `None` while they are not in step.
    pub session: Option<SessionId>,
    /// As it was found.
    pub state: ParticipantState,
    /// Found in step, and this database has not been started, replaced or filled anew since.
    pub is_current: bool,
}

/// The pair as it stands; `None` before the first comparison.
///
/// # Errors
/// [`StoreError`].
pub async fn pair(connection: &mut PgConnection) -> Result<Option<Pair>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT database_id, coordinator_incarnation, own_incarnation, session, state,
                  (state = 'in_step' AND own_incarnation = incarnation()) AS "is_current!"
           FROM coordinator_pair"#
    )
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let state = row.state.parse();
        Ok(Pair {
            database_id: DatabaseId::from_uuid(row.database_id),
            coordinator_incarnation: row.coordinator_incarnation,
            own_incarnation: row.own_incarnation,
            session: row.session.map(SessionId::from_uuid),
            state: state.map_err(|error| rows::damaged("coordinator_pair.state", error))?,
            is_current: row.is_current,
        })
    })
    .transpose()
}

/// Writes what a comparison has found, in the pair and in every lane. The lanes are locked.
///
/// # Errors
/// [`StoreError`].
pub async fn write_pair(connection: &mut PgConnection, pair: &Pair) -> Result<(), StoreError> {
    let session = pair.session.map(SessionId::uuid);
    sqlx::query!(
        "INSERT INTO coordinator_pair (database_id, coordinator_incarnation, own_incarnation,
                                       session, state)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (only_one) DO UPDATE SET
             database_id = excluded.database_id,
             coordinator_incarnation = excluded.coordinator_incarnation,
             own_incarnation = excluded.own_incarnation, session = excluded.session,
             state = excluded.state, changed_at = clock_timestamp()",
        pair.database_id.uuid(),
        pair.coordinator_incarnation,
        pair.own_incarnation,
        session,
        pair.state.as_str(),
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "UPDATE coordinator_numbers SET session = $1, incarnation = $2",
        session,
        pair.own_incarnation,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Raises every lane to at least what the coordinator has seen of it, and keeps a record of who
/// accepted that. False when this order was carried out before: nothing is changed then.
///
/// # Errors
/// [`StoreError`]; the schema refuses what somebody confirmed alone.
pub async fn accept(
    connection: &mut PgConnection,
    order: &Reconciliation,
    own: &Lanes,
    state: ParticipantState,
) -> Result<bool, StoreError> {
    let Comparison {
        database_id, seen, ..
    } = &order.comparison;
    let seen = seen.row();
    let written = sqlx::query!(
        "INSERT INTO reconciliations (reconciliation_id, database_id, state_before, own_before,
                                      seen_by_them, proposed_by, confirmed_by, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        order.reconciliation_id.uuid(),
        database_id.uuid(),
        state.as_str(),
        &own.row(),
        &seen,
        order.proposed_by.uuid(),
        order.confirmed_by.uuid(),
        order.reason.as_str(),
    )
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE coordinator_numbers AS n SET own = greatest(n.own, theirs.number)
         FROM UNNEST($1::bigint[]) WITH ORDINALITY AS theirs(number, place)
         WHERE n.lane = theirs.place - 1",
        &seen,
    )
    .execute(connection)
    .await?;
    Ok(true)
}

/// Whether operators have to reconcile this database with the coordinator's: 1 or 0.
///
/// # Errors
/// [`StoreError`].
pub async fn count_parked(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let parked = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM coordinator_pair WHERE state <> 'in_step'"#
    )
    .fetch_one(connection)
    .await?;
    Ok(parked)
}

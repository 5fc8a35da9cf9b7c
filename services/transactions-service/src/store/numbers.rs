//! By what this database and those of the participants notice that one of them has lost its last
//! commits: `coordinator_database`, `participant_numbers` and `participant_pairs`.

use sqlx::{PgConnection, PgPool};
use two_phase::numbers::Lanes;
use types::views::ParticipantState;
use types::{DatabaseId, ParticipantId, SessionId};

use super::damaged;

/// Lanes of one participant: four for each of four coordinator processes.
pub(crate) const LANES: usize = 16;

/// What this database is now.
pub(crate) async fn incarnation(pool: &PgPool) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT incarnation() AS "incarnation!""#)
        .fetch_one(pool)
        .await
}

/// All numbers for one participant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement {
    pub(crate) own: Lanes,
    pub(crate) seen: Lanes,
    /// What this database is now.
    pub(crate) incarnation: String,
    /// What messages have to name, if the two were found in step and this database has not been
    /// started, replaced or filled anew since.
    pub(crate) session: Option<SessionId>,
}

/// Reads all numbers for a participant. With `FOR UPDATE` it waits for lists that are being
/// written, so the caller's comparison misses nothing.
async fn read(
    connection: &mut PgConnection,
    participant: &ParticipantId,
) -> Result<Statement, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT lane, own, seen, session, incarnation() AS "now!",
                  COALESCE(incarnation = incarnation(), false) AS "is_current!"
           FROM participant_numbers WHERE participant = $1 ORDER BY lane FOR UPDATE"#,
        participant.as_str(),
    )
    .fetch_all(connection)
    .await?;
    let mut statement = Statement::default();
    for row in rows {
        let lane = usize::try_from(row.lane).unwrap_or(0);
        statement
            .own
            .raise(lane, u64::try_from(row.own).unwrap_or(0));
        statement.seen.merge(&Lanes::from_row(&row.seen));
        statement.session = row.session.filter(|_| row.is_current).map(SessionId::from);
        statement.incarnation = row.now;
    }
    Ok(statement)
}

/// What this database says of itself to a participant. Durable when it returns: that there are
/// lanes for it.
pub(crate) async fn statement(
    pool: &PgPool,
    participant: &ParticipantId,
) -> Result<(DatabaseId, Statement), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query!(
        "INSERT INTO participant_numbers (participant, lane)
         SELECT $1, generate_series(0, $2::int4) ON CONFLICT DO NOTHING",
        participant.as_str(),
        i32::try_from(LANES).unwrap_or(i32::MAX) - 1,
    )
    .execute(&mut *transaction)
    .await?;
    let statement = read(&mut transaction, participant).await?;
    let database_id = sqlx::query_scalar!("SELECT database_id FROM coordinator_database")
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok((database_id.into(), statement))
}

/// What a comparison has found out, judged on what stands here by then.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) state: ParticipantState,
    /// What messages have to name; `None` unless the two are in step.
    pub(crate) session: Option<SessionId>,
}

/// Lets `judge` look at the numbers as they are now and writes what it finds, in the pair and in
/// every lane. `None`, with nothing written, when this database is no longer what it was at
/// `incarnation`. Tells the state before.
///
/// Durable when it returns: what was found; from here on no list is written for a participant that
/// is not in step.
pub(crate) async fn conclude(
    pool: &PgPool,
    participant: &ParticipantId,
    incarnation: &str,
    judge: impl FnOnce(&Statement) -> Found,
) -> Result<Option<(Found, Option<ParticipantState>)>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let now = read(&mut transaction, participant).await?;
    if now.incarnation != incarnation {
        return Ok(None);
    }
    let found = judge(&now);
    let before = state(&mut transaction, participant).await?;
    if before != Some(found.state) {
        sqlx::query!(
            "INSERT INTO participant_pairs (participant, state) VALUES ($1, $2)
             ON CONFLICT (participant) DO UPDATE SET state = excluded.state, changed_at = now()",
            participant.as_str(),
            found.state.as_str(),
        )
        .execute(&mut *transaction)
        .await?;
    }
    if before != Some(found.state) || now.session != found.session {
        sqlx::query!(
            "UPDATE participant_numbers SET session = $2, incarnation = $3 WHERE participant = $1",
            participant.as_str(),
            found.session.map(SessionId::uuid),
            incarnation,
        )
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(Some((found, before)))
}

async fn state(
    connection: &mut PgConnection,
    participant: &ParticipantId,
) -> Result<Option<ParticipantState>, sqlx::Error> {
    let state = sqlx::query_scalar!(
        "SELECT state FROM participant_pairs WHERE participant = $1",
        participant.as_str(),
    )
    .fetch_optional(connection)
    .await?;
    state.map(|text| text.parse().map_err(damaged)).transpose()
}

/// How many participants' databases wait for operators.
pub(crate) async fn count_parked(pool: &PgPool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM participant_pairs WHERE state <> 'in_step'"#
    )
    .fetch_one(pool)
    .await
}

/// Raises every lane to at least what the participant has seen of it, and records what it says.
/// Durable when it returns.
pub(crate) async fn accept(
    pool: &PgPool,
    participant: &ParticipantId,
    seen_there: &Lanes,
    own_there: &Lanes,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE participant_numbers AS n
         SET own = greatest(n.own, theirs.number),
             seen = ARRAY(SELECT greatest(a, b)
                          FROM UNNEST(n.seen, $3::bigint[]) WITH ORDINALITY AS u(a, b, place)
                          ORDER BY place)
         FROM generate_series(0, $4::int4) AS lanes(lane)
         LEFT JOIN UNNEST($2::bigint[]) WITH ORDINALITY AS theirs(number, place)
             ON theirs.place = lanes.lane + 1
         WHERE n.participant = $1 AND n.lane = lanes.lane",
        participant.as_str(),
        &seen_there.row(),
        &own_there.row(),
        i32::try_from(LANES).unwrap_or(i32::MAX) - 1,
    )
    .execute(pool)
    .await?;
    Ok(())
}

//! What a list has changed, in one statement: branches, accounts and the ledger.

mod columns;

use sqlx::PgConnection;
use types::{Code, SessionId, TransactionId};
use uuid::Uuid;

use super::StoreError;
use super::accounts::Marks;
use super::branches::Transition;
use crate::account::AccountState;
use crate::branch::Content;
use crate::ledger::NewEntry;
use columns::{Booked, Changed, Inserted, Moved};

/// A branch that is to be inserted with the vote on it.
#[derive(Debug, Clone, Copy)]
pub struct NewBranch<'a> {
    /// Whose part.
    pub transaction_id: TransactionId,
    /// What it is to do.
    pub content: &'a Content,
    /// Why it was refused; `None`: it is prepared.
    pub refused: Option<Code>,
}

/// A lane's number that is to be raised (`numbers.rs`).
#[derive(Debug, Clone)]
pub struct Raise {
    /// Which lane.
    pub lane: i16,
    /// The session the list names.
    pub session: Option<SessionId>,
    /// What the coordinator says of its own numbers.
    pub heard: Vec<i64>,
    /// What it has seen of this lane.
    pub they_saw: i64,
}

/// What a list has changed.
#[derive(Debug, Clone, Default)]
pub struct Changes<'a> {
    /// Accounts with their new sums.
    pub accounts: &'a [AccountState],
    /// Lines of the ledger.
    pub entries: &'a [NewEntry],
    /// Branches with their new states.
    pub transitions: &'a [Transition],
    /// Branches that are new.
    pub branches: &'a [NewBranch<'a>],
}

/// Appends entries, writes what transfers, sagas and cash change of accounts, and gives branches
/// their new states. The rows of the accounts and of the branches must be locked.
///
/// Balances are written as they were computed and not as differences: nobody else can have changed
/// a locked row.
///
/// # Errors
/// [`StoreError`]; a violated constraint among them: a leg that was booked before violates
/// `one_entry_for_a_leg`, and the schema refuses to change a finished branch.
pub async fn write(
    connection: &mut PgConnection,
    accounts: &[AccountState],
    entries: &[NewEntry],
    transitions: &[Transition],
) -> Result<(), StoreError> {
    if accounts.is_empty() && entries.is_empty() && transitions.is_empty() {
        return Ok(());
    }
    let changes = Changes {
        accounts,
        entries,
        transitions,
        branches: &[],
    };
    let written = execute(connection, &changes, None, None).await?;
    if usize::try_from(written.accounts) == Ok(accounts.len()) {
        Ok(())
    } else {
        Err(StoreError::Damaged(format!(
            "{} of {} accounts were there to be written",
            written.accounts,
            accounts.len()
        )))
    }
}

/// Writes everything or nothing: only if no branch is there yet that is to be new, every branch that
/// is to be finished is prepared, and no account has changed since it was read with its mark. The
/// number of the list's lane is raised; `None`: that could not be done, and nothing is written.
///
/// # Errors
/// [`StoreError`]: a serialization failure (SQLSTATE 40001) when something is not as it was read.
pub async fn write_if_unchanged(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    marks: &Marks,
    raise: Option<&Raise>,
) -> Result<Option<Raised>, StoreError> {
    let written = execute(connection, changes, Some(marks), raise).await?;
    if raise.is_some() && written.own.is_none() {
        return Ok(None);
    }
    Ok(Some(Raised {
        own: written.own,
        mark: written.mark,
    }))
}

/// It is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// By what the rows that were written are known ([`Marks`]).
    pub mark: String,
    /// The lane's number now, where one was to be raised.
    pub own: Option<i64>,
}

struct Written {
    own: Option<i64>,
    mark: String,
    accounts: i64,
}

async fn execute(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    marks: Option<&Marks>,
    raise: Option<&Raise>,
) -> Result<Written, StoreError> {
    let inserted = Inserted::of(changes.branches);
    let changed = Changed::of(changes.accounts, marks);
    let booked = Booked::of(changes.entries);
    let moved = Moved::of(changes.transitions);
    let row = sqlx::query!(
        r#"WITH raised AS (
               UPDATE coordinator_numbers
               SET own = own + 1,
                   seen = ARRAY(SELECT greatest(a, b)
                                FROM UNNEST(seen, $3::bigint[]) WITH ORDINALITY AS u(a, b, place)
                                ORDER BY place)
               WHERE lane = $1 AND session = $2 AND incarnation = incarnation() AND own >= $4
               RETURNING own
           ), may_write AS MATERIALIZED (
               SELECT $1::smallint IS NULL OR EXISTS (SELECT FROM raised) AS it_may
           ), inserted AS (
               INSERT INTO branches (transaction_id, state, currency, account_ids, changes,
                      transfer_indexes, share_participants, share_nets, descriptions,
                      debits_owned_by, reason, finished_at)
               SELECT n.transaction_id, CASE WHEN n.reason IS NULL THEN 'PREPARED' ELSE 'REFUSED' END,
                      n.currency,
                      ($5::uuid[])[n.legs_before + 1 : n.legs_until],
                      ($6::numeric[])[n.legs_before + 1 : n.legs_until],
                      ($7::integer[])[n.legs_before + 1 : n.legs_until],
                      ($8::text[])[n.shares_before + 1 : n.shares_until],
                      ($9::numeric[])[n.shares_before + 1 : n.shares_until],
                      ($10::text[])[n.texts_before + 1 : n.texts_until],
                      n.debits_owned_by, n.reason,
                      CASE WHEN n.reason IS NOT NULL THEN clock_timestamp() END
               FROM may_write,
                    UNNEST($11::uuid[], $12::text[], $13::uuid[], $14::text[], $15::integer[],
                           $16::integer[], $17::integer[], $18::integer[], $19::integer[],
                           $20::integer[])
                    AS n(transaction_id, currency, debits_owned_by, reason, legs_before, legs_until,
                         shares_before, shares_until, texts_before, texts_until)
               WHERE it_may
               ON CONFLICT DO NOTHING
               RETURNING 1
           ), moved AS (
               UPDATE branches AS b
               SET state = n.state, reason = n.reason, finished_at = clock_timestamp()
               FROM may_write, UNNEST($21::uuid[], $22::text[], $23::text[])
                    AS n(transaction_id, state, reason)
               WHERE it_may AND b.transaction_id = n.transaction_id
                 AND (b.state = 'PREPARED' OR NOT $24)
               RETURNING 1
           ), changed AS (
               UPDATE accounts AS a
               SET balance = n.balance, pending_debits = n.pending_debits,
                   pending_credits = n.pending_credits, reserved_credits = n.reserved_credits,
                   transaction_lock = n.transaction_lock, version = n.version,
                   updated_at = clock_timestamp()
               FROM may_write,
                    UNNEST($25::uuid[], $26::numeric[], $27::numeric[], $28::numeric[],
                           $29::numeric[], $30::uuid[], $31::bigint[], $32::text[])
                    AS n(account_id, balance, pending_debits, pending_credits, reserved_credits,
                         transaction_lock, version, mark)
               WHERE it_may AND a.account_id = n.account_id
                 AND (n.mark IS NULL OR a.xmin = n.mark::xid)
               RETURNING 1
           ), booked AS (
               INSERT INTO ledger_entries (account_id, version, transaction_id, transfer_index,
                                           kind, change, balance_after, description, step)
               SELECT n.*
               FROM may_write,
                    UNNEST($33::uuid[], $34::bigint[], $35::uuid[], $36::integer[], $37::text[],
                           $38::numeric[], $39::numeric[], $40::text[], $41::smallint[]) AS n
               WHERE it_may
           ), counted AS (
               SELECT (SELECT own FROM raised) AS own,
                      (SELECT count(*) FROM inserted) AS branches,
                      (SELECT count(*) FROM moved) AS moved,
                      (SELECT count(*) FROM changed) AS accounts,
                      it_may
               FROM may_write
           )
           SELECT own, pg_current_xact_id()::xid::text AS "mark!", accounts AS "accounts!",
                  CASE WHEN $24 AND it_may
                            AND (branches, moved, accounts)
                                <> (cardinality($11::uuid[]), cardinality($21::uuid[]),
                                    cardinality($25::uuid[]))
                       THEN something_has_changed() END AS changed
           FROM counted"#,
        raise.map(|raise| raise.lane),
        raise.and_then(|raise| raise.session.map(SessionId::uuid)),
        &raise.map(|raise| raise.heard.clone()).unwrap_or_default(),
        raise.map_or(0, |raise| raise.they_saw),
        &inserted.account_ids,
        &inserted.changes,
        &inserted.transfer_indexes,
        &inserted.share_participants,
        &inserted.share_nets,
        &inserted.descriptions as &[Option<String>],
        &inserted.ids,
        &inserted.currencies,
        &inserted.owners as &[Option<Uuid>],
        &inserted.reasons as &[Option<String>],
        &inserted.legs.before,
        &inserted.legs.until,
        &inserted.shares.before,
        &inserted.shares.until,
        &inserted.texts.before,
        &inserted.texts.until,
        &moved.ids,
        &moved.states,
        &moved.reasons as &[Option<String>],
        marks.is_some(),
        &changed.ids,
        &changed.balances,
        &changed.pending_debits,
        &changed.pending_credits,
        &changed.reserved_credits,
        &changed.locks as &[Option<Uuid>],
        &changed.versions,
        &changed.marks as &[Option<String>],
        &booked.accounts,
        &booked.versions,
        &booked.transactions,
        &booked.indexes,
        &booked.kinds,
        &booked.changes,
        &booked.balances,
        &booked.descriptions as &[Option<String>],
        &booked.steps,
    )
    .fetch_one(connection)
    .await?;
    Ok(Written {
        own: row.own,
        mark: row.mark,
        accounts: row.accounts,
    })
}

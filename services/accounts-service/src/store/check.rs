//! Queries that find what contradicts an invariant: each gives sentences, at most 20.

use std::collections::HashMap;

use sqlx::PgConnection;
use types::{AccountId, LegId, TransactionId};

use super::StoreError;

type Findings = Result<Vec<String>, StoreError>;

/// I1: entries and balances sum to zero per currency.
///
/// # Errors
/// [`StoreError`].
pub async fn sums(snapshot: &mut PgConnection) -> Findings {
    Ok(sqlx::query_scalar!(
        r#"SELECT found AS "found!" FROM (
               SELECT format('%s: the entries sum to %s', a.currency, sum(e.change))
               FROM ledger_entries e LEFT JOIN accounts a USING (account_id)
               GROUP BY a.currency HAVING sum(e.change) <> 0
               UNION ALL
               SELECT format('%s: the balances sum to %s', currency, sum(balance))
               FROM accounts GROUP BY currency HAVING sum(balance) <> 0
           ) AS f(found) LIMIT 20"#
    )
    .fetch_all(snapshot)
    .await?)
}

/// I2: a balance is the sum of its entries, and each entry continues the one before.
///
/// # Errors
/// [`StoreError`].
pub async fn balances(snapshot: &mut PgConnection) -> Findings {
    Ok(sqlx::query_scalar!(
        r#"SELECT found AS "found!" FROM (
               SELECT format('account %s: balance %s, entries sum to %s, last balance_after %s',
                             a.account_id, a.balance, coalesce(t.total, 0),
                             coalesce(l.balance_after, 0))
               FROM accounts a
               LEFT JOIN (SELECT account_id, sum(change) AS total, max(version) AS version
                          FROM ledger_entries GROUP BY account_id) t USING (account_id)
               LEFT JOIN ledger_entries l ON l.account_id = a.account_id AND l.version = t.version
               WHERE a.balance <> coalesce(t.total, 0) OR a.balance <> coalesce(l.balance_after, 0)
               UNION ALL
               SELECT format('account %s version %s: %s and %s make %s', account_id, version,
                             before, change, balance_after)
               FROM (SELECT account_id, version, change, balance_after,
                            lag(balance_after, 1, 0::numeric)
                                OVER (PARTITION BY account_id ORDER BY version) AS before
                     FROM ledger_entries) chain
               WHERE before + change <> balance_after
               UNION ALL
               SELECT format('account %s has entries and does not exist', e.account_id)
               FROM ledger_entries e
               WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.account_id = e.account_id)
               GROUP BY e.account_id
           ) AS f(found) LIMIT 20"#
    )
    .fetch_all(snapshot)
    .await?)
}

/// I3: no customer's available balance is negative.
///
/// # Errors
/// [`StoreError`].
pub async fn limits(snapshot: &mut PgConnection) -> Findings {
    Ok(sqlx::query_scalar!(
        r#"SELECT format('account %s: balance %s, held %s, reserved %s, limit %s', account_id,
                         balance, pending_debits, reserved_credits, overdraft_limit) AS "found!"
           FROM accounts
           WHERE kind = 'customer'
             AND (balance + overdraft_limit < 0
                  OR balance - pending_debits - reserved_credits + overdraft_limit < 0)
           LIMIT 20"#
    )
    .fetch_all(snapshot)
    .await?)
}

/// I4: pending columns are the sums of the open branches' nets, an exclusive account is locked by its
/// one open branch, and what is reserved and in transit belongs to open sagas.
///
/// # Errors
/// [`StoreError`].
pub async fn holds(snapshot: &mut PgConnection) -> Findings {
    let mut found = sqlx::query_scalar!(
        r#"WITH nets AS (
               SELECT b.transaction_id, leg.account_id, sum(leg.change) AS net
               FROM branches b, UNNEST(b.account_ids, b.changes) AS leg(account_id, change)
               WHERE b.state = 'PREPARED'
               GROUP BY b.transaction_id, leg.account_id),
           held AS (
               SELECT account_id, count(*) AS branches,
                      coalesce(-sum(net) FILTER (WHERE net < 0), 0) AS debits,
                      coalesce(sum(net) FILTER (WHERE net > 0), 0) AS credits
               FROM nets GROUP BY account_id),
           reserved AS (
               SELECT leg.account_id, sum(leg.change) AS credits
               FROM saga_parts p, UNNEST(p.account_ids, p.changes) AS leg(account_id, change)
               WHERE p.state = 'CREDITED' AND leg.change > 0
               GROUP BY leg.account_id),
           transit AS (
               SELECT p.currency, -sum(leg.change) AS debits
               FROM saga_parts p, UNNEST(p.changes) AS leg(change)
               WHERE p.state = 'DEBITED' AND leg.change < 0
               GROUP BY p.currency)
           SELECT format('account %s: %s debits and %s credits pending, %s and %s in %s open branches, lock %s',
                         account_id, a.pending_debits, a.pending_credits,
                         coalesce(h.debits, 0), coalesce(h.credits, 0), coalesce(h.branches, 0),
                         coalesce(a.transaction_lock::text, 'none')) AS "found!"
           FROM accounts a FULL JOIN held h USING (account_id)
           WHERE a.currency IS NULL
              OR a.pending_debits <> coalesce(h.debits, 0)
              OR a.pending_credits <> coalesce(h.credits, 0)
              OR (a.locking = 'exclusive'
                  AND (a.transaction_lock IS NOT NULL)::integer <> coalesce(h.branches, 0))
           UNION ALL
           SELECT format('account %s: %s reserved, %s by open sagas', account_id,
                         a.reserved_credits, coalesce(r.credits, 0))
           FROM accounts a FULL JOIN reserved r USING (account_id)
           WHERE a.currency IS NULL OR a.reserved_credits <> coalesce(r.credits, 0)
           UNION ALL
           SELECT format('%s: %s in transit, %s of open sagas', currency,
                         coalesce(a.balance, 0), coalesce(t.debits, 0))
           FROM (SELECT * FROM accounts WHERE kind = 'in_transit') a
           FULL JOIN transit t USING (currency)
           WHERE coalesce(a.balance, 0) <> coalesce(t.debits, 0)
           LIMIT 20"#
    )
    .fetch_all(&mut *snapshot)
    .await?;
    let locks = sqlx::query!(
        r#"SELECT a.account_id, a.transaction_lock AS "transaction_lock!", b.transaction_id
           FROM accounts a
           JOIN branches b ON b.state = 'PREPARED' AND a.account_id = ANY(b.account_ids)
           WHERE a.transaction_lock IS NOT NULL"#
    )
    .fetch_all(snapshot)
    .await?;
    let mut holders: HashMap<AccountId, bool> = HashMap::new();
    for row in locks {
        let account = AccountId::from_uuid(row.account_id);
        let leg = LegId::derive(TransactionId::from_uuid(row.transaction_id), account);
        *holders.entry(account).or_default() |= leg.uuid() == row.transaction_lock;
    }
    let strange = holders.into_iter().filter(|(_, known)| !known);
    found.extend(strange.map(|(account, _)| format!("account {account}: a stranger's lock")));
    found.truncate(20);
    Ok(found)
}

/// I5: committed branches are booked in full, others not at all, and the parts of sagas as far as
/// their steps have come. What is booked and old may have lost its branch to its age.
///
/// # Errors
/// [`StoreError`].
pub async fn branches(snapshot: &mut PgConnection) -> Findings {
    Ok(sqlx::query_scalar!(
        r#"SELECT found AS "found!" FROM (
               SELECT format('branch %s is %s and transfer %s is not booked on account %s as %s',
                             b.transaction_id, b.state, leg.transfer_index, leg.account_id,
                             leg.change)
               FROM branches b,
                    UNNEST(b.account_ids, b.changes, b.transfer_indexes)
                        AS leg(account_id, change, transfer_index)
               WHERE b.state IN ('COMMITTED', 'HEURISTIC_COMMIT')
                 AND NOT EXISTS (
                     SELECT FROM ledger_entries e
                     WHERE e.transaction_id = b.transaction_id
                       AND e.transfer_index = leg.transfer_index
                       AND e.account_id = leg.account_id
                       AND e.change = leg.change AND e.kind = 'transfer')
               UNION ALL
               SELECT format('transaction %s is booked on account %s and its branch is %s',
                             e.transaction_id, e.account_id, coalesce(b.state, 'absent'))
               FROM ledger_entries e LEFT JOIN branches b USING (transaction_id)
               WHERE e.kind IN ('transfer', 'clearing') AND e.step = 0
                 AND ((b.state IS NULL
                       AND e.transaction_id > (SELECT deleted_through FROM retention))
                      OR b.state NOT IN ('COMMITTED', 'HEURISTIC_COMMIT', 'HEURISTIC_MIXED')
                      OR (e.kind = 'transfer' AND NOT e.account_id = ANY(b.account_ids)))
               UNION ALL
               SELECT format('saga %s is %s and transfer %s is booked on account %s as %s instead of %s',
                             transaction_id, coalesce(w.state, 'absent'), transfer_index,
                             account_id, coalesce(e.change, 0), coalesce(w.change, 0))
               FROM (SELECT p.transaction_id, p.state, leg.account_id, leg.transfer_index,
                            CASE WHEN p.state IN ('CREDITED', 'RELEASED')
                                   OR (p.state = 'DEBITED' AND leg.change < 0)
                                 THEN leg.change ELSE 0 END AS change
                     FROM saga_parts p,
                          UNNEST(p.account_ids, p.changes, p.transfer_indexes)
                              AS leg(account_id, change, transfer_index)) w
               FULL JOIN (SELECT l.transaction_id, l.account_id, l.transfer_index,
                                 sum(l.change) AS change
                          FROM ledger_entries l JOIN accounts a USING (account_id)
                          WHERE l.step <> 0 AND a.kind = 'customer'
                          GROUP BY l.transaction_id, l.account_id, l.transfer_index) e
                   USING (transaction_id, account_id, transfer_index)
               WHERE CASE WHEN w.state IS NULL
                          THEN transaction_id > (SELECT deleted_through FROM retention)
                          ELSE coalesce(e.change, 0) <> w.change END
           ) AS f(found) LIMIT 20"#
    )
    .fetch_all(snapshot)
    .await?)
}

/// I6: one entry per leg or per step, one protocol and one request per transaction, and cash moves in pairs that cancel.
///
/// # Errors
/// [`StoreError`].
pub async fn uniqueness(snapshot: &mut PgConnection) -> Findings {
    Ok(sqlx::query_scalar!(
        r#"SELECT found AS "found!" FROM (
               SELECT format('transaction %s: %s entries for transfer %s on account %s',
                             transaction_id, count(*), transfer_index, account_id)
               FROM ledger_entries
               GROUP BY transaction_id, transfer_index, account_id,
                        CASE WHEN kind = 'transfer' THEN 0 ELSE step END
               HAVING count(*) > 1
               UNION ALL
               SELECT format('transaction %s has a branch and a part of a saga', transaction_id)
               FROM branches JOIN saga_parts USING (transaction_id)
               UNION ALL
               SELECT format('transaction %s stands under %s keys', transaction_id, count(*))
               FROM idempotency_keys GROUP BY transaction_id HAVING count(*) > 1
               UNION ALL
               SELECT format('cash %s: %s entries that sum to %s', transaction_id, count(*),
                             sum(change))
               FROM ledger_entries WHERE kind IN ('opening', 'deposit', 'withdrawal')
               GROUP BY transaction_id HAVING count(*) <> 2 OR sum(change) <> 0
           ) AS f(found) LIMIT 20"#
    )
    .fetch_all(snapshot)
    .await?)
}

/// I7: an account's entries are numbered 1 to its version.
///
/// # Errors
/// [`StoreError`].
pub async fn versions(snapshot: &mut PgConnection) -> Findings {
    Ok(sqlx::query_scalar!(
        r#"SELECT format('account %s: version %s, %s entries up to %s', a.account_id, a.version,
                         coalesce(t.entries, 0), coalesce(t.last, 0)) AS "found!"
           FROM accounts a
           LEFT JOIN (SELECT account_id, count(*) AS entries, max(version) AS last
                      FROM ledger_entries GROUP BY account_id) t USING (account_id)
           WHERE a.version <> coalesce(t.entries, 0) OR a.version <> coalesce(t.last, 0)
           LIMIT 20"#
    )
    .fetch_all(snapshot)
    .await?)
}

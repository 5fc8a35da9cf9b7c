//! The bank examines its own books.

use service_kit::database::spawned;
use sqlx::PgPool;
use types::views::{LedgerCheck, LedgerCheckItem};

use crate::store::{StoreError, check};

/// What the invariants say of one accounts database.
const TITLES: [(&str, &str); 7] = [
    ("I1", "The ledger sums to zero per currency"),
    (
        "I2",
        "A balance is the sum of its entries and the last balance_after",
    ),
    (
        "I3",
        "No available balance of a customer is below its limit",
    ),
    ("I4", "Holds and locks belong to open branches"),
    (
        "I5",
        "Committed branches are booked in full, all others not at all",
    ),
    (
        "I6",
        "One entry per leg, one request per key, and cash moves in pairs",
    ),
    ("I7", "Versions have no gaps"),
];

/// A look at everything takes as long as it takes, and it is never done by looking rows up one by one:
/// tables that grew fast have statistics that say they are small, and a plan made for small tables
/// takes hours on large ones. What cannot be done otherwise than by such look-ups then seems so
/// expensive that it would be compiled, which takes longer than the look at a small ledger.
const THOROUGH: &str = "SET LOCAL statement_timeout = '15min';
                        SET LOCAL enable_nestloop = off;
                        SET LOCAL jit = off;
                        SET LOCAL work_mem = '64MB'";

/// Evaluates I1 to I7 on one snapshot of this database; nothing is locked.
///
/// # Errors
/// [`StoreError`].
pub async fn examine(pool: &PgPool) -> Result<LedgerCheck, StoreError> {
    let pool = pool.clone();
    spawned(async move {
        let mut snapshot = pool
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        sqlx::raw_sql(THOROUGH).execute(&mut *snapshot).await?;
        let found = [
            check::sums(&mut snapshot).await?,
            check::balances(&mut snapshot).await?,
            check::limits(&mut snapshot).await?,
            check::holds(&mut snapshot).await?,
            check::branches(&mut snapshot).await?,
            check::uniqueness(&mut snapshot).await?,
            check::versions(&mut snapshot).await?,
        ];
        snapshot.rollback().await?;
        let checks: Vec<LedgerCheckItem> = TITLES
            .into_iter()
            .zip(found)
            .map(|((id, title), found)| LedgerCheckItem {
                id: id.to_owned(),
                title: title.to_owned(),
                ok: found.is_empty(),
                found,
            })
            .collect();
        let ok = checks.iter().all(|check| check.ok);
        if !ok {
            let broken = checks.iter().filter(|check| !check.ok);
            let broken: Vec<&str> = broken.map(|check| check.id.as_str()).collect();
            tracing::error!(event = "MANUAL_INTERVENTION_REQUIRED", invariants = ?broken);
        }
        Ok(LedgerCheck { ok, checks })
    })
    .await
}

//! How long the bank takes until what a fault left behind is over (I10).

use std::time::{Duration, Instant};

use sqlx::PgPool;
use uuid::Uuid;

use super::world::BANKS;
use crate::bank::{TRANSACTIONS, TestBank};
use crate::invariants::{held, open_transactions};

/// Everything must be over within this after the last fault is healed.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Waits until every transaction that is open now is settled, whatever clients begin meanwhile.
/// `None` when `disturbed` says that the next fault came first, or it took more than [`LIMIT`].
pub(super) async fn of_what_is_open(
    bank: &TestBank,
    disturbed: impl Fn() -> bool,
) -> Option<Duration> {
    let healed = Instant::now();
    let pool = bank.database(TRANSACTIONS).await;
    let mut open: Option<Vec<Uuid>> = None;
    while healed.elapsed() < LIMIT && !disturbed() {
        let left = still_open(&pool, open.as_deref()).await;
        if left.as_ref().is_some_and(Vec::is_empty) {
            return Some(healed.elapsed());
        }
        open = left.or(open);
        tokio::time::sleep(POLL).await;
    }
    None
}

/// Waits until nothing at all is open or held. No client may begin anything meanwhile.
pub(super) async fn of_everything(bank: &TestBank) -> Option<Duration> {
    let healed = Instant::now();
    while healed.elapsed() < LIMIT {
        if nothing_is_left(bank).await == Some(true) {
            return Some(healed.elapsed());
        }
        tokio::time::sleep(POLL).await;
    }
    None
}

/// `None` when a database does not answer.
async fn nothing_is_left(bank: &TestBank) -> Option<bool> {
    let mut left = open_transactions(&bank.database(TRANSACTIONS).await).await?;
    for (_, service) in BANKS {
        left += held(&bank.database(service).await).await?;
    }
    Some(left == 0)
}

async fn still_open(pool: &PgPool, among: Option<&[Uuid]>) -> Option<Vec<Uuid>> {
    let query = sqlx::query_scalar(
        "SELECT transaction_id FROM transactions
         WHERE settled_at IS NULL AND phase <> 'hazard'
           AND ($1::uuid[] IS NULL OR transaction_id = ANY($1))",
    );
    query.bind(among).fetch_all(pool).await.ok()
}

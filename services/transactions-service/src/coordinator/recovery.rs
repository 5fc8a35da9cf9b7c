//! Recovery: transactions that nobody drives are taken over and driven to their end.
//!
//! The race it survives: a coordinator is stopped (not dead) beyond its lease, this loop takes its
//! transactions over and aborts the pending ones, then the stopped one wakes and wants to commit.
//! Taking over raises the epoch, and the decision is a compare-and-set on the epoch, so the late
//! commit changes no row; its owner reads what stands there and obeys. Two loops that claim at the
//! same time are kept apart by `FOR UPDATE SKIP LOCKED`.
//!
//! It also finds our own transactions whose driver stopped on an error: open in the database, ours,
//! and not in flight. For how long, is measured here and not read from the row: the clock that
//! wrote it may be an hour ahead of the database's, and for that hour nobody would drive it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use service_kit::failpoints;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::Instant;
use two_phase::recovery::{Plan, plan};
use uuid::Uuid;

use super::drive::Drive;
use super::{Coordination, Progress};
use crate::store::{hazards, leases, numbers};

/// Taken over in one go: enough to be done with ten thousand within seconds.
const CLAIM_LIMIT: i64 = 2_000;

/// A begin that was just written has no driver yet; it is given this long to get one.
const GRACE: Duration = Duration::from_secs(3);

/// Runs until `stop` says so.
pub(crate) async fn run(coordination: Arc<Coordination>, mut stop: watch::Receiver<bool>) {
    let mut undriven = Undriven::default();
    loop {
        let pause = match step(&coordination, &mut undriven).await {
            // A full claim: there is more.
            Ok(claimed) if claimed == CLAIM_LIMIT as usize => Duration::ZERO,
            Ok(_) => coordination.timings.recovery_tick,
            Err(error) => {
                tracing::warn!(event = "RECOVERY_FAILED", %error);
                coordination.timings.recovery_tick
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Our own transactions without a driver, and since when.
#[derive(Default)]
struct Undriven(HashMap<Uuid, Instant>);

impl Undriven {
    /// Notes which ones these are now, and gives back those that have been so for [`GRACE`].
    fn look(&mut self, now: Instant, undriven: Vec<Uuid>) -> Vec<Uuid> {
        let before = std::mem::take(&mut self.0);
        let since = |id: &Uuid| before.get(id).copied().unwrap_or(now);
        self.0 = undriven.into_iter().map(|id| (id, since(&id))).collect();
        let long = self.0.iter().filter(|(_, since)| now - **since >= GRACE);
        long.map(|(id, _)| *id).collect()
    }
}

/// One round: renews our lease, takes over what nobody drives, starts driving it.
///
/// Durable when it returns: our lease, and our ownership of what was taken over.
async fn step(
    coordination: &Arc<Coordination>,
    undriven: &mut Undriven,
) -> Result<usize, sqlx::Error> {
    let Coordination {
        coordinator_id,
        name,
        pool,
        timings,
        ..
    } = &**coordination;
    let incarnation = leases::renew(pool, *coordinator_id, name, timings.lease).await?;
    coordination.numbers.noticed(&incarnation);
    coordination.numbers.look();
    count_interventions(pool).await?;
    let driven = coordination.in_flight.ids();
    let own = leases::own_undriven(pool, *coordinator_id, &driven, CLAIM_LIMIT).await?;
    let own = undriven.look(Instant::now(), own);
    let claimed = leases::claim(pool, *coordinator_id, timings.lease, &own, CLAIM_LIMIT).await?;
    let statuses: Vec<_> = claimed
        .iter()
        .map(|transaction| transaction.status)
        .collect();
    let count = claimed.len();
    for (transaction, plan) in claimed.into_iter().zip(plan(&statuses)) {
        if failpoints::hit("after_claim").await.is_err() {
            continue;
        }
        tracing::info!(
            event = "TRANSACTION_RECOVERED",
            transaction_id = %transaction.transaction_id,
            epoch = transaction.epoch,
            plan = describe(plan),
        );
        metrics::counter!("bank_recovered_total").increment(1);
        let (report, _) = watch::channel(Progress::Undecided);
        coordination.spawn(Drive::recovered(transaction, report));
    }
    Ok(count)
}

const fn describe(plan: Plan) -> &'static str {
    match plan {
        Plan::DecideAbort => "abort",
        Plan::Deliver(two_phase::Outcome::Commit) => "deliver commit",
        Plan::Deliver(two_phase::Outcome::Abort) => "deliver abort",
    }
}

/// Shows how many contradictions, databases that are not in step and stuck sagas wait for a person.
pub(crate) async fn count_interventions(pool: &PgPool) -> Result<(), sqlx::Error> {
    let open = hazards::count_open(pool).await? + numbers::count_parked(pool).await?;
    let open = u32::try_from(open).unwrap_or(u32::MAX);
    let open = open.saturating_add(saga_postgres::stuck(pool).await?);
    metrics::gauge!("bank_interventions_open").set(open);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_an_orphan_once_it_has_been_without_a_driver_for_a_while() {
        let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut undriven = Undriven::default();
        let start = Instant::now();
        assert!(undriven.look(start, vec![old]).is_empty());
        assert_eq!(undriven.look(start + GRACE, vec![old, new]), [old]);
        // It found its driver, and lost it again: counted anew.
        assert!(undriven.look(start + GRACE, vec![new]).is_empty());
        assert_eq!(undriven.look(start + GRACE * 2, vec![old, new]), [new]);
    }
}

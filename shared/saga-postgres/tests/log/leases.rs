//! Who may take over what.

use saga::store::{Claimed, WriteResult};
use saga::{SagaId, SagaStore};
use saga_postgres::PgSagaLog;

use super::{Bench, KIND, first_done, got_stuck, new_saga};

async fn taken(log: &PgSagaLog, driven: &[SagaId]) -> Vec<Claimed> {
    let claimed = log.claim(KIND, driven.to_vec(), 100).await;
    claimed.expect("the database answers")
}

async fn begin(log: &PgSagaLog) -> SagaId {
    let id = SagaId::generate();
    log.begin(vec![new_saga(id)]).await.expect("begun");
    id
}

/// Everything began a while ago.
const LONG_AGO: &str = "UPDATE sagas SET began_at = began_at - interval '1 minute'";

#[tokio::test]
async fn what_a_living_process_owns_is_left_to_it() {
    let bench = Bench::new().await;
    let (log, other) = (bench.process("one").await, bench.process("two").await);
    let id = begin(&log).await;
    bench.run(LONG_AGO).await;
    assert_eq!(taken(&other, &[]).await, []);
    assert_eq!(taken(&log, &[id]).await, []);
}

#[tokio::test]
async fn a_process_that_starts_again_takes_over_from_its_former_self_at_once() {
    let bench = Bench::new().await;
    let id = begin(&bench.process("one").await).await;
    let again = bench.process("one").await;
    let claimed = taken(&again, &[]).await;
    assert_eq!((claimed.len(), claimed[0].saga_id), (1, id));
}

#[tokio::test]
async fn a_saga_of_ours_without_a_driver_is_taken_up_again_but_not_one_that_has_just_begun() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    begin(&log).await;
    assert_eq!(taken(&log, &[]).await, []);
    bench.run(LONG_AGO).await;
    let claimed = taken(&log, &[]).await;
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].age.as_secs() >= 60, "{:?}", claimed[0].age);
}

#[tokio::test]
async fn case_108_after_the_databases_clock_was_set_back_leases_still_end_and_sagas_are_claimed() {
    let bench = Bench::new().await;
    let (log, other) = (bench.process("one").await, bench.process("two").await);
    let theirs = begin(&log).await;
    let ours = begin(&other).await;
    // An hour back: all that was written lies an hour ahead.
    bench
        .run(
            "UPDATE saga_executors SET lease_until = lease_until + interval '1 hour';
             UPDATE sagas SET began_at = began_at + interval '1 hour'",
        )
        .await;
    let mut claimed = taken(&other, &[]).await;
    claimed.sort_by_key(|claimed| claimed.saga_id);
    let ids: Vec<_> = claimed.iter().map(|claimed| claimed.saga_id).collect();
    assert_eq!(ids, [theirs, ours]);
    assert!(claimed.iter().all(|claimed| claimed.age.is_zero()));
}

#[tokio::test]
async fn two_that_claim_at_once_do_not_wait_for_each_other_and_share() {
    let bench = Bench::new().await;
    let gone = bench.process("gone").await;
    let ids = [begin(&gone).await, begin(&gone).await];
    gone.lease().release().await.expect("released");
    let other = bench.process("two").await;
    // Somebody is just taking the first one.
    let mut locking = bench.pool.begin().await.expect("begun");
    sqlx::query("SELECT 1 FROM sagas WHERE saga_id = $1 FOR UPDATE")
        .bind(ids[0].uuid())
        .execute(&mut *locking)
        .await
        .expect("locked");
    let claimed = taken(&other, &[]).await;
    assert_eq!((claimed.len(), claimed[0].saga_id), (1, ids[1]));
    locking.rollback().await.expect("rolled back");
    let (first, second) = (bench.process("three").await, bench.process("four").await);
    other.lease().release().await.expect("released");
    let (first, second) = tokio::join!(taken(&first, &[]), taken(&second, &[]));
    assert_eq!(first.len() + second.len(), 2);
}

#[tokio::test]
async fn no_more_than_the_limit_and_only_of_the_kind_are_taken() {
    let bench = Bench::new().await;
    let gone = bench.process("gone").await;
    for _ in 0..3 {
        begin(&gone).await;
    }
    gone.lease().release().await.expect("released");
    let other = bench.process("two").await;
    let claim = async |kind: &str, limit| {
        let claimed = other.claim(kind, Vec::new(), limit).await;
        claimed.expect("the database answers").len()
    };
    assert_eq!(claim("order", 10).await, 0);
    assert_eq!(claim(KIND, 2).await, 2);
    assert_eq!(claim(KIND, 2).await, 1);
}

#[tokio::test]
async fn a_stuck_saga_is_an_operators_and_nobody_elses() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let id = begin(&log).await;
    bench.run(LONG_AGO).await;
    assert_eq!(log.take_stuck(KIND, id).await, Ok(None));
    log.write(vec![got_stuck(id, 1)]).await;
    log.lease().release().await.expect("released");
    let other = bench.process("two").await;
    assert_eq!(taken(&other, &[]).await, []);
    assert_eq!(other.take_stuck("order", id).await, Ok(None));
    let stuck = other.take_stuck(KIND, id).await.expect("answered");
    assert_eq!(stuck.map(|stuck| stuck.epoch), Some(2));
    let late = log.write(vec![first_done(id, 1)]).await;
    assert_eq!(late, [Ok(WriteResult::Fenced)]);
}

//! Beginning and writing: once, by whoever owns the saga, however often it is repeated.

use saga::store::WriteResult;
use saga::{SagaId, SagaStore};
use saga_postgres::{Wrote, write_in};

use super::{Bench, first_done, got_stuck, new_saga};

#[tokio::test]
async fn a_beginning_that_is_repeated_changes_nothing_and_gives_the_epoch_again() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let sagas = vec![new_saga(SagaId::generate()), new_saga(SagaId::generate())];
    for _ in 0..2 {
        let begun = log.begin(sagas.clone()).await;
        assert_eq!(begun, Ok(vec![Some(1), Some(1)]));
    }
    assert_eq!(bench.count("SELECT count(*) FROM saga_log").await, 2);
    let other = bench.process("two").await;
    assert_eq!(other.begin(sagas.clone()).await, Ok(vec![None, None]));
    log.write(vec![first_done(sagas[0].saga_id, 1)]).await;
    // It has gone on: two drivers under one epoch could not be told apart.
    assert_eq!(log.begin(sagas).await, Ok(vec![None, Some(1)]));
}

#[tokio::test]
async fn a_saga_that_is_named_twice_in_a_list_begins_once() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let saga = new_saga(SagaId::generate());
    let begun = log.begin(vec![saga.clone(), saga]).await;
    assert_eq!(begun, Ok(vec![Some(1), None]));
}

#[tokio::test]
async fn a_write_that_is_repeated_is_one_write() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let id = SagaId::generate();
    log.begin(vec![new_saga(id)]).await.expect("begun");
    for _ in 0..2 {
        let written = log.write(vec![first_done(id, 1)]).await;
        assert_eq!(written, [Ok(WriteResult::Written)]);
    }
    let mut connection = bench.pool.acquire().await.expect("a connection");
    let wrote = write_in(&mut connection, &[first_done(id, 1)]).await;
    assert_eq!(wrote.expect("answered"), [Wrote::Before]);
    assert_eq!(bench.count("SELECT count(*) FROM saga_log").await, 3);
}

#[tokio::test]
async fn of_a_list_each_write_stands_for_itself() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let ids = [SagaId::generate(), SagaId::generate(), SagaId::generate()];
    log.begin(vec![new_saga(ids[0]), new_saga(ids[1])])
        .await
        .expect("begun");
    let writes = vec![
        first_done(ids[0], 1),
        first_done(ids[1], 2),
        first_done(ids[2], 1),
        // The same once more, and another after the same line: the row has gone on.
        first_done(ids[0], 1),
        got_stuck(ids[0], 1),
    ];
    let mut connection = bench.pool.acquire().await.expect("a connection");
    let wrote = write_in(&mut connection, &writes).await.expect("answered");
    assert_eq!(
        wrote,
        [
            Wrote::Now,
            Wrote::Fenced,
            Wrote::Gone,
            Wrote::Before,
            Wrote::Fenced
        ]
    );
    assert_eq!(bench.count("SELECT count(*) FROM saga_log").await, 4);
}

#[tokio::test]
async fn case_71_a_process_that_was_taken_over_from_writes_nothing() {
    let bench = Bench::new().await;
    let (log, other) = (bench.process("one").await, bench.process("two").await);
    let id = SagaId::generate();
    log.begin(vec![new_saga(id)]).await.expect("begun");
    log.lease().release().await.expect("released");
    let taken = other
        .claim("transfer", Vec::new(), 10)
        .await
        .expect("taken");
    assert_eq!((taken.len(), taken[0].epoch), (1, 2));
    assert_eq!(taken[0].record, new_saga(id).record);
    let late = log.write(vec![first_done(id, 1)]).await;
    assert_eq!(late, [Ok(WriteResult::Fenced)]);
    assert_eq!(bench.count("SELECT count(*) FROM saga_log").await, 1);
    let written = other.write(vec![first_done(id, 2)]).await;
    assert_eq!(written, [Ok(WriteResult::Written)]);
    let late = log.write(vec![first_done(id, 1)]).await;
    assert_eq!(late, [Ok(WriteResult::Fenced)]);
}

#[tokio::test]
async fn rows_of_the_owner_and_the_log_are_written_together_or_not_at_all() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let id = SagaId::generate();
    log.begin(vec![new_saga(id)]).await.expect("begun");
    let mut database_transaction = bench.pool.begin().await.expect("begun");
    let wrote = write_in(&mut database_transaction, &[first_done(id, 1)]).await;
    assert_eq!(wrote.expect("answered"), [Wrote::Now]);
    database_transaction.rollback().await.expect("rolled back");
    assert_eq!(bench.count("SELECT count(*) FROM saga_log").await, 1);
    let written = log.write(vec![first_done(id, 1)]).await;
    assert_eq!(written, [Ok(WriteResult::Written)]);
}

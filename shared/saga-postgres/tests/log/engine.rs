//! The engine over this log: a process that stops at every write, and another that goes on.

use std::sync::Arc;

use saga::memory::MemoryPerformer;
use saga::{Answer, Call, Definition, Executor, Options, Reason, SagaId, SagaStore, Status, Step};
use saga_postgres::PgSagaLog;

use super::{Bench, KIND};

/// Two steps that add to a number; the second is refused where the saga says so.
fn definition(performer: &Arc<MemoryPerformer<i64>>) -> Definition<bool> {
    let step = |name, amount: i64| {
        let (action, compensation) = (Arc::clone(performer), Arc::clone(performer));
        let act = move |call: Call<bool>| {
            let performer = Arc::clone(&action);
            async move {
                let is_refused = *call.state && amount == 10;
                let effect = |sum: &mut i64| {
                    if is_refused {
                        return Answer::Refused(Reason::fixed("refused"));
                    }
                    *sum += amount;
                    Answer::Done
                };
                performer.perform(&call, effect).await
            }
        };
        let undo = move |call: Call<bool>| {
            let performer = Arc::clone(&compensation);
            async move {
                let effect = |sum: &mut i64| {
                    *sum -= amount;
                    Answer::Done
                };
                performer.perform(&call, effect).await
            }
        };
        Step::new(name, act).compensate(undo)
    };
    let steps = [step("first", 1), step("second", 10)];
    Definition::new(KIND, Options::default(), steps).expect("a definition")
}

#[tokio::test]
async fn a_saga_commits_or_is_undone_and_its_log_says_how() {
    let bench = Bench::new().await;
    let performer = Arc::new(MemoryPerformer::new(0));
    let log = Arc::new(bench.process("one").await);
    let executor = Executor::new(definition(&performer), Arc::clone(&log));
    for (is_refused, status, sum) in [
        (false, Status::Committed, 11),
        (true, Status::Compensated, 11),
    ] {
        let begun = executor.begin(&[(SagaId::generate(), is_refused)]).await;
        for owned in begun.expect("begun") {
            let finished = executor.drive(owned.expect("ours")).await;
            assert_eq!(finished.expect("driven").status, status);
        }
        assert_eq!(performer.world().await, sum);
    }
    let left = log.claim(KIND, Vec::new(), 10).await;
    assert_eq!(left, Ok(Vec::new()));
}

#[tokio::test]
async fn whoever_takes_over_goes_on_from_what_is_written() {
    let bench = Bench::new().await;
    let performer = Arc::new(MemoryPerformer::new(0));
    let executor = |log: PgSagaLog| Executor::new(definition(&performer), Arc::new(log));
    for is_refused in [false, true] {
        let before = performer.world().await;
        // Begun, its first action perhaps performed, and then nothing more is heard of it.
        let gone = executor(bench.process("gone").await);
        let begun = gone.begin(&[(SagaId::generate(), is_refused)]).await;
        drop(begun.expect("begun"));
        let other = executor(bench.process("gone").await);
        let taken = other.take_over(10).await.expect("taken");
        assert_eq!(taken.len(), 1);
        for owned in taken {
            let finished = other.drive(owned).await.expect("driven");
            let expected = if is_refused {
                (Status::Compensated, before)
            } else {
                (Status::Committed, before + 11)
            };
            assert_eq!((finished.status, performer.world().await), expected);
        }
    }
}

//! What people read.

use saga::{Answer, Call, Definition, Options, SagaId, SagaStore, Step};
use saga_postgres::{SagaFilter, StepNames, saga, sagas, stuck};
use types::views::SagaStatus;

use super::{Bench, KIND, first_done, got_stuck, new_saga};

fn names() -> StepNames {
    let step = |name| Step::new(name, |_: Call<()>| async { Answer::Done });
    let definition = Definition::new(KIND, Options::default(), [step("debit"), step("credit")]);
    StepNames::of(&definition.expect("a definition"))
}

#[tokio::test]
async fn a_saga_is_shown_with_its_steps_and_its_log() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let id = SagaId::generate();
    log.begin(vec![new_saga(id)]).await.expect("begun");
    log.write(vec![first_done(id, 1)]).await;
    let view = saga(&bench.pool, &names(), id.uuid().into()).await;
    let view = view.expect("answered").expect("there");
    let steps: Vec<_> = view
        .steps
        .iter()
        .map(|step| (&*step.step, step.status.as_str(), step.attempts))
        .collect();
    assert_eq!(steps, [("debit", "DONE", 1), ("credit", "RUNNING", 1)]);
    let events: Vec<_> = view.log.iter().map(|line| &*line.event).collect();
    assert_eq!(events, ["ACTION_STARTED", "ACTION_DONE", "ACTION_STARTED"]);
    let nobodys = saga(&bench.pool, &names(), types::SagaId::generate()).await;
    assert_eq!(nobodys.expect("answered"), None);
}

#[tokio::test]
async fn sagas_are_listed_by_status_the_latest_first_page_by_page() {
    let bench = Bench::new().await;
    let log = bench.process("one").await;
    let ids: Vec<_> = (0..4).map(|_| SagaId::generate()).collect();
    log.begin(ids.iter().copied().map(new_saga).collect())
        .await
        .expect("begun");
    log.write(vec![got_stuck(ids[0], 1), got_stuck(ids[2], 1)])
        .await;
    let list = async |status, before: Option<SagaId>| {
        let filter = SagaFilter {
            status,
            before: before.map(|id| id.uuid().into()),
        };
        let page = sagas(&bench.pool, &names(), filter, 2).await;
        let page = page.expect("answered").into_iter();
        page.map(|view| SagaId::from_uuid(view.saga_id.uuid()))
            .collect::<Vec<_>>()
    };
    assert_eq!(list(None, None).await, [ids[3], ids[2]]);
    assert_eq!(list(None, Some(ids[2])).await, [ids[1], ids[0]]);
    let is_stuck = Some(SagaStatus::Stuck);
    assert_eq!(list(is_stuck, None).await, [ids[2], ids[0]]);
    assert_eq!(list(is_stuck, Some(ids[2])).await, [ids[0]]);
    assert_eq!(
        list(Some(SagaStatus::Started), None).await,
        [ids[3], ids[1]]
    );
    assert_eq!(stuck(&bench.pool).await.expect("answered"), 2);
}

//! The trials pass for sagas that are right.

use std::sync::Arc;

use saga::definition::Answering;
use saga::memory::MemoryPerformer;
use saga::testing::{Subject, Trials};
use saga::{Answer, Call, Definition, Options, SagaId, Status, Step};

use crate::bench::NAMES;
use crate::shop::Orders;

/// Steps that count, with or without a pivot.
pub struct Counting {
    pub pivot: Option<usize>,
    pub pivot_can_be_undone: bool,
}

type Counts = Arc<MemoryPerformer<[i32; 3]>>;

fn counting(
    world: &Counts,
    step: usize,
    change: i32,
) -> impl Fn(Call<()>) -> Answering<()> + Send + Sync + 'static {
    let world = Arc::clone(world);
    move |call| {
        let world = Arc::clone(&world);
        Box::pin(async move {
            let count = |counts: &mut [i32; 3]| {
                counts[step] += change;
                Answer::Done
            };
            world.perform(&call, count).await
        })
    }
}

impl Subject for Counting {
    type State = ();
    type World = Counts;

    async fn world(&self) -> Self::World {
        Arc::new(MemoryPerformer::new([0; 3]))
    }

    fn definition(&self, world: &Arc<Self::World>) -> Definition<()> {
        let steps: Vec<_> = (0..3)
            .map(|step| {
                let made = Step::new(NAMES[step], counting(world, step, 1));
                match self.pivot {
                    Some(pivot) if step > pivot => made,
                    Some(pivot) if step == pivot && !self.pivot_can_be_undone => made.pivot(),
                    Some(pivot) if step == pivot => {
                        made.compensate(counting(world, step, -1)).pivot()
                    }
                    _ => made.compensate(counting(world, step, -1)),
                }
            })
            .collect();
        Definition::new("counting", Options::default(), steps).unwrap()
    }

    fn state(&self) {}

    async fn check(&self, world: &Self::World, _: SagaId, ended: Status) -> Result<(), String> {
        let expected = if ended == Status::Committed {
            [1; 3]
        } else {
            [0; 3]
        };
        let found = world.world().await;
        if found == expected {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    }
}

#[tokio::test]
async fn every_fault_of_a_saga_without_a_pivot_ends_clean() {
    let subject = Counting {
        pivot: None,
        pivot_can_be_undone: false,
    };
    Trials::new(subject).run().await.assert_clean();
}

#[tokio::test]
async fn every_fault_of_a_saga_with_a_pivot_ends_clean_wherever_it_is() {
    for pivot in 0..3 {
        for pivot_can_be_undone in [false, true] {
            let subject = Counting {
                pivot: Some(pivot),
                pivot_can_be_undone,
            };
            let report = Trials::new(subject).seed(pivot as u64).run().await;
            report.assert_clean();
            assert!(report.committed > 0 && report.compensated > 0, "{report}");
        }
    }
}

#[tokio::test]
async fn every_fault_of_an_order_ends_clean() {
    let report = Trials::new(Orders).random(300).run().await;
    println!("{report}");
    report.assert_clean();
    assert!(report.stuck > 0 && report.never_began > 0, "{report}");
}

#[tokio::test]
async fn the_same_seed_tries_the_same() {
    let run = |seed| async move {
        let report = Trials::new(Orders).seed(seed).run().await;
        (
            report.committed,
            report.compensated,
            report.stuck,
            report.writes,
        )
    };
    assert_eq!(run(7).await, run(7).await);
    assert_ne!(run(7).await, run(8).await);
}

#[tokio::test]
async fn performers_that_take_real_time_are_tried_in_real_time() {
    let subject = Counting {
        pivot: Some(1),
        pivot_can_be_undone: true,
    };
    let report = Trials::new(subject).in_real_time().random(0).run().await;
    report.assert_clean();
}

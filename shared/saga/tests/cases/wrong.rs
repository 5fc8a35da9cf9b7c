//! Proof that the trials see: each of these sagas is wrong in one way, and some trial fails.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use saga::testing::{Subject, Trials};
use saga::{Answer, Call, Definition, OperationId, Options, SagaId, Status, Step};

use crate::bench::R;

/// What a saga or its performer gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    Nothing,
    /// The performer has no barrier: a repetition has an effect.
    NoMemory,
    /// A compensation that comes first is not remembered.
    NoPoison,
    /// A compensation undoes what has not happened.
    UndoesNothing,
    /// A compensation does half of its work.
    Half,
    /// A step after the pivot has nothing to do with its operation id.
    NewIdEachTime,
    /// A step of the saga has no compensation.
    Forgotten,
}

/// A performer written by hand, without the crate's barrier.
#[derive(Default)]
struct Till {
    coins: i32,
    seen: BTreeSet<OperationId>,
    numbers: u32,
}

struct Wrong(Mistake);

impl Wrong {
    fn act(self: &Arc<Self>, till: &mut Till, call: &Call<()>) -> Answer<()> {
        let mut id = call.operation_id;
        if self.0 == Mistake::NewIdEachTime {
            till.numbers += 1;
            id = OperationId::from_uuid(uuid(till.numbers));
        }
        if self.0 == Mistake::NoMemory || till.seen.insert(id) {
            till.coins += 2;
        }
        Answer::Done
    }

    fn undo(self: &Arc<Self>, till: &mut Till, call: &Call<()>) -> Answer<()> {
        let Some(undoes) = call.undoes else {
            return Answer::Refused(R);
        };
        if !till.seen.insert(call.operation_id) {
            return Answer::Done;
        }
        let happened = till.seen.contains(&undoes);
        if self.0 != Mistake::NoPoison {
            till.seen.insert(undoes);
        }
        if happened || self.0 == Mistake::UndoesNothing {
            till.coins -= if self.0 == Mistake::Half { 1 } else { 2 };
        }
        Answer::Done
    }
}

fn uuid(number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(number))
}

impl Subject for Wrong {
    type State = ();
    type World = Mutex<[Till; 2]>;

    async fn world(&self) -> Self::World {
        Mutex::default()
    }

    fn definition(&self, world: &Arc<Self::World>) -> Definition<()> {
        let step = |name, index: usize, can_be_undone: bool| {
            let with = |effect: fn(&Arc<Self>, &mut Till, &Call<()>) -> Answer<()>| {
                let (world, wrong) = (Arc::clone(world), Arc::new(Self(self.0)));
                move |call| {
                    let answer = effect(&wrong, &mut world.lock().unwrap()[index], &call);
                    std::future::ready(answer)
                }
            };
            let step = Step::new(name, with(Self::act));
            if can_be_undone {
                step.compensate(with(Self::undo))
            } else {
                step
            }
        };
        let forgotten = self.0 == Mistake::Forgotten;
        let steps = [step("first", 0, !forgotten), step("second", 1, true)];
        Definition::new("till", Options::default(), steps).unwrap()
    }

    fn state(&self) {}

    async fn check(&self, world: &Self::World, _: SagaId, ended: Status) -> Result<(), String> {
        let coins = world.lock().unwrap().each_ref().map(|till| till.coins);
        let expected = if ended == Status::Committed {
            [2; 2]
        } else {
            [0; 2]
        };
        if coins == expected {
            Ok(())
        } else {
            Err(format!("{coins:?}"))
        }
    }
}

#[tokio::test]
async fn every_mistake_of_a_saga_or_its_performer_fails_some_trial() {
    for mistake in [
        Mistake::NoMemory,
        Mistake::NoPoison,
        Mistake::UndoesNothing,
        Mistake::Half,
        Mistake::NewIdEachTime,
        Mistake::Forgotten,
    ] {
        let report = Trials::new(Wrong(mistake)).random(0).run().await;
        println!(
            "{mistake:?}: {} of {} trials",
            report.failures.len(),
            report.trials()
        );
        assert!(!report.failures.is_empty(), "{mistake:?} was not seen");
    }
}

#[tokio::test]
async fn the_same_saga_without_a_mistake_passes() {
    Trials::new(Wrong(Mistake::Nothing))
        .run()
        .await
        .assert_clean();
}

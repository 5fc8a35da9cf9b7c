//! Sagas of counting steps: each action adds one at its place, each compensation takes one away,
//! behind a barrier; and what goes wrong is said in advance.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use saga::clock::Clock;
use saga::memory::{MemoryDatabase, MemoryPerformer, MemoryStore};
use saga::store::{Claimed, Interrupted, LogWrite, NewSaga, StoreError, WriteResult};
use saga::testing::SimulatedClock;
use saga::{
    Answer, Call, Definition, Direction, Event, Executor, Finished, Options, Reason, SagaId,
    SagaStore, Status, Step, Stopped,
};

pub const R: Reason = Reason::fixed("because");
pub const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Perform,
    Refuse,
    NotNow,
    LoseRequest,
    LoseAnswer,
    /// It is performed, and the answer never comes.
    HangAfter,
}

/// What was done and undone, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    pub count: [i32; 4],
    pub effects: Vec<(usize, Direction)>,
}

type Plans = HashMap<(usize, Direction), VecDeque<How>>;

pub struct Bench {
    pub performer: MemoryPerformer<World>,
    pub database: MemoryDatabase,
    pub clock: SimulatedClock,
    plans: Mutex<Plans>,
    pub calls: Mutex<Vec<(usize, Direction, Call<()>)>>,
}

impl Bench {
    pub fn new(clock: SimulatedClock) -> Arc<Self> {
        Arc::new(Self {
            performer: MemoryPerformer::new(World::default()),
            database: MemoryDatabase::new(Arc::new(clock.clone())),
            clock,
            plans: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// What becomes of the next calls of a step; those after them are performed.
    pub fn plan(&self, step: usize, direction: Direction, hows: &[How]) {
        let mut plans = self.plans.lock().unwrap();
        plans.insert((step, direction), hows.iter().copied().collect());
    }

    pub async fn world(&self) -> World {
        self.performer.world().await
    }

    /// Performs a call as its performer does, with the barrier.
    pub async fn perform(
        &self,
        step: usize,
        direction: Direction,
        call: &Call<()>,
        refuse: bool,
    ) -> Answer<()> {
        let change = |world: &mut World| {
            if refuse {
                return Answer::Refused(R);
            }
            world.count[step] += match direction {
                Direction::Action => 1,
                Direction::Compensation => -1,
            };
            world.effects.push((step, direction));
            Answer::Done
        };
        self.performer.perform(call, change).await
    }

    async fn answer(&self, step: usize, direction: Direction, call: Call<()>) -> Answer<()> {
        self.calls
            .lock()
            .unwrap()
            .push((step, direction, call.clone()));
        let planned = self
            .plans
            .lock()
            .unwrap()
            .get_mut(&(step, direction))
            .and_then(VecDeque::pop_front);
        let how = planned.unwrap_or(How::Perform);
        match how {
            How::Perform => self.perform(step, direction, &call, false).await,
            How::Refuse => self.perform(step, direction, &call, true).await,
            How::NotNow => Answer::NotNow(R),
            How::LoseRequest => Answer::Unknown(R),
            How::LoseAnswer | How::HangAfter => {
                drop(self.perform(step, direction, &call, false).await);
                if how == How::HangAfter {
                    std::future::pending::<()>().await;
                }
                Answer::Unknown(R)
            }
        }
    }

    pub fn definition(
        self: &Arc<Self>,
        steps: usize,
        pivot: Option<usize>,
        options: Options,
    ) -> Definition<()> {
        let steps: Vec<_> = (0..steps)
            .map(|step| {
                let (act, undo) = (Arc::clone(self), Arc::clone(self));
                let made = Step::new(NAMES[step], move |call| {
                    let bench = Arc::clone(&act);
                    async move { bench.answer(step, Direction::Action, call).await }
                });
                if pivot.is_some_and(|pivot| step >= pivot) {
                    return if pivot == Some(step) {
                        made.pivot()
                    } else {
                        made
                    };
                }
                made.compensate(move |call| {
                    let bench = Arc::clone(&undo);
                    async move { bench.answer(step, Direction::Compensation, call).await }
                })
            })
            .collect();
        Definition::new("counting", options, steps).unwrap()
    }

    pub fn process(self: &Arc<Self>, definition: &Definition<()>) -> Executor<(), DyingStore> {
        self.process_that_dies(definition, usize::MAX, false)
    }

    /// A process that dies at its write of this number, counted from 1.
    pub fn process_that_dies(
        self: &Arc<Self>,
        definition: &Definition<()>,
        write: usize,
        after: bool,
    ) -> Executor<(), DyingStore> {
        let store = DyingStore {
            log: self.database.start_process(),
            writes: AtomicUsize::new(0),
            dies_at: write,
            lost_answers: AtomicUsize::new(0),
            after,
        };
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        Executor::with_clock(definition.clone(), Arc::new(store), clock)
    }

    pub fn log(&self, saga_id: SagaId) -> Vec<Event> {
        self.database
            .log(saga_id)
            .into_iter()
            .map(|entry| entry.event)
            .collect()
    }

    pub fn status(&self, saga_id: SagaId) -> Status {
        self.database.record(saga_id).unwrap().snapshot.status
    }
}

/// Begins a saga and drives it.
pub async fn run(executor: &Executor<(), DyingStore>) -> (SagaId, Result<Finished<()>, Stopped>) {
    let saga_id = SagaId::generate();
    let mut begun = executor.begin(&[(saga_id, ())]).await.unwrap();
    let owned = begun.pop().flatten().unwrap();
    (saga_id, executor.drive(owned).await)
}

/// Takes over whatever is left behind and drives it; how many there were.
pub async fn recover(executor: &Executor<(), DyingStore>) -> usize {
    let taken = executor.take_over(10).await.unwrap();
    let count = taken.len();
    for owned in taken {
        executor.drive(owned).await.unwrap();
    }
    count
}

/// The log of a process that dies at one of its writes.
pub struct DyingStore {
    pub log: MemoryStore,
    writes: AtomicUsize,
    dies_at: usize,
    after: bool,
    /// So many writes do not answer, although they are there.
    pub lost_answers: AtomicUsize,
}

impl DyingStore {
    fn dies(&self, after: bool) -> Result<(), Interrupted> {
        if self.writes.load(Ordering::SeqCst) == self.dies_at && self.after == after {
            self.log.end_lease();
            return Err(Interrupted);
        }
        Ok(())
    }
}

impl SagaStore for DyingStore {
    async fn begin(&self, sagas: Vec<NewSaga>) -> Result<Vec<Option<i32>>, StoreError> {
        self.log.begin(sagas).await
    }

    async fn write(&self, writes: Vec<LogWrite>) -> Vec<Result<WriteResult, StoreError>> {
        let results = self.log.write(writes).await;
        let lost = |left: usize| left.checked_sub(1);
        let ordering = Ordering::SeqCst;
        if self
            .lost_answers
            .fetch_update(ordering, ordering, lost)
            .is_ok()
        {
            let error = StoreError("connection reset".to_owned());
            return results.iter().map(|_| Err(error.clone())).collect();
        }
        results
    }

    async fn claim(
        &self,
        kind: &str,
        driven: Vec<SagaId>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.log.claim(kind, driven, limit).await
    }

    async fn take_stuck(&self, kind: &str, saga_id: SagaId) -> Result<Option<Claimed>, StoreError> {
        self.log.take_stuck(kind, saga_id).await
    }

    async fn before_log(&self, _: &LogWrite) -> Result<(), Interrupted> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.dies(false)
    }

    async fn after_log(&self, _: &LogWrite) -> Result<(), Interrupted> {
        self.dies(true)
    }
}

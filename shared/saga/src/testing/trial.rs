//! One saga under given faults, from its beginning until nothing is under way any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Subject;
use super::script::{Fault, Script};
use super::tripwire::{Crash, Manner, Tripwire, When};
use crate::answer::Reason;
use crate::clock::Clock;
use crate::decide::Command;
use crate::definition::Definition;
use crate::executor::{Executor, Owned, Stopped};
use crate::ids::SagaId;
use crate::machine::{Snapshot, Status};
use crate::memory::MemoryDatabase;
use crate::store::Entry;

/// How often an operator tries before the trial gives up.
const OPERATOR_TRIES: usize = 5;

/// A trial: what goes wrong, and what is to come of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trial {
    pub(super) family: &'static str,
    pub(super) faults: Vec<Fault>,
    /// What happens to the first process, the second, …
    pub(super) crashes: Vec<Crash>,
    /// How it has to end; `None`: either way, but clean.
    pub(super) ends: Option<Status>,
    /// With a crash in between it may end in another way.
    pub(super) depends_on_crashes: bool,
    /// An operator is needed.
    pub(super) gets_stuck: bool,
}

/// What came of a trial.
pub(super) struct Outcome {
    /// How it ended; `None`: it never began.
    pub(super) status: Option<Status>,
    /// Writes of the log.
    pub(super) writes: usize,
    pub(super) log: Vec<Entry>,
    pub(super) wrong: Vec<String>,
}

/// A trial that is running.
pub(super) struct Run<T: Subject> {
    saga_id: SagaId,
    state: T::State,
    definition: Definition<T::State>,
    script: Script<T::State>,
    database: MemoryDatabase,
    clock: Arc<dyn Clock>,
    crashes: Vec<Crash>,
    processes: AtomicUsize,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

pub(super) async fn run<T: Subject>(
    subject: &T,
    trial: &Trial,
    settings: &super::Settings,
) -> Outcome {
    let world = Arc::new(subject.world().await);
    let original = subject.definition(&world);
    let script = Script::new(trial.faults.clone());
    let clock = settings.clock();
    let run = Arc::new(Run::<T> {
        saga_id: SagaId::generate(),
        state: subject.state(),
        definition: script.between(&original, settings.options(*original.options())),
        script,
        database: MemoryDatabase::new(Arc::clone(&clock)),
        clock,
        crashes: trial.crashes.clone(),
        processes: AtomicUsize::new(0),
    });
    let mut wrong = Vec::new();
    if let Err(error) = run.process().await {
        wrong.push(error);
    }
    let was_stuck = run.status() == Some(Status::Stuck);
    if was_stuck != trial.gets_stuck && trial.ends.is_some() {
        wrong.push(format!(
            "stuck: {was_stuck}, expected: {}",
            trial.gets_stuck
        ));
    }
    if let Err(error) = run.operate().await {
        wrong.push(error);
    }
    let status = run.status();
    // Nothing begun is nothing done: the same slate as after everything was undone.
    let ended = status.unwrap_or(Status::Compensated);
    if trial.ends.is_some_and(|ends| ends != ended) {
        wrong.push(format!("ended as {ended:?} instead of {:?}", trial.ends));
    }
    if let Err(error) = subject.check(&world, run.saga_id, ended).await {
        wrong.push(format!("{ended:?}: {error}"));
    }
    run.script.deliver_late().await;
    if let Err(error) = subject.check(&world, run.saga_id, ended).await {
        wrong.push(format!("{ended:?}, after what came late: {error}"));
    }
    wrong.extend(run.script.violations());
    let log = run.database.log(run.saga_id);
    if let Some(record) = run.database.record(run.saga_id) {
        wrong.extend(replay(&run.definition, &log, &record.snapshot));
    }
    Outcome {
        status,
        writes: run.database.writes(),
        log,
        wrong,
    }
}

/// The log leads to the row, by legal transitions only.
fn replay<S: crate::State>(
    definition: &Definition<S>,
    log: &[Entry],
    row: &Snapshot,
) -> Option<String> {
    let shape = definition.shape();
    let events: Vec<_> = log.iter().map(|entry| entry.event.clone()).collect();
    if !log
        .iter()
        .map(|entry| entry.sequence)
        .eq(1..=u32::try_from(log.len()).unwrap_or(u32::MAX))
    {
        return Some("the log has a gap".to_owned());
    }
    match Snapshot::new(shape).apply_all(shape, &events) {
        Ok(replayed) if replayed == *row => None,
        Ok(replayed) => Some(format!(
            "the log leads to {replayed:?}, the row says {row:?}"
        )),
        Err(error) => Some(format!("the log has an illegal line: {error}")),
    }
}

impl<T: Subject> Run<T> {
    fn status(&self) -> Option<Status> {
        let record = self.database.record(self.saga_id);
        record.map(|record| record.snapshot.status)
    }

    /// The life of one process: it begins the saga or takes it over, and drives it.
    pub(super) fn process(self: &Arc<Self>) -> Running<'_> {
        Box::pin(async move {
            let number = self.processes.fetch_add(1, Ordering::SeqCst);
            let crash = self.crashes.get(number).copied();
            let store = Arc::new(Tripwire::new(self, crash));
            let executor = Executor::with_clock(
                self.definition.clone(),
                Arc::clone(&store),
                Arc::clone(&self.clock),
            );
            let owned = match self.own(&executor, number, crash).await? {
                Some(owned) => owned,
                None => return Ok(()),
            };
            if number == 0 && crash.is_some_and(|crash| crash.write == 0) {
                // The beginning was this process's first write.
                store.end_lease();
                self.process().await?;
                if crash.is_some_and(|crash| crash.manner == Manner::Dies) {
                    return Ok(());
                }
            }
            self.drive(&executor, &store, owned).await
        })
    }

    async fn own(
        &self,
        executor: &Executor<T::State, Tripwire<T>>,
        number: usize,
        crash: Option<Crash>,
    ) -> Result<Option<Owned>, String> {
        if number > 0 {
            let taken = executor
                .take_over(1)
                .await
                .map_err(|error| error.to_string())?;
            return Ok(taken.into_iter().next());
        }
        if crash.is_some_and(|crash| crash.write == 0 && crash.when == When::Before) {
            return Ok(None);
        }
        let begun = executor.begin(&[(self.saga_id, self.state.clone())]).await;
        let begun = begun.map_err(|error| error.to_string())?;
        Ok(begun.into_iter().next().flatten())
    }

    async fn drive(
        self: &Arc<Self>,
        executor: &Executor<T::State, Tripwire<T>>,
        store: &Tripwire<T>,
        owned: Owned,
    ) -> Result<(), String> {
        match executor.drive(owned).await {
            Ok(_) => Ok(()),
            // As it must be, for one that somebody has taken over from.
            Err(Stopped::TakenOver) if store.was_taken_over() => Ok(()),
            Err(Stopped::Interrupted(_)) => {
                store.end_lease();
                self.process().await
            }
            Err(error) => Err(format!("stopped: {error}")),
        }
    }

    /// An operator mends what is broken and has a stuck saga try again.
    async fn operate(self: &Arc<Self>) -> Result<(), String> {
        for _ in 0..OPERATOR_TRIES {
            match self.status() {
                Some(Status::Stuck) => {}
                Some(Status::Started | Status::Compensating) => return Err("left open".to_owned()),
                Some(Status::Committed | Status::Compensated) | None => return Ok(()),
            }
            self.script.heal();
            let store = Arc::new(Tripwire::new(self, None));
            let executor = Executor::with_clock(
                self.definition.clone(),
                Arc::clone(&store),
                Arc::clone(&self.clock),
            );
            let reason = Reason::fixed("mended");
            let owned = executor
                .command(self.saga_id, &Command::Retry, reason)
                .await;
            let owned = owned.map_err(|error| error.to_string())?;
            self.drive(&executor, &store, owned).await?;
        }
        match self.status() {
            Some(status) if !status.is_final() => Err(format!("{status:?} although all is mended")),
            _ => Ok(()),
        }
    }

    pub(super) const fn database(&self) -> &MemoryDatabase {
        &self.database
    }
}

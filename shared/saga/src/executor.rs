//! Performs what [`crate::decide`] decides: writes, then asks, then decides again.
//!
//! An executor holds nothing that is not in the log but how often it has asked. So it may stop at
//! any point, and whatever goes wrong with its log makes it stop: recovery goes on from what is
//! durable. It spawns nothing; a service runs each [`Executor::drive`] in a task of its own, and its
//! store puts the writes that arrive together into one list.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::answer::{Answer, Reason, Verdict};
use crate::clock::{Clock, RealClock, within};
use crate::decide::{Circumstances, Reaction, Written, react};
use crate::definition::{Call, Definition, State};
use crate::ids::{Direction, SagaId};
use crate::machine::{Ask, Event, IllegalEvent, Snapshot, Status};
use crate::store::{
    Claimed, Entry, Interrupted, LogWrite, NewSaga, SagaStore, StoreError, WriteResult,
};

mod owned;

pub use owned::{Entered, Owned};

use owned::Driven;

/// How often one write is repeated while the log does not answer.
const LOG_RETRIES: u32 = 5;

/// Reason of an attempt that was not answered in time.
pub const NO_ANSWER: Reason = Reason::fixed("no_answer");

/// Why an executor let go of a saga before its end. Recovery goes on from what is durable.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The log does not answer.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// Another executor has taken it over.
    #[error("another executor has taken it over")]
    TakenOver,
    /// Its row is gone: data was lost.
    #[error("its row is gone")]
    RowGone,
    /// A test wanted it.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Its row contradicts its definition.
    #[error("its row does not fit its definition: {0}")]
    Definition(String),
    /// The row admits nothing of what happened.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// Its state cannot be read or written.
    #[error("its state: {0}")]
    State(#[from] serde_json::Error),
}

/// How a saga ended, or that it is stuck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished<S> {
    /// The saga.
    pub saga_id: SagaId,
    /// [`Status::Committed`], [`Status::Compensated`] or [`Status::Stuck`], durably.
    pub status: Status,
    /// Why it turned back or got stuck, if that happened under this executor; it is in the log.
    pub reason: Option<Reason>,
    /// Its last state.
    pub state: Arc<S>,
}

/// Runs sagas of one definition over one log. Cheap to clone.
pub struct Executor<S, L> {
    pub(crate) definition: Definition<S>,
    pub(crate) store: Arc<L>,
    clock: Arc<dyn Clock>,
    driven: Driven,
}

impl<S, L> Clone for Executor<S, L> {
    fn clone(&self) -> Self {
        Self {
            definition: self.definition.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            driven: self.driven.clone(),
        }
    }
}

impl<S, L> fmt::Debug for Executor<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("definition", &self.definition)
            .finish_non_exhaustive()
    }
}

impl<S: State, L: SagaStore> Executor<S, L> {
    /// An executor with tokio's clock.
    #[must_use]
    pub fn new(definition: Definition<S>, store: Arc<L>) -> Self {
        Self::with_clock(definition, store, Arc::new(RealClock))
    }

    /// An executor with a clock of its own.
    #[must_use]
    pub fn with_clock(definition: Definition<S>, store: Arc<L>, clock: Arc<dyn Clock>) -> Self {
        Self {
            definition,
            store,
            clock,
            driven: Driven::default(),
        }
    }

    /// What it runs.
    #[must_use]
    pub const fn definition(&self) -> &Definition<S> {
        &self.definition
    }

    /// Its log.
    #[must_use]
    pub fn store(&self) -> &L {
        &self.store
    }

    /// How many sagas this process drives.
    #[must_use]
    pub fn driven(&self) -> usize {
        self.driven.list().len()
    }

    /// Marks a saga as driven *before* it is in the log, or recovery, which runs meanwhile, takes
    /// it for one that has lost its driver.
    pub fn enter(&self, saga_id: SagaId) -> Entered {
        self.driven.enter(saga_id)
    }

    /// Begins sagas, all or none, each with its first action asked for. Durable when it returns.
    /// `None` for one that had begun before and is somebody else's by now.
    ///
    /// # Errors
    /// [`Stopped::Log`]: whether they have begun is unknown; repeat it. [`Stopped::State`].
    pub async fn begin(&self, sagas: &[(SagaId, S)]) -> Result<Vec<Option<Owned>>, Stopped> {
        let begun: Result<Vec<_>, _> = sagas
            .iter()
            .map(|(id, state)| self.definition.begin(*id, state))
            .collect();
        let begun = begun?;
        let entered: Vec<_> = sagas
            .iter()
            .map(|(saga_id, _)| self.enter(*saga_id))
            .collect();
        let epochs = self.store.begin(begun.clone()).await?;
        let begun = entered.into_iter().zip(begun).zip(epochs);
        Ok(begun
            .map(|((entered, saga), epoch)| Some(self.begun(entered, saga, epoch?)))
            .collect())
    }

    /// A saga whose first rows the caller has made durable itself, under this epoch.
    pub fn begun(&self, entered: Entered, saga: NewSaga, epoch: i32) -> Owned {
        let claimed = Claimed {
            saga_id: saga.saga_id,
            epoch,
            record: saga.record,
            age: Duration::ZERO,
        };
        Owned {
            claimed,
            in_doubt: false,
            _entered: entered,
        }
    }

    /// Takes over what nobody drives: at most `limit` sagas. Durable when it returns: that they
    /// are ours.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_over(&self, limit: usize) -> Result<Vec<Owned>, StoreError> {
        let driven = self.driven.list();
        let claimed = self
            .store
            .claim(self.definition.kind(), driven, limit)
            .await?;
        Ok(claimed
            .into_iter()
            .map(|claimed| self.taken(claimed))
            .collect())
    }

    pub(crate) fn taken(&self, claimed: Claimed) -> Owned {
        let _entered = self.enter(claimed.saga_id);
        Owned {
            claimed,
            in_doubt: true,
            _entered,
        }
    }

    /// Drives a saga to its end, or until it is stuck. Durable when it returns: the status.
    ///
    /// # Errors
    /// [`Stopped`]: what happened so far is in the log, and recovery goes on from there.
    pub async fn drive(&self, owned: Owned) -> Result<Finished<S>, Stopped> {
        let shape = self.definition.shape();
        let Claimed {
            saga_id,
            epoch,
            ref record,
            age,
        } = owned.claimed;
        if record.snapshot.steps.len() != shape.steps {
            let steps = record.snapshot.steps.len();
            return Err(Stopped::Definition(format!(
                "{steps} steps instead of {}",
                shape.steps
            )));
        }
        let mut run = Run {
            saga_id,
            epoch,
            snapshot: record.snapshot.clone(),
            sequence: record.sequence,
            state: Arc::new(serde_json::from_str(&record.state)?),
            reason: None,
            attempts: 0,
            in_doubt: owned.in_doubt,
            deadline: Deadline {
                began: self.clock.now(),
                left: self.definition.options().timeout.saturating_sub(age),
            },
        };
        loop {
            let (step, direction) = match run.snapshot.ask() {
                Ask::Act(step) => (step, Direction::Action),
                Ask::Compensate(step) => (step, Direction::Compensation),
                Ask::Nothing => break,
            };
            let (verdict, state) = self.ask(&mut run, step, direction).await.split();
            run.in_doubt |= matches!(verdict, Verdict::Unknown(_));
            let circumstances = Circumstances {
                may_retry: run.attempts <= self.definition.retries(step, direction),
                timed_out: run.deadline.has_passed(self.clock.now()),
                in_doubt: run.in_doubt,
                compensate_on_timeout: self.definition.options().compensate_on_timeout,
            };
            match react(shape, &run.snapshot, &verdict, circumstances)? {
                Reaction::Retry => {
                    let operation = self.definition.operation(saga_id, step, direction);
                    let wait = self
                        .definition
                        .options()
                        .backoff
                        .wait(operation, run.attempts);
                    self.clock.pause(wait).await;
                }
                Reaction::Log(written) => self.log(&mut run, written, state).await?,
            }
        }
        if !run.snapshot.status.is_final() && run.snapshot.status != Status::Stuck {
            // Every write ends with something to ask for: this row was not written by us.
            let status = run.snapshot.status;
            return Err(Stopped::Definition(format!(
                "{status:?}, and nothing is asked for"
            )));
        }
        Ok(Finished {
            saga_id,
            status: run.snapshot.status,
            reason: run.reason,
            state: run.state,
        })
    }

    async fn ask(&self, run: &mut Run<S>, step: usize, direction: Direction) -> Answer<S> {
        run.attempts += 1;
        let operation = |direction| self.definition.operation(run.saga_id, step, direction);
        let call = Call {
            saga_id: run.saga_id,
            operation_id: operation(direction),
            undoes: match direction {
                Direction::Action => None,
                Direction::Compensation => Some(operation(Direction::Action)),
            },
            attempt: run.attempts,
            state: Arc::clone(&run.state),
        };
        let mut length = self.definition.attempt_timeout(step);
        if direction == Direction::Action && !run.snapshot.is_behind_pivot(self.definition.shape())
        {
            // No longer than the saga has, but long enough for an answer to come at all.
            let left = run.deadline.left(self.clock.now());
            length = length.min(left.max(length / 4));
        }
        let answering = self.definition.perform(step, direction, call);
        let answer = within(self.clock.patience(length), answering).await;
        answer.unwrap_or(Answer::Unknown(NO_ANSWER))
    }

    /// Durable when it returns: the events, and with them what is to be asked for next.
    async fn log(
        &self,
        run: &mut Run<S>,
        written: Written,
        state: Option<S>,
    ) -> Result<(), Stopped> {
        let reason = written.events.iter().find_map(|event| match event {
            Event::TurnedBack { reason } | Event::Stuck { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        let entries = Entry::number(run.sequence + 1, written.events);
        let write = LogWrite {
            saga_id: run.saga_id,
            epoch: run.epoch,
            after: run.sequence,
            snapshot: written.snapshot,
            state: state.as_ref().map(serde_json::to_string).transpose()?,
            attempts: run.attempts,
            entries,
        };
        self.write(&write).await?;
        run.sequence = write.sequence();
        run.snapshot = write.snapshot;
        run.reason = reason.or(run.reason.take());
        run.attempts = 0;
        run.in_doubt = false;
        if let Some(state) = state {
            run.state = Arc::new(state);
        }
        Ok(())
    }

    /// Repeats one write until its answer is known: a lost connection proves nothing, and the same
    /// write twice is one.
    pub(crate) async fn write(&self, write: &LogWrite) -> Result<(), Stopped> {
        self.store.before_log(write).await?;
        let mut attempts = 0;
        let result = loop {
            let mut results = self.store.write(vec![write.clone()]).await;
            match results
                .pop()
                .unwrap_or_else(|| Err(StoreError("no result".to_owned())))
            {
                Ok(result) => break result,
                Err(error) if attempts >= LOG_RETRIES => return Err(error.into()),
                Err(_) => attempts += 1,
            }
            let operation = self
                .definition
                .operation(write.saga_id, 0, Direction::Action);
            let wait = self.definition.options().backoff.wait(operation, attempts);
            self.clock.pause(wait).await;
        };
        match result {
            WriteResult::Written => Ok(self.store.after_log(write).await?),
            WriteResult::Fenced => Err(Stopped::TakenOver),
            WriteResult::Gone => Err(Stopped::RowGone),
        }
    }
}

/// What an executor knows of the saga it drives.
struct Run<S> {
    saga_id: SagaId,
    epoch: i32,
    snapshot: Snapshot,
    sequence: u32,
    state: Arc<S>,
    reason: Option<Reason>,
    attempts: u32,
    in_doubt: bool,
    deadline: Deadline,
}

/// Until when a saga may be before its pivot. Counted in what has passed, so that it can be as far
/// away as it likes.
struct Deadline {
    began: Instant,
    left: Duration,
}

impl Deadline {
    fn left(&self, now: Instant) -> Duration {
        self.left.saturating_sub(now.duration_since(self.began))
    }

    fn has_passed(&self, now: Instant) -> bool {
        self.left(now).is_zero()
    }
}

//! A saga as its author writes it: steps over one typed state.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::ids::{Direction, OperationId, SagaId};
use crate::machine::Shape;
use crate::options::Options;
use crate::store::NewSaga;

/// What a saga carries from step to step. Kept in its log, so what is in it survives a crash.
pub trait State: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<S: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> State for S {}

/// One request to perform an effect.
#[derive(Debug)]
pub struct Call<S> {
    /// The saga.
    pub saga_id: SagaId,
    /// Under this id the effect happens once. Whoever performs it keeps a [`crate::barrier`].
    pub operation_id: OperationId,
    /// For a compensation: the operation that is undone, or must never happen any more.
    pub undoes: Option<OperationId>,
    /// 1 for the first attempt of this executor.
    pub attempt: u32,
    /// The saga's state.
    pub state: Arc<S>,
}

impl<S> Clone for Call<S> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            ..*self
        }
    }
}

/// The answer to a [`Call`], under way.
pub type Answering<S> = Pin<Box<dyn Future<Output = Answer<S>> + Send>>;

type Effect<S> = Arc<dyn Fn(Call<S>) -> Answering<S> + Send + Sync>;

/// One step: an action, and what undoes it.
pub struct Step<S> {
    pub(crate) name: &'static str,
    action: Effect<S>,
    compensation: Option<Effect<S>>,
    is_pivot: bool,
    retries: Option<u32>,
    attempt_timeout: Option<Duration>,
}

impl<S> Clone for Step<S> {
    fn clone(&self) -> Self {
        Self {
            action: Arc::clone(&self.action),
            compensation: self.compensation.clone(),
            ..*self
        }
    }
}

impl<S: State> Step<S> {
    /// A step with nothing to undo. `name` is part of its operation ids: it never changes.
    pub fn new<F, Fut>(name: &'static str, action: F) -> Self
    where
        F: Fn(Call<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer<S>> + Send + 'static,
    {
        Self {
            name,
            action: effect(action),
            compensation: None,
            is_pivot: false,
            retries: None,
            attempt_timeout: None,
        }
    }

    /// What undoes the action. It is also asked for when nobody knows whether the action has
    /// happened, and then the performer has to refuse the action if it comes late.
    #[must_use]
    pub fn compensate<F, Fut>(mut self, compensation: F) -> Self
    where
        F: Fn(Call<S>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer<S>> + Send + 'static,
    {
        self.compensation = Some(effect(compensation));
        self
    }

    /// After this step the saga only goes forward.
    ///
    /// Its compensation, if it has one, is asked for only while it surely has not happened, so
    /// that the performer refuses it from then on.
    #[must_use]
    pub const fn pivot(mut self) -> Self {
        self.is_pivot = true;
        self
    }

    /// Instead of [`Options::retries`].
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Instead of [`Options::attempt_timeout`].
    #[must_use]
    pub const fn attempt_timeout(mut self, length: Duration) -> Self {
        self.attempt_timeout = Some(length);
        self
    }
}

fn effect<S, F, Fut>(effect: F) -> Effect<S>
where
    F: Fn(Call<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer<S>> + Send + 'static,
{
    Arc::new(move |call| Box::pin(effect(call)))
}

/// The definition cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// There is nothing to do.
    #[error("saga {0} has no steps")]
    Empty(&'static str),
    /// Two steps would share their operation ids.
    #[error("saga {0} has two steps named {1}")]
    SameName(&'static str, &'static str),
    /// There is one point of no return at most.
    #[error("saga {0} has two pivots")]
    TwoPivots(&'static str),
}

/// A saga's steps, in order, and its bounds. Cheap to clone.
pub struct Definition<S> {
    kind: &'static str,
    shape: Shape,
    steps: Arc<[Step<S>]>,
    options: Options,
}

impl<S> Clone for Definition<S> {
    fn clone(&self) -> Self {
        Self {
            steps: Arc::clone(&self.steps),
            ..*self
        }
    }
}

impl<S> fmt::Debug for Definition<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.steps.iter().map(|step| step.name).collect();
        f.debug_struct("Definition")
            .field("kind", &self.kind)
            .field("steps", &names)
            .field("pivot", &self.shape.pivot)
            .finish_non_exhaustive()
    }
}

impl<S: State> Definition<S> {
    /// `kind` is kept with each saga: an executor takes over only its own kind. A definition whose
    /// steps change while sagas of the old one may be open takes another name.
    ///
    /// # Errors
    /// [`DefinitionError`].
    pub fn new(
        kind: &'static str,
        options: Options,
        steps: impl Into<Vec<Step<S>>>,
    ) -> Result<Self, DefinitionError> {
        let steps = steps.into();
        if steps.is_empty() {
            return Err(DefinitionError::Empty(kind));
        }
        for (index, step) in steps.iter().enumerate() {
            if steps[..index].iter().any(|other| other.name == step.name) {
                return Err(DefinitionError::SameName(kind, step.name));
            }
        }
        let pivot = steps.iter().position(|step| step.is_pivot);
        if steps.iter().filter(|step| step.is_pivot).count() > 1 {
            return Err(DefinitionError::TwoPivots(kind));
        }
        let shape = Shape {
            steps: steps.len(),
            pivot,
            pivot_can_be_undone: pivot.is_some_and(|pivot| steps[pivot].compensation.is_some()),
        };
        Ok(Self {
            kind,
            shape,
            steps: steps.into(),
            options,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// What the machine knows of it.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Its bounds.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The names of the steps, in order.
    pub fn step_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.steps.iter().map(|step| step.name)
    }

    /// The saga's first rows, as plain data: for [`crate::SagaStore::begin`], or for a database
    /// transaction of the caller's own, beside the rows of the request that begins it.
    ///
    /// # Errors
    /// When the state cannot be written as JSON.
    pub fn begin(&self, saga_id: SagaId, state: &S) -> Result<NewSaga, serde_json::Error> {
        let state = serde_json::to_string(state)?;
        NewSaga::new(saga_id, self.kind, self.shape, state).map_err(serde::ser::Error::custom)
    }

    /// Steps as `change` makes them; for tests that come between a saga and its performers.
    #[cfg(feature = "testing")]
    #[must_use]
    pub(crate) fn intercept(
        &self,
        options: Options,
        change: impl Fn(usize, Direction, Effect<S>) -> Effect<S>,
    ) -> Self {
        let steps = self.steps.iter().enumerate().map(|(index, step)| Step {
            action: change(index, Direction::Action, Arc::clone(&step.action)),
            compensation: step.compensation.as_ref().map(|compensation| {
                change(index, Direction::Compensation, Arc::clone(compensation))
            }),
            ..step.clone()
        });
        Self {
            steps: steps.collect(),
            options,
            ..*self
        }
    }

    /// Which steps have a compensation.
    #[cfg(feature = "testing")]
    pub(crate) fn undoable(&self) -> Vec<bool> {
        self.steps
            .iter()
            .map(|step| step.compensation.is_some())
            .collect()
    }

    /// The most that any action is asked for again.
    #[cfg(feature = "testing")]
    pub(crate) fn longest_retries(&self) -> u32 {
        (0..self.steps.len())
            .map(|step| self.retries(step, Direction::Action))
            .max()
            .unwrap_or(0)
    }

    pub(crate) fn operation(&self, saga: SagaId, step: usize, direction: Direction) -> OperationId {
        OperationId::new(saga, self.steps[step].name, direction)
    }

    /// How often it may be asked for again.
    pub(crate) fn retries(&self, step: usize, direction: Direction) -> u32 {
        match direction {
            Direction::Action => self.steps[step].retries.unwrap_or(self.options.retries),
            Direction::Compensation => self.options.compensation_retries,
        }
    }

    pub(crate) fn attempt_timeout(&self, step: usize) -> Duration {
        self.steps[step]
            .attempt_timeout
            .unwrap_or(self.options.attempt_timeout)
    }

    pub(crate) fn perform(&self, step: usize, direction: Direction, call: Call<S>) -> Answering<S> {
        match direction {
            Direction::Action => (self.steps[step].action)(call),
            Direction::Compensation => match &self.steps[step].compensation {
                Some(compensation) => compensation(call),
                None => Box::pin(async { Answer::Done }),
            },
        }
    }
}

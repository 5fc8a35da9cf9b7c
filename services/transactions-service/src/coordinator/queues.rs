//! Lists to the database: begin, decide, finish. One database transaction for all that came while the
//! one before was being written.

use std::sync::Arc;

use service_kit::halving::{Part, halve};
use service_kit::lists::{Limits, ListQueue, NoAnswer, Turns};
use sqlx::PgPool;

use super::numbers::Numbers;
use crate::store::begin::{BeginRequest, Begun, Owner};
use crate::store::decisions::{Decided, Finished, NewDecision};
use crate::store::steps::{Step, Stepped, take};

/// Why a step is not known to be done.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StepError {
    /// Not taken: nothing happened.
    #[error("too much is waiting")]
    Full,
    /// Whether it happened is unknown.
    #[error("the database did not answer: {0}")]
    Unknown(String),
}

impl From<NoAnswer> for StepError {
    fn from(error: NoAnswer) -> Self {
        match error {
            NoAnswer::Full => Self::Full,
            NoAnswer::Lost => Self::Unknown(error.to_string()),
        }
    }
}

type Answer<T> = Result<T, StepError>;

/// The durable steps of this process.
pub(crate) struct Queues {
    steps: ListQueue<Arc<Step>, Answer<Stepped>>,
}

/// Up to 1,000 a list: beyond that a list costs more latency than it saves commits. As many at once
/// as this process has lanes for its numbers, where one is stuck.
const LIMITS: Limits = Limits {
    max_items: 1_000,
    max_waiting: 60_000,
    workers: 4,
};

/// Not the answer to this step.
fn mistaken(stepped: Stepped) -> StepError {
    StepError::Unknown(match stepped {
        Stepped::Unknown(error) => error,
        other => format!("{other:?} answers another step"),
    })
}

impl Queues {
    pub(crate) fn new(pool: &PgPool, owner: Owner, numbers: &Numbers) -> Self {
        let (pool, numbers) = (pool.clone(), numbers.clone());
        let steps = ListQueue::in_turns(
            "steps",
            LIMITS,
            &Turns::of(1),
            move |items: Vec<Arc<Step>>| {
                let (pool, numbers) = (pool.clone(), numbers.clone());
                written(items, move |items| {
                    let (pool, numbers) = (pool.clone(), numbers.clone());
                    async move { take_list(&pool, owner, &numbers, &items).await }
                })
            },
        );
        Self { steps }
    }

    async fn take(&self, step: Step) -> Answer<Stepped> {
        self.steps.submit(Arc::new(step)).await?
    }

    /// Durable when it returns `Fresh`: the request's key, transactions and legs.
    pub(crate) async fn begin(&self, request: BeginRequest) -> Answer<Begun> {
        match self.take(Step::Begin(request)).await? {
            Stepped::Begun(begun) => Ok(begun),
            other => Err(mistaken(other)),
        }
    }

    /// Durable when it returns `Written`: the decision.
    pub(crate) async fn decide(&self, decision: NewDecision) -> Answer<Decided> {
        match self.take(Step::Decide(decision)).await? {
            Stepped::Decided(decided) => Ok(decided),
            other => Err(mistaken(other)),
        }
    }

    /// Durable when it returns: that nothing is left to send.
    pub(crate) async fn finish(&self, finished: Finished) -> Answer<()> {
        // The client has its answer: this can wait for the next one's begin.
        let step = Arc::new(Step::Finish(finished));
        match self.steps.submit_at_leisure(step).await?? {
            Stepped::Finished => Ok(()),
            other => Err(mistaken(other)),
        }
    }
}

/// Takes a list of steps with a lane of its own.
async fn take_list(
    pool: &PgPool,
    owner: Owner,
    numbers: &Numbers,
    steps: &[Arc<Step>],
) -> Result<Vec<Stepped>, sqlx::Error> {
    let decided = steps.iter().filter_map(|step| match &**step {
        Step::Decide(decision) => Some(&decision.participants),
        Step::Begin(_) | Step::Finish(_) => None,
    });
    let decided = decided.flatten();
    let touched = if steps.iter().any(|step| matches!(**step, Step::Finish(_))) {
        numbers.touched_and_heard(decided)
    } else {
        numbers.touched(decided)
    };
    let (stepped, told) = take(pool, owner, steps, &touched).await?;
    numbers.committed(&touched, &told.raised);
    if let Some(incarnation) = told.incarnation {
        numbers.noticed(&incarnation);
    }
    Ok(stepped)
}

/// Writes a list; repeats what the database asks to be repeated, halves what one item spoils.
async fn written<T, R, F, Fut>(items: Vec<T>, write: F) -> Vec<Answer<R>>
where
    T: Clone + Send + Sync + 'static,
    R: Send + 'static,
    F: Fn(Vec<T>) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Vec<R>, sqlx::Error>> + Send,
{
    let mut answers = Vec::with_capacity(items.len());
    for (length, part) in halve(&items, write).await {
        match part {
            Part::Done(done) => answers.extend(done.into_iter().map(Ok)),
            Part::Refused(error) | Part::Unknown(error) => {
                let error = StepError::Unknown(error.to_string());
                answers.extend((0..length).map(|_| Err(error.clone())));
            }
        }
    }
    answers
}

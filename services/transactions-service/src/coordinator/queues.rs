//! Lists to the database: begin, decide, finish. Each is one database transaction for all that
//! came while the one before was being written.

use service_kit::halving::{Part, halve};
use service_kit::lists::{Limits, ListQueue, NoAnswer, Turns};
use sqlx::PgPool;

use super::numbers::Numbers;
use crate::store::begin::{BeginRequest, Begun, Owner, begin};
use crate::store::decisions::{Decided, Finished, NewDecision, decide, finish};

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
    begin: ListQueue<BeginRequest, Answer<Begun>>,
    decide: ListQueue<NewDecision, Answer<Decided>>,
    finish: ListQueue<Finished, Answer<()>>,
}

/// Up to 500 a list: beyond that a list costs more latency than it saves commits. All three queues
/// take turns; two lists of each go on beside a list that is stuck.
const LIMITS: Limits = Limits {
    max_items: 500,
    max_waiting: 20_000,
    workers: 2,
};

impl Queues {
    pub(crate) fn new(pool: &PgPool, owner: Owner, numbers: &Numbers) -> Self {
        let turns = Turns::default();
        let lists = |pool: &PgPool| pool.clone();
        let (begin_pool, decide_pool, finish_pool) = (lists(pool), lists(pool), lists(pool));
        let numbers = || numbers.clone();
        let (begin_numbers, decide_numbers, finish_numbers) = (numbers(), numbers(), numbers());
        Self {
            begin: ListQueue::in_turns("begin", LIMITS, &turns, move |items: Vec<BeginRequest>| {
                let (pool, numbers) = (begin_pool.clone(), begin_numbers.clone());
                written(items, move |items| {
                    let (pool, numbers) = (pool.clone(), numbers.clone());
                    async move {
                        let (begun, incarnation) = begin(&pool, owner, &items).await?;
                        if let Some(incarnation) = incarnation {
                            numbers.noticed(&incarnation);
                        }
                        Ok(begun)
                    }
                })
            }),
            decide: ListQueue::in_turns(
                "decide",
                LIMITS,
                &turns,
                move |items: Vec<NewDecision>| {
                    let (pool, numbers) = (decide_pool.clone(), decide_numbers.clone());
                    written(items, move |items| {
                        let (pool, numbers) = (pool.clone(), numbers.clone());
                        async move {
                            let participants = items.iter().flat_map(|item| &item.participants);
                            let touched = numbers.touched(participants);
                            let (decided, raised) = decide(&pool, &items, &touched).await?;
                            numbers.committed(&touched, &raised);
                            Ok(decided)
                        }
                    })
                },
            ),
            finish: ListQueue::in_turns("finish", LIMITS, &turns, move |items: Vec<Finished>| {
                let (pool, numbers) = (finish_pool.clone(), finish_numbers.clone());
                written(items, move |items| {
                    let (pool, numbers) = (pool.clone(), numbers.clone());
                    async move {
                        let touched = numbers.unrecorded();
                        finish(&pool, &items, &touched).await?;
                        numbers.recorded(&touched);
                        Ok(vec![(); items.len()])
                    }
                })
            }),
        }
    }

    /// Durable when it returns `Fresh`: the request's key, transactions and legs.
    pub(crate) async fn begin(&self, request: BeginRequest) -> Answer<Begun> {
        self.begin.submit(request).await?
    }

    /// Durable when it returns `Written`: the decision.
    pub(crate) async fn decide(&self, decision: NewDecision) -> Answer<Decided> {
        self.decide.submit(decision).await?
    }

    /// Durable when it returns: that nothing is left to send.
    pub(crate) async fn finish(&self, finished: Finished) -> Answer<()> {
        self.finish.submit(finished).await?
    }
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

//! One operation through the barrier.

use std::future::Future;

use super::{
    OnAction, OnCompensation, Recorded, after_action, after_compensation, on_action,
    on_compensation,
};
use crate::answer::Answer;
use crate::definition::Call;
use crate::ids::OperationId;

/// The rows of the barrier, seen through one open database transaction.
pub trait BarrierStore: Send {
    /// What reading or writing a row can fail with.
    type Error: Send;

    /// Inserts a row without an outcome where there is none, waiting for whoever is inserting the
    /// same one, and gives what stood there before.
    fn enter(
        &mut self,
        operation: OperationId,
    ) -> impl Future<Output = Result<Option<Recorded>, Self::Error>> + Send;

    /// Gives a row that was entered its outcome.
    fn record(
        &mut self,
        operation: OperationId,
        outcome: Recorded,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What is to be performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    /// An action.
    Action(OperationId),
    /// A compensation.
    Compensation {
        /// Its own id.
        operation: OperationId,
        /// The action it undoes.
        undoes: OperationId,
    },
}

impl<S> From<&Call<S>> for Request {
    fn from(call: &Call<S>) -> Self {
        match call.undoes {
            None => Self::Action(call.operation_id),
            Some(undoes) => Self::Compensation {
                operation: call.operation_id,
                undoes,
            },
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Passed {
    /// The performer's answer.
    pub answer: Answer<()>,
    /// Whether the database transaction is to be committed. Where it is rolled back, no row stays.
    pub commit: bool,
}

/// Performs `effect` if the barrier lets it, and records what came of it.
///
/// Everything happens within the caller's database transaction. It is to be committed if
/// [`Passed::commit`] says so and rolled back otherwise; nothing is durable, and nothing may be
/// answered, before that.
///
/// # Errors
/// Those of the store; roll back, and answer [`Answer::Unknown`].
pub async fn pass<B, F, Fut>(rows: &mut B, request: Request, effect: F) -> Result<Passed, B::Error>
where
    B: BarrierStore,
    F: FnOnce() -> Fut + Send,
    Fut: Future<Output = Answer<()>> + Send,
{
    match request {
        Request::Action(operation) => {
            let found = rows.enter(operation).await?;
            match on_action(found.as_ref()) {
                OnAction::Answer(answer) => Ok(Passed {
                    answer,
                    commit: true,
                }),
                OnAction::Perform => {
                    let answer = effect().await;
                    let outcome = after_action(&answer);
                    let commit = outcome.is_some();
                    if let Some(outcome) = outcome {
                        rows.record(operation, outcome).await?;
                    }
                    Ok(Passed { answer, commit })
                }
            }
        }
        Request::Compensation { operation, undoes } => {
            // The action's row first, always: two that meet wait for each other in one order.
            let action = rows.enter(undoes).await?;
            let compensation = rows.enter(operation).await?;
            let answer = match on_compensation(compensation.as_ref(), action.as_ref()) {
                OnCompensation::Repeated => {
                    return Ok(Passed {
                        answer: Answer::Done,
                        commit: true,
                    });
                }
                OnCompensation::Undo => effect().await,
                OnCompensation::Record => Answer::Done,
                OnCompensation::CloseAndRecord => {
                    rows.record(undoes, Recorded::Closed).await?;
                    Answer::Done
                }
            };
            let outcome = after_compensation(&answer);
            let commit = outcome.is_some();
            if let Some(outcome) = outcome {
                rows.record(operation, outcome).await?;
            }
            Ok(Passed { answer, commit })
        }
    }
}

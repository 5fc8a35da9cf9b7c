//! A transfer as a saga: debit, credit, release; what each asks of whom, and what the answers of
//! several banks come to.
//!
//! The release is the pivot: asking for it is the decision, as "all yes" is for two-phase commit.
//! Until then every step can be undone, because what was credited is reserved and nobody can have
//! spent it.

use std::future::Future;
use std::sync::Arc;

use saga::machine::{Event, Shape};
use saga::store::{LogWrite, NewSaga};
use saga::{Answer, Call, Definition, DefinitionError, Options, Reason, SagaId, Step};
use serde::{Deserialize, Serialize};
use two_phase::message::{Leg, Share};
use two_phase::planted::{Bug, is_planted};
use two_phase::steps::{self, StepAnswer, StepKind};
use types::views::Status;
use types::{Balance, Code, Currency, CustomerId, OperationId, ParticipantId, Text};

use crate::record::NewTransaction;

/// What these sagas are called in the log.
pub(crate) const KIND: &str = "transfer";

/// Its steps, in order.
const STEPS: [StepKind; 3] = [StepKind::Debit, StepKind::Credit, StepKind::Release];
const RELEASE: usize = 2;

/// What the machine knows of it; a test compares it with the definition.
const SHAPE: Shape = Shape {
    steps: STEPS.len(),
    pivot: Some(RELEASE),
    pivot_can_be_undone: false,
};

/// What a transfer carries from step to step: all that its banks have to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    currency: Currency,
    debits_owned_by: Option<CustomerId>,
    descriptions: Vec<Option<Text<200>>>,
    /// In global order.
    parts: Vec<Part>,
}

/// What falls to one bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    participant: ParticipantId,
    net: Balance,
    legs: Vec<Leg>,
}

/// Whoever has a step done at the banks.
pub(crate) trait Perform: Send + Sync + 'static {
    /// Has it done, or undone, and says what came of it.
    fn perform(
        &self,
        step: StepKind,
        call: Call<Transfer>,
    ) -> impl Future<Output = Answer<Transfer>> + Send;
}

/// The saga of transfers over these banks.
pub(crate) fn definition<P: Perform>(
    options: Options,
    banks: &Arc<P>,
) -> Result<Definition<Transfer>, DefinitionError> {
    let step = |kind: StepKind| {
        let effect = || {
            let banks = Arc::clone(banks);
            move |call| {
                let banks = Arc::clone(&banks);
                async move { banks.perform(kind, call).await }
            }
        };
        let step = Step::new(kind.as_str(), effect());
        match kind {
            StepKind::Debit | StepKind::Credit => step.compensate(effect()),
            StepKind::Release => step.pivot(),
        }
    };
    Definition::new(KIND, options, STEPS.map(step))
}

/// The first rows of a transfer's saga; `Err` says in words what is wrong with the transfer.
pub(crate) fn begin(transaction: &NewTransaction) -> Result<NewSaga, String> {
    let shares = transaction.shares().ok_or("sums out of bounds")?;
    let parts = shares.into_iter().map(|share| Part {
        legs: transaction.legs_at(&share.participant),
        participant: share.participant,
        net: share.net,
    });
    let state = Transfer {
        currency: transaction.currency.ok_or("no currency")?,
        debits_owned_by: transaction.debits_owned_by,
        descriptions: transaction.descriptions.clone(),
        parts: parts.collect(),
    };
    let state = serde_json::to_string(&state).map_err(|error| error.to_string())?;
    let saga_id = SagaId::from_uuid(transaction.transaction_id.uuid());
    NewSaga::new(saga_id, KIND, SHAPE, state).map_err(|error| error.to_string())
}

impl Transfer {
    /// Everybody who takes part, in global order.
    pub(crate) fn participants(&self) -> Vec<ParticipantId> {
        self.parts
            .iter()
            .map(|part| part.participant.clone())
            .collect()
    }

    /// What one step asks of each bank.
    pub(crate) fn messages(
        &self,
        step: StepKind,
        call: &Call<Self>,
    ) -> Vec<(ParticipantId, steps::Step)> {
        let shares = self.parts.iter().map(|part| Share {
            participant: part.participant.clone(),
            net: part.net,
        });
        let shares: Vec<_> = shares.collect();
        let takes_part = |part: &&Part| {
            step != StepKind::Debit || part.legs.iter().any(|leg| leg.change.is_debit())
        };
        let parts = self.parts.iter().filter(takes_part);
        parts
            .map(|part| {
                let message = steps::Step {
                    operation_id: OperationId::from(call.operation_id.uuid()),
                    undoes: call.undoes.map(|id| OperationId::from(id.uuid())),
                    transaction_id: call.saga_id.uuid().into(),
                    step,
                    currency: self.currency,
                    legs: part.legs.clone(),
                    shares: shares.clone(),
                    debits_owned_by: self.debits_owned_by,
                    descriptions: self.descriptions.clone(),
                };
                (part.participant.clone(), message)
            })
            .collect()
    }
}

/// What the answers of all banks that were asked come to; `None` is no answer.
///
/// Where one refuses and another does not, part of the step may have happened.
pub(crate) fn together(answers: &[Option<StepAnswer>]) -> Answer<Transfer> {
    let refused = answers.iter().find_map(|answer| match answer {
        Some(StepAnswer::Refused { code }) => Some(Reason::fixed(code.as_str())),
        _ => None,
    });
    if let Some(reason) = refused {
        let is_refused = |answer: &_| matches!(answer, Some(StepAnswer::Refused { .. }));
        return if answers.iter().all(is_refused) || is_planted(Bug::RefusedInPartNotUndone) {
            Answer::Refused(reason)
        } else {
            Answer::RefusedInPart(reason)
        };
    }
    if answers.contains(&None) && !is_planted(Bug::SilentStepIsDone) {
        return Answer::Unknown(saga::executor::NO_ANSWER);
    }
    let not_now = answers.iter().find_map(|answer| match answer {
        Some(StepAnswer::NotNow { code }) => Some(Reason::fixed(code.as_str())),
        _ => None,
    });
    not_now.map_or(Answer::Done, Answer::NotNow)
}

/// What a write of the log means for the transfer: decided, or settled, or both, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Meaning {
    pub(crate) decided: Option<(Status, Option<Code>)>,
    pub(crate) settled: bool,
}

/// Reads a write of the log.
pub(crate) fn meaning(write: &LogWrite) -> Meaning {
    let mut meaning = Meaning::default();
    for entry in &write.entries {
        match &entry.event {
            Event::ActionStarted { step: RELEASE } => {
                meaning.decided = Some((Status::Committed, None));
            }
            Event::TurnedBack { reason } => {
                // A bank's own code; everything else is that there was no answer in time.
                let code = reason.as_str().parse().ok();
                let code = code.unwrap_or(Code::ParticipantUnavailable);
                meaning.decided = Some((Status::Aborted, Some(code)));
            }
            Event::Committed | Event::Compensated => meaning.settled = true,
            _ => {}
        }
    }
    meaning
}

#[cfg(test)]
mod tests;

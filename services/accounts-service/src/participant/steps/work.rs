//! A list of operations on locked rows, in memory: what each is answered, and what is to be written.

use std::collections::{BTreeSet, HashMap};

use saga::barrier::{
    OnAction, OnCompensation, Recorded, after_action, after_compensation, on_action,
    on_compensation,
};
use saga::{Answer, Reason};
use two_phase::planted::{Bug, is_planted};
use two_phase::steps::StepAnswer;
use types::{Code, OperationId, ParticipantId, TransactionId};

use super::booking::book;
use super::judge::{Finding, judge};
use super::operation::{Operation, PartState};
use crate::branch::Content;
use crate::ledger::Book;
use crate::participant::alarm::HazardKind;
use crate::store::hazards::NewHazard;

/// The answer to an action that comes after its saga was given up.
const TOO_LATE: StepAnswer = StepAnswer::Refused {
    code: Code::OperationClosed,
};

/// The answer to what contradicts. It can be asked again once people have looked.
const CONTRADICTED: StepAnswer = StepAnswer::NotNow { code: Code::Hazard };

/// What is known of a saga's part, locked.
#[derive(Debug, Clone, Default)]
pub struct KnownPart {
    /// How far it has come; `None`: there is none.
    pub state: Option<PartState>,
    /// What it carries.
    pub content: Option<Content>,
}

/// What was found of a list, and what becomes of it.
pub struct Work<'a> {
    own: &'a ParticipantId,
    book: Book,
    /// What stood at the barrier before, and what stands there now.
    recorded: HashMap<OperationId, Recorded>,
    parts: HashMap<TransactionId, KnownPart>,
    /// Of these nobody writes anything: whoever finished them may have deleted it.
    forgotten: BTreeSet<TransactionId>,
    hazards: Vec<NewHazard>,
}

/// What is to be written of a list.
pub struct Written {
    /// Accounts and entries.
    pub book: Book,
    /// What stands at the barrier.
    pub recorded: HashMap<OperationId, Recorded>,
    /// The parts as they are now.
    pub parts: HashMap<TransactionId, KnownPart>,
    /// What contradicts.
    pub hazards: Vec<NewHazard>,
}

impl<'a> Work<'a> {
    /// Nothing of the list is done yet.
    #[must_use]
    pub const fn new(
        own: &'a ParticipantId,
        book: Book,
        recorded: HashMap<OperationId, Recorded>,
        parts: HashMap<TransactionId, KnownPart>,
        forgotten: BTreeSet<TransactionId>,
    ) -> Self {
        Self {
            own,
            book,
            recorded,
            parts,
            forgotten,
            hazards: Vec::new(),
        }
    }

    /// What is to be written.
    #[must_use]
    pub fn finish(self) -> Written {
        Written {
            book: self.book,
            recorded: self.recorded,
            parts: self.parts,
            hazards: self.hazards,
        }
    }

    /// Performs one operation, or says why not.
    pub fn perform(&mut self, operation: &Operation) -> StepAnswer {
        if self.contradicts(operation) {
            return self.contradiction(operation, "it came with other content");
        }
        match operation.undoes {
            None => self.act(operation),
            Some(action) => self.compensate(operation, action),
        }
    }

    /// Whether the transaction is known here with other content.
    fn contradicts(&self, operation: &Operation) -> bool {
        let part = self.parts.get(&operation.transaction_id);
        let content = part.and_then(|part| part.content.as_ref());
        content.is_some_and(|content| *content != operation.content)
    }

    fn act(&mut self, operation: &Operation) -> StepAnswer {
        match on_action(self.recorded.get(&operation.id)) {
            OnAction::Answer(Answer::Done | Answer::DoneWith(())) => StepAnswer::Done,
            OnAction::Answer(Answer::Refused(reason)) => StepAnswer::Refused {
                code: reason.as_str().parse().unwrap_or(Code::OperationClosed),
            },
            OnAction::Answer(Answer::RefusedInPart(_) | Answer::NotNow(_) | Answer::Unknown(_)) => {
                CONTRADICTED
            }
            OnAction::Perform if self.forgotten.contains(&operation.transaction_id) => TOO_LATE,
            OnAction::Perform => {
                let answer = self.take_effect(operation);
                self.record(operation.id, after_action(&as_answer(answer)));
                answer
            }
        }
    }

    fn compensate(&mut self, operation: &Operation, action: OperationId) -> StepAnswer {
        let recorded = (self.recorded.get(&operation.id), self.recorded.get(&action));
        match on_compensation(recorded.0, recorded.1) {
            OnCompensation::Repeated => StepAnswer::Done,
            // Nothing of it can be here, and a late action will be refused for its age.
            OnCompensation::CloseAndRecord
                if self.forgotten.contains(&operation.transaction_id) =>
            {
                StepAnswer::Done
            }
            OnCompensation::Record | OnCompensation::CloseAndRecord
                if operation.defect(self.own) == Some(Code::ProtocolViolation) =>
            {
                self.contradiction(operation, "nothing undoes a release")
            }
            OnCompensation::Record => {
                self.record(operation.id, Some(Recorded::Done));
                StepAnswer::Done
            }
            OnCompensation::CloseAndRecord => {
                let closed = (!is_planted(Bug::LateStepPerformed)).then_some(Recorded::Closed);
                self.record(action, closed);
                self.record(operation.id, Some(Recorded::Done));
                StepAnswer::Done
            }
            OnCompensation::Undo => {
                let answer = self.take_effect(operation);
                self.record(operation.id, after_compensation(&as_answer(answer)));
                answer
            }
        }
    }

    fn record(&mut self, id: OperationId, recorded: Option<Recorded>) {
        self.recorded
            .extend(recorded.map(|recorded| (id, recorded)));
    }

    /// Books an operation that the barrier has let through, where that is possible.
    fn take_effect(&mut self, operation: &Operation) -> StepAnswer {
        let part = self.parts.get(&operation.transaction_id);
        let state = part.and_then(|part| part.state);
        let next = match judge(operation, state, self.book.accounts(), self.own) {
            Finding::Perform(next) => next,
            Finding::Answer(answer) => return answer,
            Finding::Contradiction => {
                let state = state.map_or("none", PartState::as_str);
                return self.contradiction(operation, &format!("its part here is {state}"));
            }
        };
        if let Err(problem) = book(&mut self.book, operation, self.own) {
            return self.contradiction(operation, &problem.to_string());
        }
        let known = KnownPart {
            state: Some(next),
            content: Some(operation.content.clone()),
        };
        self.parts.insert(operation.transaction_id, known);
        StepAnswer::Done
    }

    fn contradiction(&mut self, operation: &Operation, what: &str) -> StepAnswer {
        let (step, direction) = (operation.step.as_str(), operation.direction().as_str());
        let detail = format!("{direction} of {step}: {what}");
        let hazard = HazardKind::StepContradiction.of(operation.transaction_id, Some(detail));
        self.hazards.push(hazard);
        CONTRADICTED
    }
}

/// The answer as the barrier knows it.
fn as_answer(answer: StepAnswer) -> Answer<()> {
    match answer {
        StepAnswer::Done => Answer::Done,
        StepAnswer::Refused { code } => Answer::Refused(Reason::fixed(code.as_str())),
        StepAnswer::NotNow { code } => Answer::NotNow(Reason::fixed(code.as_str())),
    }
}

#[cfg(test)]
#[path = "work/tests.rs"]
mod tests;

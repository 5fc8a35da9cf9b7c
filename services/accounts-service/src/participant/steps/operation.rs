//! One operation of a saga as plain data, and what its part at this bank goes through.

use std::fmt;
use std::str::FromStr;

use saga::Direction;
use two_phase::message::Leg;
use two_phase::steps::{Step, StepKind};
use types::{Balance, Code, OperationId, ParticipantId, TransactionId};

use crate::branch::Content;

/// One step of one saga, forward or back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Under which it happens once.
    pub id: OperationId,
    /// The operation that it undoes; `None`: it is an action.
    pub undoes: Option<OperationId>,
    /// The transfer.
    pub transaction_id: TransactionId,
    /// Which step.
    pub step: StepKind,
    /// What falls to this bank of the transfer.
    pub content: Content,
}

impl From<Step> for Operation {
    fn from(step: Step) -> Self {
        Self {
            id: step.operation_id,
            undoes: step.undoes,
            transaction_id: step.transaction_id,
            step: step.step,
            content: Content::new(
                step.currency,
                step.legs,
                step.debits_owned_by,
                step.shares,
                step.descriptions,
            ),
        }
    }
}

impl Operation {
    /// Forward or back.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self.undoes {
            None => Direction::Action,
            Some(_) => Direction::Compensation,
        }
    }

    /// Why nobody may ask for this, if so: nothing undoes a release, an operation does not undo
    /// itself, and the legs have to be a part of a balanced transfer.
    #[must_use]
    pub fn defect(&self, own: &ParticipantId) -> Option<Code> {
        let undoes_release = self.step == StepKind::Release && self.undoes.is_some();
        if undoes_release || self.undoes == Some(self.id) {
            return Some(Code::ProtocolViolation);
        }
        self.content.defect(own)
    }
}

/// The legs that take money from accounts here.
pub fn debits(content: &Content) -> impl Iterator<Item = &Leg> {
    content.legs.iter().filter(|leg| leg.change.is_debit())
}

/// The legs that give money to accounts here.
pub fn credits(content: &Content) -> impl Iterator<Item = &Leg> {
    content.legs.iter().filter(|leg| !leg.change.is_debit())
}

/// What this bank's debits have in transit once they are done; `None` when it no longer fits.
#[must_use]
pub fn in_transit(content: &Content) -> Option<Balance> {
    Balance::ZERO.minus(Balance::sum(debits(content).map(|leg| leg.change))?)
}

/// How far the steps of a saga have come at this bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartState {
    /// The debits are booked, their money is in transit.
    Debited,
    /// The credits are booked too, and reserved.
    Credited,
    /// The credits are free: over.
    Released,
    /// All that was booked is booked back: over.
    Undone,
}

impl PartState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Debited, Self::Credited, Self::Released, Self::Undone];

    /// The state as it stands in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debited => "DEBITED",
            Self::Credited => "CREDITED",
            Self::Released => "RELEASED",
            Self::Undone => "UNDONE",
        }
    }
}

impl fmt::Display for PartState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no state of a part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of a saga's part")]
pub struct UnknownPartState;

impl FromStr for PartState {
    type Err = UnknownPartState;

    fn from_str(text: &str) -> Result<Self, UnknownPartState> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text)
            .ok_or(UnknownPartState)
    }
}

/// What a part becomes; `None`: the operation contradicts what is known here.
///
/// A bank that only receives is not asked to debit, so its part begins with the credit. Where it was
/// asked all the same it has debited nothing, and that is undone without effect.
#[must_use]
pub const fn next(
    part: Option<PartState>,
    step: StepKind,
    direction: Direction,
    has_debits: bool,
) -> Option<PartState> {
    use PartState::{Credited, Debited, Released, Undone};
    match (direction, step, part) {
        (Direction::Action, StepKind::Debit, None) => Some(Debited),
        (Direction::Action, StepKind::Credit, None) if !has_debits => Some(Credited),
        (Direction::Action, StepKind::Credit, Some(Debited)) => Some(Credited),
        (Direction::Action, StepKind::Release, Some(Credited)) => Some(Released),
        (Direction::Compensation, StepKind::Credit, Some(Credited)) if has_debits => Some(Debited),
        (Direction::Compensation, StepKind::Credit, Some(Credited))
        | (Direction::Compensation, StepKind::Debit, Some(Debited)) => Some(Undone),
        (Direction::Compensation, StepKind::Debit, Some(Undone)) if !has_debits => Some(Undone),
        _ => None,
    }
}

/// Operations for the tables of tests.
#[cfg(test)]
pub mod samples {
    use saga::{OperationId as Named, SagaId};
    use uuid::Uuid;

    use super::*;

    /// The id of a step of saga 7, as its executor would name it.
    pub fn id(step: StepKind, direction: Direction) -> OperationId {
        let saga = SagaId::from_uuid(Uuid::from_u128(7));
        OperationId::from_uuid(Named::new(saga, step.as_str(), direction).uuid())
    }

    /// A step of saga 7.
    pub fn action(step: StepKind, content: Content) -> Operation {
        Operation {
            id: id(step, Direction::Action),
            undoes: None,
            transaction_id: TransactionId::from_uuid(Uuid::from_u128(7)),
            step,
            content,
        }
    }

    /// What undoes a step of saga 7.
    pub fn undoing(step: StepKind, content: Content) -> Operation {
        Operation {
            id: id(step, Direction::Compensation),
            undoes: Some(id(step, Direction::Action)),
            ..action(step, content)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_only_where_the_table_says() {
        use Direction::{Action, Compensation};
        use PartState::{Credited, Debited, Released, Undone};
        use StepKind::{Credit, Debit, Release};
        let lines = [
            (None, Debit, Action, true, Debited),
            (None, Debit, Action, false, Debited),
            (None, Credit, Action, false, Credited),
            (Some(Debited), Credit, Action, true, Credited),
            (Some(Debited), Credit, Action, false, Credited),
            (Some(Credited), Release, Action, true, Released),
            (Some(Credited), Release, Action, false, Released),
            (Some(Credited), Credit, Compensation, true, Debited),
            (Some(Credited), Credit, Compensation, false, Undone),
            (Some(Debited), Debit, Compensation, true, Undone),
            (Some(Debited), Debit, Compensation, false, Undone),
            (Some(Undone), Debit, Compensation, false, Undone),
        ];
        for part in [None].into_iter().chain(PartState::ALL.map(Some)) {
            for step in [Debit, Credit, Release] {
                for direction in [Action, Compensation] {
                    for has_debits in [true, false] {
                        let cell = (part, step, direction, has_debits);
                        let line = lines
                            .iter()
                            .find(|line| (line.0, line.1, line.2, line.3) == cell);
                        let expected = line.map(|line| line.4);
                        let found = next(part, step, direction, has_debits);
                        assert_eq!(found, expected, "{cell:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_state_is_read_as_it_is_written() {
        for state in PartState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("OPEN".parse::<PartState>().is_err());
    }
}

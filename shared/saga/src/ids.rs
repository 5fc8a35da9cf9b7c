//! Names of sagas and of what they ask for.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One run of a saga. A saga that is a transfer carries the transfer's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SagaId(Uuid);

/// One effect at a performer: this step of this saga, forward or back. Repeated under its id, it
/// happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(Uuid);

/// Forward or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The step's effect.
    Action,
    /// What undoes it.
    Compensation,
}

impl Direction {
    /// The direction as it stands in a database and in an operation's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Compensation => "compensation",
        }
    }
}

impl SagaId {
    /// A new id. UUIDv7 (RFC 9562): later ids sort after earlier ones.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl OperationId {
    /// The operation of a step, the same in every process and after every restart: UUIDv5
    /// (RFC 9562) of the step's name and the direction, in the saga's own namespace.
    ///
    /// The name and not the position, so that a step keeps its operations when a later version of
    /// a definition puts another one before it.
    #[must_use]
    pub fn new(saga: SagaId, step: &str, direction: Direction) -> Self {
        let name = format!("{step}:{}", direction.as_str());
        Self(Uuid::new_v5(&saga.0, name.as_bytes()))
    }
}

macro_rules! wraps_a_uuid {
    ($($name:ident)+) => {$(
        impl $name {
            /// Wraps a UUID from a trusted place, such as our own database.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

wraps_a_uuid!(SagaId OperationId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_the_same_id_in_every_process() {
        let saga = SagaId::from_uuid(Uuid::from_u128(7));
        let debit = OperationId::new(saga, "debit", Direction::Action);
        assert_eq!(debit, OperationId::new(saga, "debit", Direction::Action));
        // Written down: a performer keeps these for as long as it keeps its barrier.
        assert_eq!(debit.to_string(), "84cabc19-145c-50bd-a142-96e3c853f441");
    }

    #[test]
    fn step_direction_and_saga_each_make_another_operation() {
        let sagas = [1, 2].map(|id| SagaId::from_uuid(Uuid::from_u128(id)));
        let mut ids = std::collections::BTreeSet::new();
        for saga in sagas {
            for step in ["debit", "credit"] {
                for direction in [Direction::Action, Direction::Compensation] {
                    ids.insert(OperationId::new(saga, step, direction));
                }
            }
        }
        assert_eq!(ids.len(), 8);
    }
}

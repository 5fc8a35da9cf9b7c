//! What crosses the wire between an orchestrator of sagas and the participants that perform a
//! transfer's steps: lists, always, as in [`crate::message`].
//!
//! | step | does at one participant |
//! |---|---|
//! | debit | takes the money from the debited accounts; it is in transit |
//! | credit | gives it to the credited accounts, reserved: nobody can spend it yet |
//! | release | the reservation ends. The pivot: never refused, and nothing undoes it |

use serde::{Deserialize, Serialize};
use types::{Code, Currency, CustomerId, OperationId, ParticipantId, Text, TransactionId};

use crate::message::{Leg, Numbers, Share};

/// Which step of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// From the debited accounts into transit.
    Debit,
    /// From transit to the credited accounts, reserved.
    Credit,
    /// The reservation ends.
    Release,
}

impl StepKind {
    /// The step's name, on the wire and in a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
            Self::Release => "release",
        }
    }
}

/// One step of one transfer at one participant, forward or back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Under which it happens once at each participant, however often it is asked for.
    pub operation_id: OperationId,
    /// The operation that this one undoes; `None`: this is the step's action.
    pub undoes: Option<OperationId>,
    /// The transfer; its saga has the same id.
    pub transaction_id: TransactionId,
    /// Which step.
    pub step: StepKind,
    /// The one currency of all legs.
    pub currency: Currency,
    /// All legs at this participant, the same in every step: each looks at those it moves.
    pub legs: Vec<Leg>,
    /// All participants in global order, with their part.
    pub shares: Vec<Share>,
    /// Whose accounts may be debited; `None` when the caller may debit any.
    pub debits_owned_by: Option<CustomerId>,
    /// For the statements, by transfer index.
    pub descriptions: Vec<Option<Text<200>>>,
}

/// A list of steps for one participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepList {
    /// Whom it is for.
    pub participant: ParticipantId,
    /// What to perform.
    pub items: Vec<Step>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

/// What a participant says to one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum StepAnswer {
    /// It has happened, now or earlier, durably.
    Done,
    /// It has not happened here and never will under this operation, durably.
    Refused {
        /// Why.
        code: Code,
    },
    /// This attempt had no effect and left nothing behind: ask again.
    NotNow {
        /// Why.
        code: Code,
    },
}

/// One answer of a [`StepReply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepItem {
    /// About which operation.
    pub operation_id: OperationId,
    /// What became of it.
    #[serde(flatten)]
    pub answer: StepAnswer,
}

/// The answer to a [`StepList`], in its order. Of an operation that is missing here nothing is
/// known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReply {
    /// Who answers.
    pub participant: ParticipantId,
    /// One answer each.
    pub items: Vec<StepItem>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_its_operation_beside_what_became_of_it() {
        let operation_id = "660e8400-e29b-41d4-a716-446655440001"
            .parse()
            .expect("an id");
        for (answer, text) in [
            (StepAnswer::Done, r#""answer":"done""#),
            (
                StepAnswer::Refused {
                    code: Code::InsufficientFunds,
                },
                r#""answer":"refused","code":"insufficient_funds""#,
            ),
            (
                StepAnswer::NotNow {
                    code: Code::AccountLocked,
                },
                r#""answer":"not_now","code":"account_locked""#,
            ),
        ] {
            let item = StepItem {
                operation_id,
                answer,
            };
            let expected = format!(r#"{{"operation_id":"{operation_id}",{text}}}"#);
            let sent = serde_json::to_string(&item).expect("JSON");
            assert_eq!(sent, expected);
            let read: StepItem = serde_json::from_str(&sent).expect("the same");
            assert_eq!(read, item);
        }
    }
}

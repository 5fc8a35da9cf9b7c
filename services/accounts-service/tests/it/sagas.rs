//! Transfers by saga: the messages, and what stands on the accounts.

use saga::{Direction, OperationId as Named, SagaId};
use serde_json::Value;
use two_phase::message::Prepare;
use two_phase::steps::{Step, StepAnswer, StepKind, StepList};
use types::{Code, OperationId};

use crate::bank::Bank;

pub use StepKind::{Credit, Debit, Release};

pub const DONE: StepAnswer = StepAnswer::Done;

pub fn refused(code: Code) -> StepAnswer {
    StepAnswer::Refused { code }
}

pub const fn not_now(code: Code) -> StepAnswer {
    StepAnswer::NotNow { code }
}

/// One transfer by saga, as far as it falls to one bank.
#[derive(Debug, Clone)]
pub struct Saga(pub Prepare);

impl Saga {
    fn id(&self, step: StepKind, direction: Direction) -> OperationId {
        let saga = SagaId::from_uuid(self.0.transaction_id.uuid());
        OperationId::from_uuid(Named::new(saga, step.as_str(), direction).uuid())
    }

    /// The step's action.
    pub fn step(&self, step: StepKind) -> Step {
        let part = self.0.clone();
        Step {
            operation_id: self.id(step, Direction::Action),
            undoes: None,
            transaction_id: part.transaction_id,
            step,
            currency: part.currency,
            legs: part.legs,
            shares: part.shares,
            debits_owned_by: part.debits_owned_by,
            descriptions: part.descriptions,
        }
    }

    /// What undoes it.
    pub fn undo(&self, step: StepKind) -> Step {
        Step {
            operation_id: self.id(step, Direction::Compensation),
            undoes: Some(self.id(step, Direction::Action)),
            ..self.step(step)
        }
    }

    /// Debit, credit, release.
    pub fn steps(&self) -> [Step; 3] {
        [Debit, Credit, Release].map(|step| self.step(step))
    }
}

/// What goes over the wire.
pub fn list(bank: &Bank, items: Vec<Step>) -> Value {
    let list = StepList {
        participant: bank.participant.name().clone(),
        items,
        numbers: None,
    };
    serde_json::to_value(list).expect("JSON")
}

impl Bank {
    /// Performs one step.
    pub async fn perform(&self, step: Step) -> StepAnswer {
        let answers = self.participant.perform(vec![step]).await;
        answers[0].expect("an answer")
    }

    /// Balance, what is reserved of it, what is available, and the version of an account.
    pub async fn reserved(&self, id: &str) -> (String, String, String, i64) {
        let account: uuid::Uuid = id.parse().expect("an id");
        let (reserved, version): (rust_decimal::Decimal, i64) =
            sqlx::query_as("SELECT reserved_credits, version FROM accounts WHERE account_id = $1")
                .bind(account)
                .fetch_one(&self.pool)
                .await
                .expect("the account");
        let reply = self.teller().get(&format!("/accounts/{id}")).await;
        (
            reply.text("balance"),
            format!("{reserved:.2}"),
            reply.text("available_balance"),
            version,
        )
    }

    /// What is in transit in US dollars.
    pub async fn in_transit(&self) -> i64 {
        let query = "SELECT coalesce(sum(balance), 0)::bigint FROM accounts
                     WHERE purpose = 'in_transit:USD'";
        self.count(query).await
    }
}

/// What [`Bank::reserved`] looks like.
pub fn stands(
    balance: &str,
    reserved: &str,
    available: &str,
    version: i64,
) -> (String, String, String, i64) {
    (
        balance.to_owned(),
        reserved.to_owned(),
        available.to_owned(),
        version,
    )
}

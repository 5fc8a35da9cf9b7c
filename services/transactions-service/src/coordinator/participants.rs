//! Lists to and from the participants.
//!
//! Whatever is not a well-formed answer of the very participant that was asked is `None`: unknown,
//! to be asked again. A missing item of an answer is a missing vote, never a yes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::client::{CallError, ServiceClient};
use service_kit::lists::{Limits, ListQueue, Turns};
use tokio::time::Instant;
use two_phase::BranchState;
use two_phase::message::{Acknowledgement, Outcome, Prepare, Vote};
use two_phase::messages::{Answer, Message};
use two_phase::planted::{Bug, is_planted};
use two_phase::steps::{Step, StepAnswer};
use types::{
    AccountId, Code, Currency, CustomerId, LoginId, ParticipantId, ResolutionId, TransactionId,
};

use super::lines::{Line, no_answer, send};
use super::numbers::Numbers;
use super::questions::Question;
use crate::store::directory::Location;

/// Lists on their way to one participant, each short enough for one request body; several at once
/// where one is not answered soon.
const LIMITS: Limits = Limits {
    max_items: 500,
    max_waiting: 20_000,
    workers: 4,
};

/// Why the last list that was not answered was not, for operators.
pub(super) type LastError = Arc<Mutex<Option<String>>>;

/// All banks.
#[derive(Clone)]
pub(crate) struct Participants(Arc<BTreeMap<ParticipantId, Bank>>);

struct Bank {
    client: ServiceClient,
    last_error: LastError,
    messages: ListQueue<Message, Option<Answer>>,
    steps: ListQueue<Step, Option<StepAnswer>>,
}

impl Participants {
    pub(crate) fn new(clients: Vec<(ParticipantId, ServiceClient)>, numbers: &Numbers) -> Self {
        let bank = |(participant, client): (ParticipantId, ServiceClient)| {
            let bank = Bank::new(&participant, client, numbers);
            (participant, bank)
        };
        Self(Arc::new(clients.into_iter().map(bank).collect()))
    }

    /// A client of one bank; `None` when there is no such bank.
    pub(super) fn client(&self, participant: &ParticipantId) -> Option<&ServiceClient> {
        self.0.get(participant).map(|bank| &bank.client)
    }

    /// Why the last list that this bank did not answer was not answered.
    pub(crate) fn last_error(&self, participant: &ParticipantId) -> Option<String> {
        let bank = self.0.get(participant)?;
        let error = bank.last_error.lock();
        error.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &ParticipantId> {
        self.0.keys()
    }

    /// Asks for a promise; `None` when there was no answer in time.
    pub(crate) async fn prepare(
        &self,
        participant: &ParticipantId,
        prepare: Prepare,
        until: Instant,
    ) -> Option<Vote> {
        let bank = self.0.get(participant)?;
        let answer = bank.messages.submit(Message::Prepare(prepare));
        match tokio::time::timeout_at(until, answer).await.ok()?.ok()?? {
            Answer::Vote(vote) => Some(vote),
            Answer::Acknowledgement(_) => None,
        }
    }

    /// Asks for a step of a saga, which must be in its log; `None` when there was no answer.
    pub(crate) async fn step(&self, participant: &ParticipantId, step: Step) -> Option<StepAnswer> {
        let bank = self.0.get(participant)?;
        bank.steps.submit(step).await.ok()?
    }

    /// Tells the decision, which must be durable; `None` when there was no answer.
    pub(crate) async fn decide(
        &self,
        participant: &ParticipantId,
        outcome: Outcome,
        id: TransactionId,
    ) -> Option<Acknowledgement> {
        let bank = self.0.get(participant)?;
        match bank
            .messages
            .submit(Message::Decide(id, outcome))
            .await
            .ok()?
        {
            Some(Answer::Acknowledgement(acknowledgement)) => Some(acknowledgement),
            Some(Answer::Vote(_)) => None,
            None => is_planted(Bug::SilenceAcknowledges).then_some(Acknowledgement::Done),
        }
    }

    /// Which of these accounts a bank keeps; `None` when it did not answer.
    pub(crate) async fn find_accounts(
        &self,
        participant: &ParticipantId,
        accounts: &[AccountId],
    ) -> Option<Vec<Location>> {
        let asked = AccountList {
            participant: participant.clone(),
            items: accounts.to_vec(),
        };
        let reply: AccountReply = self.ask(participant, "/internal/accounts", &asked).await?;
        let locations = reply
            .items
            .into_iter()
            .filter(|item| accounts.contains(&item.account_id));
        Some(
            locations
                .map(|item| Location {
                    account_id: item.account_id,
                    participant: participant.clone(),
                    customer_id: item.customer_id,
                    currency: item.currency,
                })
                .collect(),
        )
    }

    /// Forces the outcome of one branch; the state it has then.
    pub(crate) async fn force(
        &self,
        participant: &ParticipantId,
        forced: Forced,
    ) -> Result<BranchState, Problem> {
        let no_answer = |detail: String| Problem::new(Code::ParticipantUnavailable).detail(detail);
        let bank = self
            .0
            .get(participant)
            .ok_or_else(|| no_answer(format!("There is no bank {participant}.")))?;
        let request = ForceRequest {
            participant: participant.clone(),
            forced,
        };
        let answer: Result<ForceReply, _> =
            bank.client.post("/internal/branches/force", &request).await;
        match answer {
            Ok(reply) => Ok(reply.state),
            Err(CallError::Refused { code, detail, .. }) => Err(Problem::new(code).detail(detail)),
            Err(CallError::Unknown(detail)) => Err(no_answer(detail)),
        }
    }

    /// Whether a bank answers at all.
    pub(crate) async fn is_reachable(&self, participant: &ParticipantId) -> bool {
        match self.0.get(participant) {
            Some(bank) => bank
                .client
                .get::<serde_json::Value>("/health")
                .await
                .is_ok(),
            None => false,
        }
    }

    async fn ask<B, T>(&self, participant: &ParticipantId, path: &str, body: &B) -> Option<T>
    where
        B: Serialize,
        T: serde::de::DeserializeOwned,
    {
        ask(&self.0.get(participant)?.client, path, body).await
    }
}

impl Bank {
    fn new(participant: &ParticipantId, client: ServiceClient, numbers: &Numbers) -> Self {
        let line = Line {
            client: client.clone(),
            participant: participant.clone(),
            numbers: numbers.clone(),
            last_error: LastError::default(),
        };
        let last_error = Arc::clone(&line.last_error);
        Self {
            messages: lists("messages", &line),
            steps: lists("steps", &line),
            client,
            last_error,
        }
    }
}

fn lists<Q: Question>(name: &'static str, line: &Line) -> ListQueue<Q, Option<Q::Answer>> {
    let line = line.clone();
    ListQueue::in_turns(name, LIMITS, &Turns::of(1), move |items: Vec<Q>| {
        send(line.clone(), items)
    })
}

async fn ask<B, T>(client: &ServiceClient, path: &str, body: &B) -> Option<T>
where
    B: Serialize,
    T: serde::de::DeserializeOwned,
{
    let answer = client.post(path, body).await;
    answer
        .inspect_err(|error| no_answer(client, path, error))
        .ok()
}

#[derive(Serialize)]
struct AccountList {
    participant: ParticipantId,
    items: Vec<AccountId>,
}

#[derive(Deserialize)]
struct AccountReply {
    items: Vec<FoundAccount>,
}

#[derive(Deserialize)]
struct FoundAccount {
    account_id: AccountId,
    customer_id: Option<CustomerId>,
    currency: Currency,
}

/// What an operator forces on one branch, on what evidence.
#[derive(Debug, Serialize)]
pub(crate) struct Forced {
    pub(crate) transaction_id: TransactionId,
    pub(crate) outcome: Outcome,
    pub(crate) expected_state: Option<BranchState>,
    pub(crate) resolution_id: ResolutionId,
    pub(crate) proposed_by: LoginId,
    pub(crate) confirmed_by: LoginId,
    pub(crate) reason: String,
    pub(crate) evidence: String,
}

#[derive(Serialize)]
struct ForceRequest {
    participant: ParticipantId,
    #[serde(flatten)]
    forced: Forced,
}

#[derive(Deserialize)]
struct ForceReply {
    state: BranchState,
}

//! Lists to and from the participants.
//!
//! Whatever is not a well-formed answer of the very participant that was asked is `None`: unknown,
//! to be asked again. A missing item of an answer is a missing vote, never a yes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use service_kit::Problem;
use service_kit::auth::Signer;
use service_kit::client::{CallError, ServiceClient};
use service_kit::lists::{Limits, ListQueue};
use tokio::time::Instant;
use two_phase::BranchState;
use two_phase::message::{
    Acknowledgement, AcknowledgementList, DecisionList, Outcome, Prepare, PrepareList, Vote,
    VoteList,
};
use two_phase::planted::{Bug, is_planted};
use types::{
    AccountId, Code, Currency, CustomerId, LoginId, ParticipantId, ResolutionId, TransactionId,
};

use crate::store::directory::Location;

/// Lists on their way to one participant: several at once, because they do not wait for each
/// other's row locks for long; each short enough for one request body.
const LIMITS: Limits = Limits {
    max_items: 500,
    max_waiting: 20_000,
    workers: 4,
};

/// Why the last decision that was not answered was not, for operators.
type LastError = Arc<Mutex<Option<String>>>;

/// All banks.
#[derive(Clone)]
pub(crate) struct Participants(Arc<BTreeMap<ParticipantId, Bank>>);

struct Bank {
    client: ServiceClient,
    last_error: LastError,
    prepare: ListQueue<Prepare, Option<Vote>>,
    commit: ListQueue<TransactionId, Option<Acknowledgement>>,
    abort: ListQueue<TransactionId, Option<Acknowledgement>>,
}

impl Participants {
    pub(crate) fn new(
        banks: &[(ParticipantId, String)],
        signer: &Signer,
        call_timeout: Duration,
    ) -> Self {
        let bank = |(participant, url): &(ParticipantId, String)| {
            let name = participant.as_str();
            let client = ServiceClient::new(name, url, name, signer.clone(), call_timeout);
            (participant.clone(), Bank::new(participant, client))
        };
        Self(Arc::new(banks.iter().map(bank).collect()))
    }

    /// A client of one bank; `None` when there is no such bank.
    pub(super) fn client(&self, participant: &ParticipantId) -> Option<&ServiceClient> {
        self.0.get(participant).map(|bank| &bank.client)
    }

    /// Why the last decision that this bank did not answer was not answered.
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
        let answer = tokio::time::timeout_at(until, bank.prepare.submit(prepare));
        answer.await.ok()?.ok()?
    }

    /// Tells the decision, which must be durable; `None` when there was no answer.
    pub(crate) async fn decide(
        &self,
        participant: &ParticipantId,
        outcome: Outcome,
        id: TransactionId,
    ) -> Option<Acknowledgement> {
        let bank = self.0.get(participant)?;
        let queue = match outcome {
            Outcome::Commit => &bank.commit,
            Outcome::Abort => &bank.abort,
        };
        let answer = queue.submit(id).await.ok()?;
        answer.or_else(|| is_planted(Bug::SilenceAcknowledges).then_some(Acknowledgement::Done))
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
    fn new(participant: &ParticipantId, client: ServiceClient) -> Self {
        let prepare = {
            let (client, participant) = (client.clone(), participant.clone());
            ListQueue::new("prepare", LIMITS, move |items: Vec<Prepare>| {
                send_prepares(client.clone(), participant.clone(), items)
            })
        };
        let last_error = LastError::default();
        let decisions = |name: &'static str, path: &'static str| {
            let (client, participant) = (client.clone(), participant.clone());
            let last_error = Arc::clone(&last_error);
            ListQueue::new(name, LIMITS, move |items: Vec<TransactionId>| {
                let last_error = Arc::clone(&last_error);
                send_decisions(client.clone(), participant.clone(), path, items, last_error)
            })
        };
        Self {
            prepare,
            commit: decisions("commit", "/internal/commit"),
            abort: decisions("abort", "/internal/abort"),
            client,
            last_error,
        }
    }
}

/// Sends a list in as many bodies as it takes: a few linked batches of 1,000 transfers each are
/// more than one body may hold.
async fn send_prepares(
    client: ServiceClient,
    participant: ParticipantId,
    items: Vec<Prepare>,
) -> Vec<Option<Vote>> {
    let bodies = bodies(items)
        .into_iter()
        .map(|items| send_body(&client, &participant, items));
    join_all(bodies).await.into_iter().flatten().collect()
}

/// A body is closed once it is about this long, in bytes: half of what a participant reads, so
/// that the longest linked batch may still be the last of it.
const BODY_LENGTH: usize = 8 * 1024 * 1024;

fn bodies(items: Vec<Prepare>) -> Vec<Vec<Prepare>> {
    let mut bodies = Vec::new();
    let (mut body, mut length) = (Vec::new(), 0);
    for item in items {
        length += about_length(&item);
        body.push(item);
        if length >= BODY_LENGTH {
            bodies.push(std::mem::take(&mut body));
            length = 0;
        }
    }
    bodies.push(body);
    bodies.retain(|body| !body.is_empty());
    bodies
}

/// How long a PREPARE is as JSON, rather too much than too little.
fn about_length(prepare: &Prepare) -> usize {
    let described = prepare.descriptions.iter().flatten();
    let descriptions: usize = described.map(|text| 2 * text.as_str().len() + 4).sum();
    512 + 128 * prepare.legs.len() + 8 * prepare.descriptions.len() + descriptions
}

async fn send_body(
    client: &ServiceClient,
    participant: &ParticipantId,
    items: Vec<Prepare>,
) -> Vec<Option<Vote>> {
    let ids: Vec<_> = items.iter().map(|prepare| prepare.transaction_id).collect();
    let list = PrepareList {
        participant: participant.clone(),
        items,
    };
    let reply: Option<VoteList> = ask(client, "/internal/prepare", &list).await;
    let reply = reply.filter(|reply| reply.participant == *participant);
    let votes: HashMap<_, _> = reply
        .into_iter()
        .flat_map(|reply| reply.items)
        .map(|item| (item.transaction_id, item.vote))
        .collect();
    ids.iter().map(|id| votes.get(id).copied()).collect()
}

async fn send_decisions(
    client: ServiceClient,
    participant: ParticipantId,
    path: &'static str,
    items: Vec<TransactionId>,
    last_error: LastError,
) -> Vec<Option<Acknowledgement>> {
    let list = DecisionList {
        participant: participant.clone(),
        items,
    };
    let reply: Result<AcknowledgementList, _> = client.post(path, &list).await;
    let reply = reply.map_err(|error| {
        no_answer(&client, path, &error);
        *last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    });
    let reply = reply.ok().filter(|reply| reply.participant == participant);
    let acknowledgements: HashMap<_, _> = reply
        .into_iter()
        .flat_map(|reply| reply.items)
        .map(|item| (item.transaction_id, item.acknowledgement))
        .collect();
    list.items
        .iter()
        .map(|id| acknowledgements.get(id).copied())
        .collect()
}

async fn ask<B, T>(client: &ServiceClient, path: &str, body: &B) -> Option<T>
where
    B: Serialize,
    T: serde::de::DeserializeOwned,
{
    match client.post(path, body).await {
        Ok(reply) => Some(reply),
        Err(error) => {
            no_answer(client, path, &error);
            None
        }
    }
}

fn no_answer(client: &ServiceClient, path: &str, error: &CallError) {
    tracing::warn!(
        event = "PARTICIPANT_NO_ANSWER",
        participant = client.name(),
        path,
        %error
    );
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

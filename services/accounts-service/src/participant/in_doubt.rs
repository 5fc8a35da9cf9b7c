//! Branches that nobody tells what became of them: this bank asks.
//!
//! The race it survives: while the answer is on its way, the decision itself arrives, or an operator
//! forces the branch, or both coordinator and peers answer. So an answer is not written here; it
//! goes through the same function as a decision from the coordinator, which locks the branch and
//! looks at what it is by then. And whatever happens, this bank never decides alone: nobody's silence
//! is an answer, and a coordinator that does not know the transaction has lost data, which is a
//! hazard and never an abort.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use service_kit::client::{CallError, ServiceClient};
use service_kit::database::spawned;
use service_kit::failpoints;
use two_phase::console::{Decision, Driver};
use two_phase::inquiry::{Peer, conclude};
use two_phase::message::{Acknowledgement, InquiryAnswer, InquiryList, InquiryReply, Outcome};
use two_phase::planted::{Bug, is_planted};
use two_phase::{BranchState, Phase};
use types::views::Status;
use types::{ParticipantId, TransactionId};

use super::alarm::HazardKind;
use super::heard::{Heard, Word};
use super::{Participant, raise};
use crate::store::StoreError;
use crate::store::in_doubt::{self, InDoubt};

/// Branches asked about in one message.
const PAGE: i64 = 500;

/// In doubt for so long, a branch is reported: its holds keep money from customers.
const REPORTED_AFTER: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// When to ask.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// How long after its YES a branch begins to ask.
    pub after: Duration,
    /// Between two looks when all is well.
    pub tick: Duration,
    /// Between two looks at most.
    pub longest_pause: Duration,
}

/// What one look has found and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    /// Branches in doubt.
    pub found: usize,
    /// Branches among them whose outcome is known now.
    pub resolved: usize,
}

/// Asks what became of branches in doubt.
pub struct Inquirer {
    participant: Participant,
    coordinators: Vec<ServiceClient>,
    peers: BTreeMap<ParticipantId, ServiceClient>,
    timings: Timings,
    heard: Heard,
}

impl Inquirer {
    /// Asks any of `coordinators`, which all stand on one database; `peers` only when none of them
    /// can be reached.
    #[must_use]
    pub const fn new(
        participant: Participant,
        coordinators: Vec<ServiceClient>,
        peers: BTreeMap<ParticipantId, ServiceClient>,
        timings: Timings,
        heard: Heard,
    ) -> Self {
        Self {
            participant,
            coordinators,
            peers,
            timings,
            heard,
        }
    }

    /// Looks again and again, for ever. Pauses grow while nothing can be found out.
    pub async fn run(self) {
        let mut pause = self.timings.tick;
        loop {
            tokio::time::sleep(pause).await;
            let stuck = match self.step().await {
                Ok(look) => look.found > look.resolved,
                Err(error) => {
                    tracing::warn!(event = "IN_DOUBT_NOT_READ", %error);
                    true
                }
            };
            pause = if stuck {
                (pause * 2).min(self.timings.longest_pause)
            } else {
                self.timings.tick
            };
        }
    }

    /// Looks once at all branches in doubt.
    ///
    /// # Errors
    /// [`StoreError`], when they cannot be read.
    pub async fn step(&self) -> Result<Look, StoreError> {
        let mut look = Look::default();
        let mut reported = 0_u32;
        let (mut last, mut seen) = (None, HashSet::new());
        loop {
            let page = self.page(last.take()).await?;
            look.found += page.len();
            seen.extend(page.iter().map(|branch| branch.transaction_id));
            look.resolved += self.resolve(&page).await?;
            let long = page.iter().filter(|branch| branch.age > REPORTED_AFTER);
            reported += u32::try_from(long.count()).unwrap_or(u32::MAX);
            let complete = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            if complete {
                break;
            }
            last = page.into_iter().next_back();
        }
        self.heard.keep_only(&seen);
        metrics::gauge!("bank_branches_in_doubt").set(reported);
        Ok(look)
    }

    async fn page(&self, last: Option<InDoubt>) -> Result<Vec<InDoubt>, StoreError> {
        let (pool, after) = (self.participant.pool().clone(), self.timings.after);
        spawned(async move {
            let mut connection = pool.acquire().await?;
            in_doubt::page(&mut connection, after, last.as_ref(), PAGE).await
        })
        .await
    }

    /// Finds out about a page and acts on it; tells how many branches are finished.
    async fn resolve(&self, page: &[InDoubt]) -> Result<usize, StoreError> {
        if page.is_empty() {
            return Ok(0);
        }
        let ids: Vec<TransactionId> = page.iter().map(|branch| branch.transaction_id).collect();
        let (outcomes, heard) = match self.ask_coordinators(&ids).await? {
            Ok(reply) => (self.outcomes(&ids, &reply).await?, reply.numbers),
            Err(error) => (self.ask_peers(page, &error).await, None),
        };
        failpoints::hit("after_inquiry").await?;
        if outcomes.is_empty() {
            return Ok(0);
        }
        for (transaction_id, outcome) in &outcomes {
            tracing::info!(event = "IN_DOUBT_RESOLVED", %transaction_id, outcome = ?outcome);
        }
        // Not in step any more: nothing was done, and the next look asks again.
        let answers = self.participant.decide_heard(outcomes, heard).await;
        let answers = answers.unwrap_or_default();
        let finished = |answer: &&Option<Acknowledgement>| {
            matches!(answer, Some(Acknowledgement::Done | Acknowledgement::Mixed))
        };
        Ok(answers.iter().filter(finished).count())
    }

    /// The answer of the first coordinator that gives one, or why the last one gave none.
    async fn ask_coordinators(
        &self,
        ids: &[TransactionId],
    ) -> Result<Result<InquiryReply, String>, StoreError> {
        let mut silence = "no coordinator is configured".to_owned();
        let question = InquiryList {
            participant: self.participant.name().clone(),
            items: ids.to_vec(),
            numbers: Some(self.participant.numbers_to_ask_with().await?),
        };
        for coordinator in &self.coordinators {
            match coordinator.post("/internal/inquiries", &question).await {
                Ok(reply) => return Ok(Ok(reply)),
                Err(error) => {
                    unanswered(coordinator, &error);
                    silence = error.to_string();
                }
            }
        }
        Ok(Err(silence))
    }

    /// What a coordinator's answer means. What it does not know is raised, and nothing is done.
    async fn outcomes(
        &self,
        ids: &[TransactionId],
        reply: &InquiryReply,
    ) -> Result<Vec<(TransactionId, Outcome)>, StoreError> {
        let answers: HashMap<TransactionId, InquiryAnswer> = reply
            .items
            .iter()
            .map(|item| (item.transaction_id, item.answer))
            .collect();
        let (mut outcomes, mut unknown) = (Vec::new(), Vec::new());
        for id in ids {
            self.heard.note(*id, word(answers.get(id).copied()));
            match answers.get(id) {
                Some(InquiryAnswer::Committed) => outcomes.push((*id, Outcome::Commit)),
                Some(InquiryAnswer::Aborted) => outcomes.push((*id, Outcome::Abort)),
                Some(InquiryAnswer::Unknown) if is_planted(Bug::UnknownMeansAborted) => {
                    outcomes.push((*id, Outcome::Abort));
                }
                Some(InquiryAnswer::Unknown) => {
                    unknown.push(HazardKind::UnknownToCoordinator.of(*id, None));
                }
                Some(InquiryAnswer::Pending) | None => {}
            }
        }
        if !unknown.is_empty() {
            raise(self.participant.pool(), unknown).await?;
        }
        Ok(outcomes)
    }

    /// Cooperative termination: what can be concluded from the other banks of each transaction.
    async fn ask_peers(&self, page: &[InDoubt], silence: &str) -> Vec<(TransactionId, Outcome)> {
        let questions = self.peers.iter().map(|(peer, client)| async move {
            let concerned: Vec<TransactionId> = page
                .iter()
                .filter(|branch| branch.participants.contains(peer))
                .map(|branch| branch.transaction_id)
                .collect();
            (peer, ask_peer(client, peer, concerned).await)
        });
        let answers: BTreeMap<&ParticipantId, HashMap<TransactionId, BranchState>> =
            join_all(questions).await.into_iter().collect();
        for branch in page {
            let id = branch.transaction_id;
            let known = answers.iter().filter_map(|(peer, known)| {
                let state = known.get(&id)?;
                Some(((*peer).clone(), *state))
            });
            let decision = Decision::Unreachable {
                error: silence.to_owned(),
            };
            let peers = known.collect();
            self.heard.note(id, Word { decision, peers });
        }
        let conclusion = |branch: &InDoubt| {
            let others = branch.participants.iter();
            let others = others.filter(|name| *name != self.participant.name());
            let heard: Vec<Peer> = others
                .map(|name| {
                    let state = answers
                        .get(name)
                        .and_then(|known| known.get(&branch.transaction_id));
                    state.map_or(Peer::Unreachable, |state| Peer::Branch(*state))
                })
                .collect();
            Some((branch.transaction_id, conclude(&heard)?))
        };
        page.iter().filter_map(conclusion).collect()
    }
}

/// A coordinator's answer, as operators are told of it.
fn word(answer: Option<InquiryAnswer>) -> Word {
    let recorded = |status| Decision::Recorded {
        status,
        phase: Phase::Delivering,
        driver: Driver::Nobody,
    };
    let decision = match answer {
        Some(InquiryAnswer::Committed) => recorded(Status::Committed),
        Some(InquiryAnswer::Aborted) => recorded(Status::Aborted),
        Some(InquiryAnswer::Pending) => Decision::Undecided,
        Some(InquiryAnswer::Unknown) => Decision::NoRecord,
        None => Decision::Unreachable {
            error: "its answer says nothing about this one".to_owned(),
        },
    };
    Word {
        decision,
        peers: BTreeMap::new(),
    }
}

#[derive(Deserialize)]
struct PeerReply {
    participant: ParticipantId,
    items: Vec<PeerItem>,
}

#[derive(Deserialize)]
struct PeerItem {
    transaction_id: TransactionId,
    state: Option<BranchState>,
}

/// What a peer knows; nothing when it does not answer.
async fn ask_peer(
    client: &ServiceClient,
    peer: &ParticipantId,
    ids: Vec<TransactionId>,
) -> HashMap<TransactionId, BranchState> {
    if ids.is_empty() {
        return HashMap::new();
    }
    let question = InquiryList {
        participant: peer.clone(),
        items: ids,
        numbers: None,
    };
    let reply: Result<PeerReply, CallError> =
        client.post("/internal/branches/terminate", &question).await;
    match reply {
        Ok(reply) if reply.participant == *peer => reply
            .items
            .into_iter()
            .filter_map(|item| Some((item.transaction_id, item.state?)))
            .collect(),
        Ok(_) => HashMap::new(),
        Err(error) => {
            unanswered(client, &error);
            HashMap::new()
        }
    }
}

fn unanswered(client: &ServiceClient, error: &CallError) {
    tracing::warn!(event = "INQUIRY_UNANSWERED", service = client.name(), %error);
}

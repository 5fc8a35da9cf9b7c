//! What participants know of transactions in doubt, for operators. Nothing here decides anything: a
//! participant that does not answer is shown as such.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::client::CallError;
use types::views::{Acknowledge, BranchFacts};
use types::{Code, LoginId, ParticipantId, TransactionId};

use super::participants::Participants;

/// What is asked of one participant.
#[derive(Debug, Clone, Serialize)]
struct Question<'a> {
    participant: &'a ParticipantId,
    items: &'a [TransactionId],
    in_doubt_for_ms: Option<u64>,
    acknowledged: bool,
}

#[derive(Deserialize)]
struct Reply {
    participant: ParticipantId,
    items: Vec<BranchFacts>,
}

/// What one participant says about each transaction, or why it says nothing.
pub(crate) type Answer = Result<HashMap<TransactionId, BranchFacts>, String>;

/// An acknowledgement on its way to a participant.
#[derive(Serialize)]
struct Acknowledgement<'a> {
    #[serde(flatten)]
    wish: &'a Acknowledge,
    transaction_id: TransactionId,
    actor: LoginId,
}

impl Participants {
    /// Asks one participant for all it knows of `ids`, and of everything that is in doubt there for
    /// longer than `in_doubt_for` or has a hazard (`acknowledged`: of any age).
    pub(crate) async fn facts(
        &self,
        participant: &ParticipantId,
        ids: &[TransactionId],
        in_doubt_for: Option<Duration>,
        acknowledged: bool,
    ) -> Answer {
        let client = self.client(participant);
        let client = client.ok_or_else(|| "no such bank is configured here".to_owned())?;
        let milliseconds = |after: Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let question = Question {
            participant,
            items: ids,
            in_doubt_for_ms: in_doubt_for.map(milliseconds),
            acknowledged,
        };
        let path = "/internal/branches/evidence";
        let reply: Result<Reply, CallError> = client.post(path, &question).await;
        match reply {
            Ok(reply) if reply.participant == *participant => Ok(reply
                .items
                .into_iter()
                .map(|facts| (facts.transaction_id, facts))
                .collect()),
            Ok(reply) => Err(format!("{} answered in its place", reply.participant)),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Tells a participant that an operator acknowledged a hazard. False when it has none of that
    /// name; the error says why it could not be told.
    pub(crate) async fn acknowledge(
        &self,
        transaction_id: TransactionId,
        wish: &Acknowledge,
        actor: LoginId,
    ) -> Result<bool, String> {
        let client = self.client(&wish.participant);
        let client = client.ok_or_else(|| "no such bank is configured here".to_owned())?;
        let message = Acknowledgement {
            wish,
            transaction_id,
            actor,
        };
        let path = "/internal/hazards/acknowledgements";
        match client.post::<_, serde_json::Value>(path, &message).await {
            Ok(_) => Ok(true),
            Err(CallError::Refused {
                code: Code::NotFound,
                ..
            }) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

//! Messages of the protocol, sent to a real bank as its coordinator would send them.

use serde_json::Value;
use service_kit::auth::Signer;
use service_kit::client::{CallError, ServiceClient};
use two_phase::message::{
    Acknowledgement, AcknowledgementList, DecisionList, Leg, Outcome, Prepare, PrepareList, Share,
    Vote, VoteList,
};
use types::{Balance, Change, ParticipantId, TransactionId};

use crate::TestBank;
use crate::bank::{ACCOUNTS, TRANSACTIONS};

/// Speaks to the first bank with the coordinator's own key.
#[derive(Clone)]
pub struct Messenger {
    participant: ParticipantId,
    client: ServiceClient,
}

impl TestBank {
    /// Somebody who may prepare and decide at the first bank.
    ///
    /// # Panics
    /// When the coordinator's key cannot be read.
    pub async fn messenger(&self) -> Messenger {
        let keys = self.database(TRANSACTIONS).await;
        let signer = Signer::new(keys, TRANSACTIONS).await.expect("its key");
        let patience = std::time::Duration::from_secs(10);
        let url = self.url(ACCOUNTS);
        Messenger {
            participant: "bank-1".parse().expect("a name"),
            client: ServiceClient::new("bank-1", &url, "bank-1", signer, patience),
        }
    }
}

impl Messenger {
    /// A PREPARE of one transfer between two accounts of the bank.
    ///
    /// # Panics
    /// When these are no accounts or no amount.
    #[must_use]
    pub fn transfer(&self, source: &str, destination: &str, amount: &str) -> Prepare {
        let leg = |account: &str, change: String| Leg {
            account_id: account.parse().expect("an account"),
            change: change.parse::<Change>().expect("an amount"),
            transfer_index: 0,
        };
        Prepare {
            transaction_id: TransactionId::generate(),
            currency: "USD".parse().expect("a currency"),
            legs: vec![
                leg(source, format!("-{amount}")),
                leg(destination, amount.to_owned()),
            ],
            debits_owned_by: None,
            shares: vec![Share {
                participant: self.participant.clone(),
                net: Balance::ZERO,
            }],
            descriptions: vec![None],
        }
    }

    /// Sends a list of PREPAREs.
    ///
    /// # Errors
    /// When the list as a whole is not answered.
    pub async fn prepare(&self, items: Vec<Prepare>) -> Result<Vec<Vote>, CallError> {
        let list = PrepareList {
            participant: self.participant.clone(),
            items,
            numbers: None,
        };
        let reply: VoteList = self.client.post("/internal/prepare", &list).await?;
        Ok(reply.items.into_iter().map(|item| item.vote).collect())
    }

    /// The vote on one PREPARE.
    ///
    /// # Panics
    /// When it is not answered.
    pub async fn vote(&self, prepare: &Prepare) -> Vote {
        let votes = self.prepare(vec![prepare.clone()]).await;
        votes.expect("an answer")[0]
    }

    /// Tells one decision.
    ///
    /// # Panics
    /// When it is not answered.
    pub async fn decide(&self, id: TransactionId, outcome: Outcome) -> Acknowledgement {
        let list = DecisionList {
            participant: self.participant.clone(),
            items: vec![id],
            numbers: None,
        };
        let path = match outcome {
            Outcome::Commit => "/internal/commit",
            Outcome::Abort => "/internal/abort",
        };
        let reply: AcknowledgementList = self.client.post(path, &list).await.expect("an answer");
        reply.items[0].acknowledgement
    }

    /// Sends anything.
    ///
    /// # Errors
    /// What the bank answers.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, CallError> {
        self.client.post(path, body).await
    }
}

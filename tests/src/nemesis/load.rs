//! Clients who use the bank and write down what they see.
//!
//! The race each of them survives: its answer is lost, or it gives up, while its request still works
//! its way through the bank. It then knows nothing, says so in the history, and asks again under the
//! same key, at whichever coordinator.

use std::sync::Arc;
use std::time::Duration;

use history::{Reply, Request, What};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;
use types::TransactionId;

use super::answers::meaning;
use super::random::Random;
use super::recorder::Recorder;
use super::wishes::Wishes;
use super::world::{BANKS, World};
use crate::actor::{Answer, NoAnswer};

/// How long a patient client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often a request is repeated under its key.
const REPETITIONS: u32 = 4;
/// How many transactions a client keeps an eye on until they are settled.
const WATCHED: usize = 40;

/// One client.
pub(super) struct Client {
    number: u32,
    world: Arc<World>,
    recorder: Arc<Recorder>,
    random: Random,
    wishes: Wishes,
    open: Vec<TransactionId>,
}

impl Client {
    pub(super) fn new(number: u32, seed: u64, world: Arc<World>, recorder: Arc<Recorder>) -> Self {
        // Far from the sequence of the faults, which begins at the seed itself.
        let mut random = Random::new(seed ^ (u64::from(number) << 32));
        let random = Random::new(random.next());
        Self {
            number,
            world,
            recorder,
            random,
            wishes: Wishes::of(number),
            open: Vec::new(),
        }
    }

    /// Asks for one thing after the other until told to stop, or until there were enough.
    pub(super) async fn run(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let request = self.wishes.next(&mut self.random, &self.world, &self.open);
            if self.insist(&request).await.is_none() {
                return;
            }
            // A client thinks before it asks again; the faults are the point, not the throughput.
            let thinks = self.random.between(5, 60);
            tokio::time::sleep(Duration::from_millis(thinks)).await;
        }
    }

    /// Asks until the outcome is known or patience is over. `None` when there were enough requests.
    async fn insist(&mut self, request: &Request) -> Option<()> {
        for _ in 0..REPETITIONS {
            let what = self.ask(request).await?;
            let is_known = match &what {
                What::Ok(_)
                | What::Fail {
                    transaction: Some(_),
                    ..
                } => true,
                _ => request.key().is_none(),
            };
            self.keep_an_eye_on(request, &what);
            // Asking again although the answer is known must give the same answer.
            let again = if is_known { 4 } else { 90 };
            if request.key().is_none() || !self.random.chance(again) {
                break;
            }
            let waits = self.random.between(20, 500);
            tokio::time::sleep(Duration::from_millis(waits)).await;
        }
        Some(())
    }

    async fn ask(&mut self, request: &Request) -> Option<What> {
        let coordinator = usize::try_from(self.random.below(2)).unwrap_or(0);
        let patience = if self.random.chance(6) {
            Duration::from_millis(self.random.between(5, 250))
        } else {
            PATIENCE
        };
        let operation = self.recorder.invoke(self.number, request)?;
        let answer = tokio::time::timeout(patience, self.send(request, coordinator)).await;
        let unknown = |why: &str| What::Unknown {
            why: why.to_owned(),
        };
        let what = match answer {
            Err(_) => unknown("gave up waiting"),
            Ok(Err(error)) if error.is_connect() => unknown("cannot connect"),
            Ok(Err(_)) => unknown("connection lost"),
            Ok(Ok(answer)) => meaning(request, &answer),
        };
        self.recorder
            .answered(self.number, operation, request, what.clone());
        Some(what)
    }

    async fn send(&self, request: &Request, coordinator: usize) -> Result<Answer, NoAnswer> {
        let (coordinator, banks) = (&self.world.coordinators[coordinator], &self.world.banks);
        let bank_of = |id| {
            let mut accounts = self.world.accounts.iter();
            let found = accounts.find(|one| one.id == id);
            &banks[found.map_or(0, |one| one.bank)]
        };
        let (method, url, body) = match request {
            Request::Transfer { legs, protocol, .. } => {
                let url = format!("{coordinator}/transfers");
                let mut body = transfer_body(legs);
                body["protocol"] = json!(protocol);
                (Method::POST, url, Some(body))
            }
            Request::Batch {
                linked, transfers, ..
            } => {
                let transfers: Vec<Value> =
                    transfers.iter().map(|legs| transfer_body(legs)).collect();
                let body = json!({"transfers": transfers, "linked": linked});
                let url = format!("{coordinator}/transfers/batch");
                (Method::POST, url, Some(body))
            }
            Request::Deposit {
                account, amount, ..
            } => {
                let url = format!("{}/accounts/{account}/deposits", bank_of(*account));
                (Method::POST, url, Some(json!({"amount": amount})))
            }
            Request::Withdrawal {
                account, amount, ..
            } => {
                let url = format!("{}/accounts/{account}/withdrawals", bank_of(*account));
                (Method::POST, url, Some(json!({"amount": amount})))
            }
            Request::Read { account } => {
                let url = format!("{}/accounts/{account}", bank_of(*account));
                (Method::GET, url, None)
            }
            Request::List { bank } => {
                let place = BANKS.iter().position(|(name, _)| name == bank);
                let bank = &banks[place.unwrap_or(0)];
                let customer = self.world.customer;
                let url = format!("{bank}/accounts/customer/{customer}?limit=200");
                (Method::GET, url, None)
            }
            Request::Status { transaction } => {
                let url = format!("{coordinator}/transfers/{transaction}");
                (Method::GET, url, None)
            }
        };
        let teller = &self.world.teller;
        teller
            .send(method, &url, request.key(), body.as_ref())
            .await
    }

    /// Transactions that may not be settled are asked about later: the history check knows then when
    /// their holds were gone.
    fn keep_an_eye_on(&mut self, request: &Request, what: &What) {
        let mut found: Vec<TransactionId> = Vec::new();
        match (request, what) {
            (
                Request::Transfer { .. } | Request::Batch { .. },
                What::Fail {
                    transaction: Some(id),
                    ..
                },
            ) => found.push(*id),
            (_, What::Ok(Reply::Transfer { transaction, .. })) => found.push(*transaction),
            (_, What::Ok(Reply::Batch(results))) => {
                found.extend(results.iter().filter_map(|one| one.transaction));
            }
            (Request::Status { transaction }, What::Ok(Reply::Status { settled: true, .. })) => {
                self.open.retain(|id| id != transaction);
            }
            _ => {}
        }
        for id in found {
            if !self.open.contains(&id) {
                self.open.push(id);
            }
        }
        let surplus = self.open.len().saturating_sub(WATCHED);
        self.open.drain(..surplus);
    }
}

fn transfer_body(legs: &[history::Leg]) -> Value {
    match legs {
        [from, to] => json!({
            "source_account_id": from.account,
            "destination_account_id": to.account,
            "amount": to.change,
        }),
        _ => {
            let legs = legs.iter();
            let legs: Vec<Value> = legs
                .map(|leg| json!({"account_id": leg.account, "amount": leg.change}))
                .collect();
            json!({"legs": legs})
        }
    }
}

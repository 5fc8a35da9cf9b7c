//! Transfers by saga: what clients see, and what is undone.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{ACCOUNTS, Actor, Answer, Failpoint, NoAnswer, TRANSACTIONS, TestBank};
use tokio::task::JoinHandle;

use crate::seed::{ALICE, BOB};

pub(crate) type Sent = JoinHandle<Result<Answer, NoAnswer>>;

/// Where a write of the log is about to happen.
const BEFORE: &str = "saga_before_log";

/// A bank that is given the time it takes, and an account that Alice's money goes to.
pub(crate) struct Scene {
    pub(crate) bank: TestBank,
    pub(crate) there: String,
    banks: u16,
}

impl Scene {
    /// With one bank or two; with two the money goes to the second one.
    pub(crate) async fn set(
        banks: u16,
        change: impl FnOnce(stack::Options) -> stack::Options,
    ) -> Self {
        let bank = TestBank::start_with(|mut options| {
            options.banks = banks;
            change(options.setting("TRANSACTIONS_SAGA_TIMEOUT_MS", 25_000))
        })
        .await;
        let there = if banks == 2 {
            bank.second_teller().await
        } else {
            bank.teller().await
        };
        let there = there.open_account("10", json!({})).await;
        Self { bank, there, banks }
    }

    pub(crate) async fn usual(banks: u16) -> Self {
        Self::set(banks, |options| options).await
    }

    /// The teller of the bank that the money goes to.
    pub(crate) async fn teller_there(&self) -> Actor {
        if self.banks == 2 {
            self.bank.second_teller().await
        } else {
            self.bank.teller().await
        }
    }

    /// Alice sends 100 by saga.
    pub(crate) async fn send(&self, key: &str) -> Sent {
        let (alice, body, key) = (
            self.bank.alice().await,
            by_saga(ALICE, &self.there, "100"),
            key,
        );
        let key = key.to_owned();
        tokio::spawn(async move {
            let mut answer = alice.transfer_of(&body, &key).await?;
            for _ in 0..50 {
                // A busy bank that is asked for the first time may answer too late: nothing has
                // begun then, and it is asked again.
                let is_begun = answer.status != 503
                    || answer.code() == "outcome_unknown"
                    || answer.body["transaction_id"].is_string();
                if is_begun {
                    break;
                }
                answer = alice.transfer_of(&body, &key).await?;
            }
            Ok(answer)
        })
    }

    pub(crate) async fn set_status(&self, status: &str) {
        let path = format!("/accounts/{}", self.there);
        let body = json!({"status": status});
        let teller = self.teller_there().await;
        let answer = teller.accounts(Method::PATCH, &path, None, &body).await;
        answer.unwrap().expect(200);
    }

    /// Alice's transfer stands before the `n`th write of its log, the beginning not counted.
    pub(crate) async fn before_write(&self, n: usize, key: &str) -> Sent {
        let bank = &self.bank;
        bank.arm(TRANSACTIONS, BEFORE, Failpoint::Pause).await;
        let sent = self.send(key).await;
        bank.waits_at(TRANSACTIONS, BEFORE).await;
        for _ in 1..n {
            // Held at the bank, so that the next write does not come before its pause.
            bank.arm(ACCOUNTS, "before_step_commit", Failpoint::Pause)
                .await;
            bank.disarm(TRANSACTIONS, BEFORE).await;
            bank.waits_at(ACCOUNTS, "before_step_commit").await;
            bank.arm(TRANSACTIONS, BEFORE, Failpoint::Pause).await;
            bank.disarm(ACCOUNTS, "before_step_commit").await;
            bank.waits_at(TRANSACTIONS, BEFORE).await;
        }
        sent
    }

    /// It goes on from there.
    pub(crate) async fn go_on(&self) {
        self.bank.disarm(TRANSACTIONS, BEFORE).await;
    }

    /// Everything is settled, and this much has moved from Alice.
    pub(crate) async fn has_moved(&self, amount: u32) {
        self.bank.settles().await;
        let left = self.bank.teller().await.balance(ALICE).await;
        let arrived = self.teller_there().await.balance(&self.there).await;
        let expected = (
            format!("{}.00", 1000 - amount),
            format!("{}.00", 10 + amount),
        );
        assert_eq!((left, arrived), expected);
    }

    /// The newest saga, as an admin sees it.
    pub(crate) async fn saga(&self) -> Value {
        let (id, _) = self.bank.newest_transaction().await.unwrap();
        let admin = self.bank.admin().await;
        let saga = admin.get_transactions(&format!("/sagas/{id}")).await;
        saga.expect(200)
    }
}

pub(crate) fn by_saga(source: &str, destination: &str, amount: &str) -> Value {
    json!({
        "source_account_id": source, "destination_account_id": destination, "amount": amount,
        "protocol": "saga",
    })
}

fn events(timeline: &Value) -> Vec<&str> {
    let items = timeline["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["event"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_transfer_by_saga_moves_money_at_one_bank_and_between_two_and_tells_how() {
    for banks in [1, 2] {
        let scene = Scene::usual(banks).await;
        let sent = scene.send("one").await.await.unwrap().unwrap().expect(201);
        assert_eq!(sent["status"], "committed");
        assert_eq!(sent["settled"], true);
        assert_eq!(sent["protocol"], "saga");
        let alice = scene.bank.alice().await;
        let id = sent["transaction_id"].as_str().unwrap();
        let timeline = alice
            .get_transactions(&format!("/transfers/{id}/timeline"))
            .await;
        let timeline = timeline.expect(200);
        assert_eq!(
            events(&timeline),
            [
                "INITIATED",
                "STEP_STARTED",
                "STEP_DONE",
                "STEP_STARTED",
                "STEP_DONE",
                "DECIDED_COMMIT",
                "STEP_STARTED",
                "STEP_DONE",
                "SETTLED"
            ]
        );
        assert_eq!(timeline["items"][3]["detail"], "credit");
        let items = timeline["items"].as_array().unwrap();
        let times: Vec<_> = items
            .iter()
            .map(|item| item["at"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted(), "{times:?}");
        scene.has_moved(100).await;
        let again = scene.send("one").await.await.unwrap().unwrap();
        assert!(again.replayed);
        assert_eq!(again.expect(201), sent);
        let other = json!({
            "source_account_id": ALICE, "destination_account_id": scene.there, "amount": "100",
        });
        let other = alice.transfer_of(&other, "one").await.unwrap();
        assert_eq!(
            other.code(),
            "idempotency_key_reused",
            "the protocol counts"
        );
        let saga = scene.saga().await;
        assert_eq!(saga["status"], "COMMITTED");
        assert_eq!(saga["steps"][2]["step"], "release");
        let list = alice.get_transactions("/transfers").await.expect(200);
        assert_eq!(list["items"][0]["protocol"], "saga");
        scene.has_moved(100).await;
        scene.bank.stop().await;
    }
}

#[tokio::test]
async fn sagas_go_in_batches_each_by_itself_and_never_linked() {
    let scene = Scene::usual(2).await;
    let alice = scene.bank.alice().await;
    let transfers: Vec<_> = ["1", "100000", "2"]
        .iter()
        .map(|amount| by_saga(ALICE, &scene.there, amount))
        .collect();
    let batch = alice.batch(&transfers, false, "batch").await.unwrap();
    let results = batch.expect(200);
    let told: Vec<_> = results["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| (result["status"].as_str().unwrap(), result["code"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("committed", None),
            ("aborted", Some("insufficient_funds")),
            ("committed", None)
        ]
    );
    let linked = alice.batch(&transfers, true, "linked").await.unwrap();
    assert_eq!(
        (linked.status.as_u16(), linked.code()),
        (422, "protocol_unavailable")
    );
    scene.has_moved(3).await;
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_64_a_step_that_is_refused_leaves_everything_as_it_was() {
    for banks in [1, 2] {
        let scene = Scene::usual(banks).await;
        let alice = scene.bank.alice().await;
        let much = by_saga(ALICE, &scene.there, "100000");
        let refused = alice.transfer_of(&much, "much").await.unwrap();
        assert_eq!(refused.code(), "insufficient_funds", "{}", refused.body);
        assert_eq!(refused.body["transaction_status"], "aborted");
        scene.has_moved(0).await;
        assert_eq!(scene.saga().await["steps"][0]["status"], "FAILED");

        scene.set_status("frozen").await;
        let refused = scene.send("frozen").await.await.unwrap().unwrap();
        assert_eq!(refused.code(), "account_frozen", "{}", refused.body);
        scene.has_moved(0).await;
        let id = refused.transaction_id().to_owned();
        let timeline = alice
            .get_transactions(&format!("/transfers/{id}/timeline"))
            .await;
        let timeline = timeline.expect(200);
        let told = events(&timeline);
        for event in ["DECIDED_ABORT", "COMPENSATION_DONE", "SETTLED"] {
            assert!(told.contains(&event), "{event}: {told:?}");
        }
        let again = scene.send("frozen").await.await.unwrap().unwrap();
        assert_eq!((again.code(), again.replayed), ("account_frozen", true));
        assert_eq!(scene.saga().await["steps"][0]["status"], "COMPENSATED");
        scene.bank.stop().await;
    }
}

#[tokio::test]
async fn case_74_money_of_an_unfinished_saga_is_not_spent() {
    let scene = Scene::usual(2).await;
    let sent = scene.before_write(2, "first").await;
    let (bank, teller) = (&scene.bank, scene.bank.second_teller().await);
    let account = teller
        .get_accounts(&format!("/accounts/{}", scene.there))
        .await;
    let account = account.expect(200);
    assert_eq!(account["balance"], "110.00");
    assert_eq!(account["available_balance"], "10.00", "{account}");
    let spend = |key: &'static str| {
        let teller = teller.clone();
        let there = scene.there.clone();
        async move { teller.transfer(&there, BOB, "50", key).await.unwrap() }
    };
    assert_eq!(spend("too-soon").await.code(), "insufficient_funds");
    scene.go_on().await;
    sent.await.unwrap().unwrap().expect(201);
    scene.has_moved(100).await;
    spend("now").await.expect(201);
    bank.settles().await;
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_75_what_happened_although_its_answer_was_lost_is_undone() {
    let scene = Scene::set(1, |options| {
        options.setting("TRANSACTIONS_SAGA_TIMEOUT_MS", 1_000)
    })
    .await;
    scene
        .bank
        .arm_always(ACCOUNTS, "after_step_commit", Failpoint::Fail)
        .await;
    let answer = scene.send("lost").await.await.unwrap().unwrap();
    assert_eq!(answer.code(), "participant_unavailable", "{}", answer.body);
    assert_eq!(answer.body["transaction_status"], "aborted");
    scene.bank.disarm(ACCOUNTS, "after_step_commit").await;
    scene.has_moved(0).await;
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_116_a_debit_on_an_exclusively_locked_account_waits_and_then_is_given_up() {
    let scene = Scene::set(1, |options| {
        options.setting("TRANSACTIONS_SAGA_TIMEOUT_MS", 700)
    })
    .await;
    let (bank, teller) = (&scene.bank, scene.bank.teller().await);
    let exclusive = teller
        .open_account("50", json!({"locking": "exclusive"}))
        .await;
    bank.arm(TRANSACTIONS, "after_votes", Failpoint::Pause)
        .await;
    let holding = {
        let (teller, exclusive) = (teller.clone(), exclusive.clone());
        tokio::spawn(async move { teller.transfer(&exclusive, BOB, "1", "holds").await })
    };
    bank.waits_at(TRANSACTIONS, "after_votes").await;
    let body = by_saga(&exclusive, BOB, "1");
    let answer = teller.transfer_of(&body, "busy").await.unwrap();
    assert_eq!(answer.code(), "account_locked", "{}", answer.body);
    bank.disarm(TRANSACTIONS, "after_votes").await;
    holding.await.unwrap().unwrap();
    bank.settles().await;
    teller.transfer_of(&body, "free").await.unwrap().expect(201);
    bank.settles().await;
    scene.bank.stop().await;
}

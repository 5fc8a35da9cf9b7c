//! Two banks whose processes talk through links of the test, and an account at each.

use serde_json::json;
use tests::{ACCOUNTS, ACCOUNTS_2, Actor, Answer, NoAnswer, TestBank, amount, eventually};
use tokio::task::JoinHandle;

use crate::seed::ALICE;

pub(crate) type Sent = JoinHandle<Result<Answer, NoAnswer>>;

pub(crate) struct Pair {
    pub(crate) bank: TestBank,
    /// An account with 10 at the second bank.
    pub(crate) there: String,
    pub(crate) alice: Actor,
}

impl Pair {
    /// Calls are given up soon, so that a fault is noticed soon.
    pub(crate) async fn start(change: impl FnOnce(stack::Options) -> stack::Options) -> Self {
        let bank = TestBank::start_with_proxies(|mut options| {
            options.banks = 2;
            change(
                options
                    .setting("TRANSACTIONS_CALL_TIMEOUT_MS", 700)
                    .setting("TRANSACTIONS_PREPARE_DEADLINE_MS", 3_000)
                    .setting("ACCOUNTS_CALL_TIMEOUT_MS", 700)
                    .setting("ACCOUNTS_IN_DOUBT_BACKOFF_MS", 1_000),
            )
        })
        .await;
        let alice = bank.alice().await;
        let there = bank
            .second_teller()
            .await
            .open_account("10", json!({}))
            .await;
        let pair = Self { bank, there, alice };
        // From here on everybody knows which account is where.
        let mut first = pair.send("1", "before").await.unwrap().unwrap();
        for _ in 0..20 {
            // With deadlines this short a busy machine looks like a bank that is down: not begun.
            if first.status != 503 {
                break;
            }
            first = pair.send("1", "before").await.unwrap().unwrap();
        }
        assert_eq!(first.body["status"], "committed", "{}", first.body);
        pair.bank.settles().await;
        pair
    }

    /// Alice sends an amount to the account at the second bank.
    pub(crate) fn send(&self, amount: &str, key: &str) -> Sent {
        let (alice, there) = (self.alice.clone(), self.there.clone());
        let (amount, key) = (amount.to_owned(), key.replace(' ', "-"));
        tokio::spawn(async move { alice.transfer(ALICE, &there, &amount, &key).await })
    }

    /// The branch at each bank.
    pub(crate) async fn branches(&self, id: &str) -> (Option<String>, Option<String>) {
        let first = self.bank.branch(ACCOUNTS, id).await;
        (first, self.bank.branch(ACCOUNTS_2, id).await)
    }

    /// Waits until a bank's branch is in a state.
    pub(crate) async fn branch_is(&self, bank: &str, id: &str, state: &str) {
        eventually(&format!("{bank} is {state}"), || async {
            (self.bank.branch(bank, id).await.as_deref() == Some(state)).then_some(())
        })
        .await;
    }

    /// The newest transaction, once both banks have promised.
    pub(crate) async fn prepared(&self) -> String {
        eventually("both banks have promised", || async {
            let (id, _) = self.bank.newest_transaction().await?;
            let both = self.branches(&id).await;
            (both.0.as_deref() == Some("PREPARED") && both.1.as_deref() == Some("PREPARED"))
                .then_some(id)
        })
        .await
    }

    /// Whether the transfer of this key was committed, once everything is settled: the repetition
    /// says so, and both banks agree with it.
    pub(crate) async fn committed(&self, key: &str, amount: &str) -> bool {
        let again = self.send(amount, key).await.unwrap().unwrap();
        let id = again.transaction_id().to_owned();
        let (first, second) = self.branches(&id).await;
        let applied = |state: &Option<String>| state.as_deref() == Some("COMMITTED");
        if again.body["status"] == "committed" {
            assert!(applied(&first) && applied(&second), "{first:?}, {second:?}");
            return true;
        }
        assert_eq!(
            again.body["transaction_status"], "aborted",
            "{}",
            again.body
        );
        assert!(
            !applied(&first) && !applied(&second),
            "{first:?}, {second:?}"
        );
        false
    }

    /// What has arrived at the second bank is what has left the first, the 1 of the beginning
    /// included.
    pub(crate) async fn has_moved(&self, expected: u32) {
        let (first, second) = (self.bank.teller().await, self.bank.second_teller().await);
        let moved = amount(&expected.to_string());
        let left = amount("1000") - amount(&first.balance(ALICE).await);
        let arrived = amount(&second.balance(&self.there).await) - amount("10");
        assert_eq!((left, arrived), (moved, moved));
    }
}

//! What the load moves money between: accounts of their own at both banks, hot and cold, shared and
//! exclusive, rich and poor.

use history::StartAccount;
use reqwest::Method;
use serde_json::json;
use types::{AccountId, CustomerId};

use crate::actor::Actor;
use crate::bank::{ACCOUNTS, ACCOUNTS_2, SECOND_COORDINATOR, TRANSACTIONS, TestBank};
use crate::eventually;

/// The banks, as histories name them.
pub(super) const BANKS: [(&str, &str); 2] = [("bank-1", ACCOUNTS), ("bank-2", ACCOUNTS_2)];

/// One account of the load.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: AccountId,
    /// 0 or 1.
    pub(super) bank: usize,
}

/// Everything a client has to know.
pub(super) struct World {
    pub(super) teller: Actor,
    pub(super) accounts: Vec<Account>,
    /// Those that most requests are about.
    pub(super) hot: Vec<Account>,
    /// Whose accounts these are, at each bank.
    pub(super) customer: CustomerId,
    pub(super) coordinators: [String; 2],
    pub(super) banks: [String; 2],
    /// The accounts as they begin.
    pub(super) start: Vec<StartAccount>,
}

impl World {
    /// Opens the accounts.
    ///
    /// # Panics
    /// When one is not opened within 30 s: nothing disturbs the bank yet.
    pub(super) async fn open(bank: &TestBank, count: usize) -> Self {
        let mut world = Self {
            teller: bank.teller().await,
            accounts: Vec::new(),
            hot: Vec::new(),
            customer: CustomerId::generate(),
            coordinators: [bank.url(TRANSACTIONS), bank.url(SECOND_COORDINATOR)],
            banks: [bank.url(ACCOUNTS), bank.url(ACCOUNTS_2)],
            start: Vec::new(),
        };
        for number in 0..count.max(4) {
            world.open_one(number).await;
        }
        world
    }

    async fn open_one(&mut self, number: usize) {
        let (bank, place) = (number % 2, number / 2);
        let mut body = json!({
            "customer_id": self.customer, "currency": "USD", "opening_balance": "1000",
        });
        match place % 5 {
            1 => body["locking"] = json!("exclusive"),
            2 => body["opening_balance"] = json!("20"),
            3 => {
                body["opening_balance"] = json!("100");
                body["overdraft_limit"] = json!("50");
            }
            _ => {}
        }
        let url = format!("{}/accounts", self.banks[bank]);
        let key = format!("open-{number}");
        // A busy machine is not a fault: under its key it is opened once, however often it is asked.
        let opened = eventually("an account is opened", || async {
            let asked = self
                .teller
                .send(Method::POST, &url, Some(&key), Some(&body));
            let answer = asked.await.ok()?;
            if answer.status != 201 {
                println!("opening an account: {} {}", answer.status, answer.body);
                return None;
            }
            serde_json::from_value::<types::views::Account>(answer.body).ok()
        })
        .await;
        let account = Account {
            id: opened.account_id,
            bank,
        };
        if place == 0 {
            self.hot.push(account.clone());
        }
        self.accounts.push(account);
        self.start.push(StartAccount {
            account: opened.account_id,
            bank: BANKS[bank].0.to_owned(),
            balance: opened.balance,
            version: opened.version,
        });
    }
}

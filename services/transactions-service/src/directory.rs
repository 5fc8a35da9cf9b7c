//! At which bank is an account? Found out once, remembered durably, kept in memory.
//!
//! "Not found" is said only when every bank has answered; one that is silent may be the one that
//! keeps the account.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use sqlx::PgPool;
use two_phase::planted::{Bug, is_planted};
use types::AccountId;

use crate::coordinator::participants::Participants;
use crate::store::directory::{Location, find, remember};

/// Accounts kept in memory, about 100 bytes each. When it is full it starts anew: the table
/// behind it answers in one statement per list.
const MOST_IN_MEMORY: usize = 200_000;

/// Why an account's place is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unplaced {
    /// A bank that may keep it did not answer.
    #[error("a bank did not answer")]
    BankSilent,
    /// Two banks say that they keep it.
    #[error("account {0} is kept at two banks")]
    TwoBanks(AccountId),
    #[error("{0}")]
    Database(#[from] sqlx::Error),
}

/// Where accounts are.
pub(crate) struct Directory {
    pool: PgPool,
    participants: Participants,
    known: Mutex<HashMap<AccountId, Location>>,
}

impl Directory {
    pub(crate) fn new(pool: PgPool, participants: Participants) -> Self {
        Self {
            pool,
            participants,
            known: Mutex::default(),
        }
    }

    /// Finds these accounts. One that is missing in the result is kept by no bank.
    pub(crate) async fn locate(
        &self,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, Location>, Unplaced> {
        let mut found = HashMap::with_capacity(accounts.len());
        let mut missing = self.recall(accounts, &mut found);
        if missing.is_empty() {
            return Ok(found);
        }
        let stored = find(&self.pool, &missing).await?;
        self.keep(&stored, &mut found);
        missing.retain(|account| !found.contains_key(account));
        if missing.is_empty() {
            return Ok(found);
        }
        let asked = self.ask_banks(&missing).await?;
        remember(&self.pool, &asked).await?;
        self.keep(&asked, &mut found);
        Ok(found)
    }

    fn recall(
        &self,
        accounts: &[AccountId],
        found: &mut HashMap<AccountId, Location>,
    ) -> Vec<AccountId> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        for account in accounts {
            match known.get(account) {
                Some(location) => {
                    found.insert(*account, location.clone());
                }
                None => missing.push(*account),
            }
        }
        missing.sort();
        missing.dedup();
        missing
    }

    fn keep(&self, locations: &[Location], found: &mut HashMap<AccountId, Location>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + locations.len() > MOST_IN_MEMORY {
            known.clear();
        }
        for location in locations {
            known.insert(location.account_id, location.clone());
            found.insert(location.account_id, location.clone());
        }
    }

    async fn ask_banks(&self, accounts: &[AccountId]) -> Result<Vec<Location>, Unplaced> {
        let answers = join_all(
            self.participants
                .names()
                .map(|participant| self.participants.find_accounts(participant, accounts)),
        )
        .await;
        let every_bank_answered = answers.iter().all(Option::is_some);
        let mut found: HashMap<AccountId, Location> = HashMap::new();
        for location in answers.into_iter().flatten().flatten() {
            if let Some(other) = found.insert(location.account_id, location) {
                return Err(Unplaced::TwoBanks(other.account_id));
            }
        }
        let complete = every_bank_answered || is_planted(Bug::SilentBankHasNoAccounts);
        if !complete && found.len() < accounts.len() {
            return Err(Unplaced::BankSilent);
        }
        Ok(found.into_values().collect())
    }
}

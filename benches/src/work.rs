//! What is asked of the bank.

use hyper::StatusCode;
use rand::Rng;
use rand::rngs::StdRng;
use serde::Deserialize;

use crate::accounts::Accounts;
use crate::load::{Count, Work};

/// How the two accounts of a transfer are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Any two different ones of the first bank.
    Random,
    /// Everybody pays the first account.
    ToOne,
    /// From the first bank to the second, or back.
    Crossing,
}

/// Transfers of one cent.
#[derive(Debug, Clone)]
pub struct Transfers {
    pub accounts: Accounts,
    pub pairs: Pairs,
    /// `2pc` or `saga`.
    pub protocol: &'static str,
}

impl Transfers {
    /// Two-phase commit between random accounts.
    pub const fn random(accounts: Accounts) -> Self {
        Self {
            accounts,
            pairs: Pairs::Random,
            protocol: "2pc",
        }
    }

    fn one(&self, random: &mut StdRng) -> String {
        let (source, destination) = self.accounts.pair(self.pairs, random);
        format!(
            r#"{{"source_account_id":"{source}","destination_account_id":"{destination}","amount":"0.01","protocol":"{}"}}"#,
            self.protocol
        )
    }
}

impl Accounts {
    fn pair(&self, pairs: Pairs, random: &mut StdRng) -> (uuid::Uuid, uuid::Uuid) {
        let any = random.gen_range(0..self.each);
        let other = (any + random.gen_range(1..self.each)) % self.each;
        match pairs {
            Pairs::Random => (self.id(1, any), self.id(1, other)),
            Pairs::ToOne => (self.id(1, any.max(1)), self.id(1, 0)),
            Pairs::Crossing if random.r#gen() => (self.id(1, any), self.id(2, other)),
            Pairs::Crossing => (self.id(2, any), self.id(1, other)),
        }
    }
}

impl Work for Transfers {
    fn path(&self) -> &'static str {
        "/transfers"
    }

    fn body(&self, random: &mut StdRng) -> String {
        self.one(random)
    }

    fn count(&self, status: StatusCode, body: &[u8]) -> Count {
        #[derive(Deserialize)]
        struct Reply<'a> {
            status: &'a str,
            settled: bool,
        }
        let reply: Option<Reply<'_>> = serde_json::from_slice(body).ok();
        let done = status == StatusCode::CREATED
            && reply.is_some_and(|reply| reply.status == "committed" && reply.settled);
        Count {
            done: u64::from(done),
            not_done: u64::from(!done),
        }
    }
}

/// Lists of transfers in one request.
#[derive(Debug, Clone)]
pub struct Batches {
    pub transfers: Transfers,
    pub length: usize,
}

impl Work for Batches {
    fn path(&self) -> &'static str {
        "/transfers/batch"
    }

    fn body(&self, random: &mut StdRng) -> String {
        let transfers: Vec<String> = (0..self.length)
            .map(|_| self.transfers.one(random))
            .collect();
        format!(r#"{{"transfers":[{}]}}"#, transfers.join(","))
    }

    fn count(&self, status: StatusCode, body: &[u8]) -> Count {
        #[derive(Deserialize)]
        struct Reply<'a> {
            #[serde(borrow)]
            results: Vec<Item<'a>>,
        }
        #[derive(Deserialize)]
        struct Item<'a> {
            status: &'a str,
        }
        let reply: Option<Reply<'_>> = serde_json::from_slice(body).ok();
        let done = reply
            .filter(|_| status == StatusCode::OK)
            .map_or(0, |reply| {
                let committed = reply
                    .results
                    .iter()
                    .filter(|item| item.status == "committed");
                committed.count()
            });
        let not_done = self.length.saturating_sub(done);
        Count {
            done: u64::try_from(done).unwrap_or(0),
            not_done: u64::try_from(not_done).unwrap_or(u64::MAX),
        }
    }
}

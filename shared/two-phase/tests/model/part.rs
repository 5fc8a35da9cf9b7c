//! Accounts, transactions and what falls to each bank of them, as a scenario states them.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use two_phase::message::{self, Prepare, Share};
use types::views::{AccountStatus, Locking};
use types::{AccountId, Balance, Change, CustomerId, LegId, ParticipantId, TransactionId};
use uuid::Uuid;

use crate::account::{AccountKind, AccountState};
use crate::branch::Content;
use crate::state::Site;

/// An account with money in it.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub site: Site,
    pub opening: i64,
    pub exclusive: bool,
}

/// An account that admits any number of prepared branches.
pub const fn escrow(site: Site, opening: i64) -> Account {
    Account {
        site,
        opening,
        exclusive: false,
    }
}

/// An account that admits one prepared branch at a time.
pub const fn exclusive(site: Site, opening: i64) -> Account {
    Account {
        site,
        opening,
        exclusive: true,
    }
}

/// A change to the account of this number.
#[derive(Debug, Clone, Copy)]
pub struct Leg {
    account: usize,
    change: i64,
    transfer_index: u16,
}

/// One transfer: accounts by number, and their changes.
pub fn transfer(legs: &[(usize, i64)]) -> Vec<Leg> {
    linked(&[legs])
}

/// Several transfers that are one transaction.
pub fn linked(transfers: &[&[(usize, i64)]]) -> Vec<Leg> {
    let transfers = transfers.iter().zip(0_u16..);
    transfers
        .flat_map(|(legs, transfer_index)| {
            legs.iter().map(move |(account, change)| Leg {
                account: *account,
                change: *change,
                transfer_index,
            })
        })
        .collect()
}

/// Money of the service's kind.
pub fn balance(amount: i64) -> Balance {
    Balance::try_from(Decimal::from(amount)).expect("a small number")
}

fn account_id(number: usize) -> AccountId {
    AccountId::from_uuid(Uuid::from_u128(1 + number as u128))
}

impl Account {
    /// The account of this number when nothing has happened yet.
    pub fn opened(self, number: usize) -> AccountState {
        AccountState {
            account_id: account_id(number),
            kind: AccountKind::Customer,
            customer_id: Some(CustomerId::from_uuid(Uuid::from_u128(1))),
            currency: "USD".parse().expect("a currency"),
            status: AccountStatus::Active,
            locking: if self.exclusive {
                Locking::Exclusive
            } else {
                Locking::Escrow
            },
            balance: balance(self.opening),
            pending_debits: Balance::ZERO,
            pending_credits: Balance::ZERO,
            reserved_credits: Balance::ZERO,
            overdraft_limit: Balance::ZERO,
            transaction_lock: None,
            version: 0,
        }
    }
}

/// What falls to one bank of one transaction.
#[derive(Debug, Clone)]
pub struct Part {
    pub transaction_id: TransactionId,
    /// What the service is given.
    pub content: Content,
    /// The same, for the properties, who do not ask the service what it means.
    pub net: BTreeMap<AccountId, i64>,
    /// How many legs each account has.
    pub legs: BTreeMap<AccountId, i64>,
    /// The exclusive accounts among them, with the lock that it would put there.
    pub locks: BTreeMap<AccountId, LegId>,
}

/// A transaction, part by part.
pub fn parts(
    banks: &[ParticipantId],
    accounts: &[Account],
    number: usize,
    legs: &[Leg],
) -> BTreeMap<Site, Part> {
    let transaction_id = TransactionId::from_uuid(Uuid::from_u128(1_000 + number as u128));
    let sites: BTreeSet<Site> = legs.iter().map(|leg| accounts[leg.account].site).collect();
    let at = |site: Site| {
        legs.iter()
            .filter(move |leg| accounts[leg.account].site == site)
    };
    let share = |site| at(site).map(|leg| leg.change).sum::<i64>();
    let shares: Vec<Share> = sites
        .iter()
        .map(|site| Share {
            participant: banks[*site].clone(),
            net: balance(share(*site)),
        })
        .collect();
    let part = |site: Site| {
        let prepare = Prepare {
            transaction_id,
            currency: "USD".parse().expect("a currency"),
            legs: at(site)
                .map(|leg| message::Leg {
                    account_id: account_id(leg.account),
                    change: Change::try_from(Decimal::from(leg.change)).expect("a change"),
                    transfer_index: leg.transfer_index,
                })
                .collect(),
            debits_owned_by: None,
            shares: shares.clone(),
            descriptions: Vec::new(),
        };
        let (mut net, mut count, mut locks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for leg in at(site) {
            let id = account_id(leg.account);
            *net.entry(id).or_insert(0) += leg.change;
            *count.entry(id).or_insert(0) += 1;
            if accounts[leg.account].exclusive {
                locks.insert(id, LegId::derive(transaction_id, id));
            }
        }
        Part {
            transaction_id,
            content: Content::from(prepare),
            net,
            legs: count,
            locks,
        }
    };
    sites.iter().map(|site| (*site, part(*site))).collect()
}

//! An account as plain data: what votes and the ledger are computed from.

use std::collections::BTreeMap;

use two_phase::planted::{Bug, is_planted};
use types::views::{AccountStatus, Locking};
use types::{AccountId, Balance, Currency, CustomerId, LegId, ParticipantId};

/// Whose money an account counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountKind {
    /// A customer's.
    Customer,
    /// The bank's cash: what was paid in is owed to customers, so its balance is negative.
    Vault,
    /// What another bank owes this one.
    Clearing,
    /// What sagas have taken from one account and not given to another yet.
    InTransit,
}

impl AccountKind {
    /// The kind as it stands in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Vault => "vault",
            Self::Clearing => "clearing",
            Self::InTransit => "in_transit",
        }
    }
}

/// An account whose row is locked, so that nothing else changes it meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// Which account.
    pub account_id: AccountId,
    /// Whose money it counts.
    pub kind: AccountKind,
    /// Its owner; `None` for system accounts.
    pub customer_id: Option<CustomerId>,
    /// Its currency, for ever.
    pub currency: Currency,
    /// Whether it takes part.
    pub status: AccountStatus,
    /// How prepared branches share it.
    pub locking: Locking,
    /// What is booked.
    pub balance: Balance,
    /// Held for prepared debits.
    pub pending_debits: Balance,
    /// Announced by prepared credits.
    pub pending_credits: Balance,
    /// Credited by unfinished sagas, not yet spendable.
    pub reserved_credits: Balance,
    /// How far below zero it may go.
    pub overdraft_limit: Balance,
    /// The leg that holds the exclusive lock.
    pub transaction_lock: Option<LegId>,
    /// How many ledger entries it has.
    pub version: i64,
}

/// Locked accounts by id.
pub type Accounts = BTreeMap<AccountId, AccountState>;

impl AccountState {
    /// What can be spent: `balance − pending_debits − reserved_credits + overdraft_limit`.
    ///
    /// Uncommitted credits never count, so every subset of the prepared branches may commit and
    /// the balance stays legal (O'Neil, "The Escrow Transactional Method", 1986). `None` when the
    /// numbers no longer fit a balance.
    #[must_use]
    pub fn available(&self) -> Option<Balance> {
        if is_planted(Bug::UncommittedCreditSpendable) {
            return self.balance.plus(self.pending_credits);
        }
        let reserved = if is_planted(Bug::ReservedCreditSpendable) {
            Balance::ZERO
        } else {
            self.reserved_credits
        };
        self.balance
            .minus(self.pending_debits)?
            .minus(reserved)?
            .plus(self.overdraft_limit)
    }

    /// Whether `amount` can be taken away, now and whatever becomes of the prepared branches.
    #[must_use]
    pub fn covers(&self, amount: Balance) -> bool {
        self.available()
            .is_some_and(|available| available >= amount)
    }

    /// Whether `amount` can be added without reaching the limit of 10^15, even if every announced
    /// credit arrives.
    #[must_use]
    pub fn has_room_for(&self, amount: Balance) -> bool {
        self.balance
            .plus(self.pending_credits)
            .and_then(|sum| sum.plus(amount))
            .is_some_and(|sum| sum < Balance::LIMIT)
    }

    /// Nothing is booked, held, announced, reserved or locked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.balance.is_zero()
            && self.pending_debits.is_zero()
            && self.pending_credits.is_zero()
            && self.reserved_credits.is_zero()
            && self.transaction_lock.is_none()
    }
}

/// A system account: its id and purpose follow from the bank, the kind and the currency alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemAccount {
    /// Which account.
    pub account_id: AccountId,
    /// What it is for, in one word for people.
    pub purpose: String,
    /// Its currency.
    pub currency: Currency,
    /// Whose money it counts.
    pub kind: AccountKind,
}

impl SystemAccount {
    /// The bank's cash in one currency.
    #[must_use]
    pub fn vault(own: &ParticipantId, currency: Currency) -> Self {
        let purpose = format!("vault:{currency}");
        Self::named(own, purpose, currency, AccountKind::Vault)
    }

    /// What `peer` owes this bank in one currency.
    #[must_use]
    pub fn clearing(own: &ParticipantId, peer: &ParticipantId, currency: Currency) -> Self {
        let purpose = format!("clearing:{peer}:{currency}");
        Self::named(own, purpose, currency, AccountKind::Clearing)
    }

    /// What this bank's sagas have in transit in one currency.
    #[must_use]
    pub fn in_transit(own: &ParticipantId, currency: Currency) -> Self {
        let purpose = format!("in_transit:{currency}");
        Self::named(own, purpose, currency, AccountKind::InTransit)
    }

    fn named(own: &ParticipantId, purpose: String, currency: Currency, kind: AccountKind) -> Self {
        Self {
            account_id: AccountId::system(own, &purpose),
            purpose,
            currency,
            kind,
        }
    }
}

/// Accounts for the tables of tests.
#[cfg(test)]
pub mod samples {
    use super::*;

    /// Money from text.
    pub fn money(text: &str) -> Balance {
        text.parse().expect("a balance")
    }

    /// The id `n`.
    pub fn id(n: u128) -> AccountId {
        AccountId::from_uuid(uuid::Uuid::from_u128(n))
    }

    /// The customer `n`.
    pub fn customer(n: u128) -> CustomerId {
        CustomerId::from_uuid(uuid::Uuid::from_u128(n))
    }

    /// US dollars.
    pub fn usd() -> Currency {
        "USD".parse().expect("a currency")
    }

    /// An active escrow account of customer 1 in US dollars.
    pub fn account(n: u128, balance: &str) -> AccountState {
        AccountState {
            account_id: id(n),
            kind: AccountKind::Customer,
            customer_id: Some(customer(1)),
            currency: usd(),
            status: AccountStatus::Active,
            locking: Locking::Escrow,
            balance: money(balance),
            pending_debits: Balance::ZERO,
            pending_credits: Balance::ZERO,
            reserved_credits: Balance::ZERO,
            overdraft_limit: Balance::ZERO,
            transaction_lock: None,
            version: 0,
        }
    }

    /// Accounts by id.
    pub fn accounts(list: impl IntoIterator<Item = AccountState>) -> Accounts {
        list.into_iter().map(|a| (a.account_id, a)).collect()
    }
}

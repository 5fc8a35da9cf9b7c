//! Accounts, cash and statements.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AccountId, Balance, Change, Currency, CustomerId, DecimalText, EntryId, LegId, Text, Timestamp,
    TransactionId,
};

/// Whether an account takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Open for business.
    Active,
    /// No new debit or credit; what is prepared still finishes.
    Frozen,
    /// Empty for ever.
    Closed,
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        })
    }
}

/// How prepared transfers share an account; fixed when it is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locking {
    /// Several prepared transfers at once, each with its amount held (O'Neil 1986).
    #[default]
    Escrow,
    /// One prepared transfer at a time.
    Exclusive,
}

impl fmt::Display for Locking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Escrow => "escrow",
            Self::Exclusive => "exclusive",
        })
    }
}

/// `POST /accounts`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenAccount {
    /// Whose account.
    pub customer_id: CustomerId,
    /// Its currency, for ever.
    pub currency: Currency,
    /// Paid in from the vault as the first entry.
    #[serde(default)]
    pub opening_balance: Option<DecimalText>,
    /// `escrow` unless said otherwise.
    #[serde(default)]
    pub locking: Option<Locking>,
    /// How far below zero it may go; nothing unless said otherwise.
    #[serde(default)]
    pub overdraft_limit: Option<DecimalText>,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Which account.
    pub account_id: AccountId,
    /// Whose; `null` for the bank's own system accounts.
    pub customer_id: Option<CustomerId>,
    /// Its currency.
    pub currency: Currency,
    /// Whether it takes part.
    pub status: AccountStatus,
    /// What is booked.
    pub balance: Balance,
    /// What can be spent: balance less held debits and reserved credits, plus the overdraft limit.
    pub available_balance: Balance,
    /// Pending credits less pending debits.
    pub pending_change: Balance,
    /// Held for prepared debits.
    pub pending_debits: Balance,
    /// Announced by prepared credits; not yet spendable.
    pub pending_credits: Balance,
    /// The leg that holds the exclusive lock.
    pub transaction_lock: Option<LegId>,
    /// How prepared transfers share it.
    pub locking: Locking,
    /// How far below zero it may go.
    pub overdraft_limit: Balance,
    /// How many entries it has had.
    pub version: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// `PATCH /accounts/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PatchAccount {
    /// Freeze, unfreeze or close.
    pub status: Option<AccountStatus>,
    /// How far below zero it may go.
    pub overdraft_limit: Option<DecimalText>,
}

/// `POST /accounts/{id}/deposits` and `/withdrawals`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cash {
    /// How much.
    pub amount: DecimalText,
    /// Shown on the statement.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub description: Option<Text<200>>,
}

/// Cash that was paid in or out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CashReceipt {
    /// The movement.
    pub transaction_id: TransactionId,
    /// Always `committed`.
    pub status: super::Status,
    /// The line on the statement.
    pub entry: Entry,
}

/// What made an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The balance an account was opened with.
    Opening,
    /// Cash paid in.
    Deposit,
    /// Cash paid out.
    Withdrawal,
    /// One side of a transfer.
    Transfer,
    /// A bank's claim on or debt to another bank.
    Clearing,
    /// A saga's money on its way, from one account and not at another yet.
    Transit,
    /// What a saga that was given up had done, the other way round.
    Refund,
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Opening => "opening",
            Self::Deposit => "deposit",
            Self::Withdrawal => "withdrawal",
            Self::Transfer => "transfer",
            Self::Clearing => "clearing",
            Self::Transit => "transit",
            Self::Refund => "refund",
        })
    }
}

/// One line of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Which entry.
    pub entry_id: EntryId,
    /// On which account.
    pub account_id: AccountId,
    /// The account's version after it.
    pub version: i64,
    /// What it belongs to.
    pub transaction_id: TransactionId,
    /// What made it.
    pub kind: EntryKind,
    /// The signed change.
    pub change: Change,
    /// The balance after it.
    pub balance_after: Balance,
    /// What was said about it.
    pub description: Option<String>,
    /// When it was booked.
    pub created_at: Timestamp,
}

//! The file: one JSON document on each line, each an object with one field that says what it is.
//!
//! First a header, then events in the order in which they were written down, then what the bank
//! said at the end: accounts, ledger entries, transactions, idempotency keys. The last line counts
//! the others, so that a file that was cut off is not taken for a whole one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use types::views::{EntryKind, Status};
use types::{AccountId, Amount, Balance, Change, Currency, TransactionId};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// Everything that was written down about one run.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// How the run began.
    pub header: Header,
    /// What the clients did and saw.
    pub events: Vec<Event>,
    /// Every account at the end, system accounts included.
    pub accounts: Vec<FinalAccount>,
    /// Every ledger entry of every bank.
    pub entries: Vec<Entry>,
    /// The coordinator's record of every transaction.
    pub records: Vec<Record>,
    /// Every request that was kept under its key.
    pub keys: Vec<KeyRecord>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first.
    Header(Header),
    /// What a client did or saw.
    Event(Event),
    /// An account at the end.
    Account(FinalAccount),
    /// A ledger entry.
    Entry(Entry),
    /// A transaction at the end.
    Record(Record),
    /// A request at the end.
    Key(KeyRecord),
    /// The last: how many lines came before it.
    End(u64),
}

/// How the run began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// What the faults and the load were drawn from.
    pub seed: u64,
    /// The kinds of faults.
    pub mix: String,
    /// The version of each program, by name.
    pub versions: BTreeMap<String, String>,
    /// The accounts the clients use, before the first event.
    pub accounts: Vec<StartAccount>,
}

/// An account before the first event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartAccount {
    /// Which account.
    pub account: AccountId,
    /// At which bank.
    pub bank: String,
    /// What was booked.
    pub balance: Balance,
    /// How many entries it had.
    pub version: i64,
}

/// What one client did or saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Nanoseconds since the run began, on a clock that never goes back.
    pub at: u64,
    /// Which client.
    pub client: u32,
    /// Which request: one number for each time something is sent.
    pub operation: u64,
    /// What happened.
    pub what: What,
}

/// A request is sent, or its answer is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is sent.
    Invoke(Request),
    /// It was done.
    Ok(Reply),
    /// It was refused for good.
    Fail {
        /// The stable code.
        code: String,
        /// The transaction that was aborted, when one was begun.
        transaction: Option<TransactionId>,
    },
    /// Nobody can say: no answer, or one that promises nothing.
    Unknown {
        /// What came instead.
        why: String,
    },
}

/// One signed change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Leg {
    /// Which account.
    pub account: AccountId,
    /// Negative is a debit.
    pub change: Change,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A transfer of two or more legs.
    Transfer {
        /// Its idempotency key.
        key: String,
        /// `2pc` or `saga`.
        protocol: String,
        /// Its legs.
        legs: Vec<Leg>,
    },
    /// Several transfers.
    Batch {
        /// Its idempotency key.
        key: String,
        /// All or none.
        linked: bool,
        /// The legs of each.
        transfers: Vec<Vec<Leg>>,
    },
    /// Cash paid in.
    Deposit {
        /// Its idempotency key.
        key: String,
        /// To which account.
        account: AccountId,
        /// How much.
        amount: Amount,
    },
    /// Cash paid out.
    Withdrawal {
        /// Its idempotency key.
        key: String,
        /// From which account.
        account: AccountId,
        /// How much.
        amount: Amount,
    },
    /// What stands on an account?
    Read {
        /// Which account.
        account: AccountId,
    },
    /// What stands on all accounts of a bank, in one answer?
    List {
        /// Which bank.
        bank: String,
    },
    /// Where does a transaction stand?
    Status {
        /// Which transaction.
        transaction: TransactionId,
    },
}

impl Request {
    /// The idempotency key, of a request that has one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Transfer { key, .. }
            | Self::Batch { key, .. }
            | Self::Deposit { key, .. }
            | Self::Withdrawal { key, .. } => Some(key),
            Self::Read { .. } | Self::List { .. } | Self::Status { .. } => None,
        }
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A transfer is committed.
    Transfer {
        /// As which transaction.
        transaction: TransactionId,
        /// Every bank has booked it.
        settled: bool,
    },
    /// A batch was carried out; what became of each transfer, in the order of the request.
    Batch(Vec<ItemResult>),
    /// Cash moved.
    Cash {
        /// As which transaction.
        transaction: TransactionId,
        /// The account's version after it.
        version: i64,
        /// The account's balance after it.
        balance_after: Balance,
    },
    /// One account.
    Account(Seen),
    /// All accounts of a bank.
    Accounts(Vec<Seen>),
    /// A transaction.
    Status {
        /// Where it stands.
        status: Status,
        /// Every bank has acknowledged.
        settled: bool,
    },
}

/// What became of one transfer of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResult {
    /// Its transaction; none when it was refused before it began.
    pub transaction: Option<TransactionId>,
    /// Where it stands; pending is *unknown*.
    pub status: Status,
    /// Why it was refused.
    pub code: Option<String>,
}

/// An account as a client saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which account.
    pub account: AccountId,
    /// What was booked.
    pub balance: Balance,
    /// What could be spent.
    pub available: Balance,
    /// How many entries it had.
    pub version: i64,
}

/// An account at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinalAccount {
    /// Which account.
    pub account: AccountId,
    /// At which bank.
    pub bank: String,
    /// In which currency.
    pub currency: Currency,
    /// `customer`, `vault` or `clearing`.
    pub kind: String,
    /// How far below zero it may go.
    pub limit: Balance,
    /// What is booked.
    pub balance: Balance,
    /// How many entries it has.
    pub version: i64,
}

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// On which account.
    pub account: AccountId,
    /// The account's version after it.
    pub version: i64,
    /// What it belongs to.
    pub transaction: TransactionId,
    /// Which transfer of a linked batch.
    pub transfer_index: u16,
    /// Which step of a saga, negative for what undid it; 0 for everything else.
    #[serde(default)]
    pub step: i16,
    /// What made it.
    pub kind: EntryKind,
    /// The signed change.
    pub change: Balance,
    /// The balance after it.
    pub balance_after: Balance,
}

/// A transaction at the end, as the coordinator knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which transaction.
    pub transaction: TransactionId,
    /// Where it stands.
    pub status: Status,
    /// Why it was aborted.
    pub reason: Option<String>,
    /// Its legs, each with the transfer it belongs to.
    pub legs: Vec<(u16, Leg)>,
}

/// A request at the end, as the service that took it knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Which service, or which bank.
    pub service: String,
    /// The idempotency key.
    pub key: String,
    /// What was begun under it, in the order of the request.
    pub transactions: Vec<TransactionId>,
}

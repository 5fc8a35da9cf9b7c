//! A history with everything that belongs together found: requests and their answers, requests
//! under one key, a transaction's entries, an account's rows.

use std::collections::{BTreeMap, HashMap};

use types::views::{EntryKind, Status};
use types::{AccountId, TransactionId};

use crate::format::{Entry, FinalAccount, History, KeyRecord, Leg, Record, Reply, Request, What};
use crate::units::{Units, of_balance};

/// Not known to have ended, ever.
pub(crate) const NEVER: u64 = u64::MAX;

/// One request that was sent, and what came back.
pub(crate) struct Operation<'a> {
    pub(crate) number: u64,
    pub(crate) client: u32,
    pub(crate) request: &'a Request,
    pub(crate) invoked: u64,
    /// [`NEVER`] when no answer came.
    pub(crate) completed: u64,
    pub(crate) outcome: Option<&'a What>,
}

/// All that was sent under one idempotency key.
pub(crate) struct Group<'a> {
    pub(crate) key: &'a str,
    /// The first request; the others must be the same.
    pub(crate) request: &'a Request,
    pub(crate) operations: Vec<usize>,
    /// When the first was sent.
    pub(crate) start: u64,
    /// What services kept under the key.
    pub(crate) kept: Vec<&'a KeyRecord>,
}

/// Everything about one transaction.
pub(crate) struct Transaction<'a> {
    pub(crate) id: TransactionId,
    pub(crate) record: Option<&'a Record>,
    /// What was sent for it, and which transfer of the request it is.
    pub(crate) group: Option<(usize, usize)>,
    /// Nothing of it can have happened before.
    pub(crate) start: u64,
    /// All of it has happened, or been given up, everywhere by then.
    pub(crate) settled: u64,
    pub(crate) entries: Vec<&'a Entry>,
}

impl Transaction<'_> {
    /// Whether it stands in the ledgers: something of it is booked, and not all of that booked back,
    /// as by a saga that was given up.
    pub(crate) fn is_booked(&self) -> bool {
        let mut left: BTreeMap<AccountId, Units> = BTreeMap::new();
        for entry in &self.entries {
            *left.entry(entry.account).or_default() += of_balance(entry.change);
        }
        let mut kinds = self.entries.iter().map(|entry| entry.kind);
        let is_refunded =
            kinds.any(|kind| kind == EntryKind::Refund) && left.values().all(|units| *units == 0);
        !self.entries.is_empty() && !is_refunded
    }
}

/// The rows of one account, by version.
pub(crate) struct Ledger<'a> {
    pub(crate) account: &'a FinalAccount,
    pub(crate) rows: Vec<&'a Entry>,
}

impl Ledger<'_> {
    /// The row that made this version; none for 0 and where there is a gap.
    pub(crate) fn row(&self, version: i64) -> Option<&Entry> {
        let place = usize::try_from(version.checked_sub(1)?).ok()?;
        let row = self.rows.get(place)?;
        (row.version == version).then_some(*row)
    }
}

pub(crate) struct Digest<'a> {
    pub(crate) history: &'a History,
    pub(crate) operations: Vec<Operation<'a>>,
    pub(crate) groups: Vec<Group<'a>>,
    pub(crate) ledgers: Vec<Ledger<'a>>,
    pub(crate) ledger_of: HashMap<AccountId, usize>,
    pub(crate) transactions: Vec<Transaction<'a>>,
    pub(crate) transaction_of: HashMap<TransactionId, usize>,
}

impl<'a> Digest<'a> {
    pub(crate) fn of(history: &'a History) -> Self {
        let mut digest = Self {
            history,
            operations: operations(history),
            groups: Vec::new(),
            ledgers: Vec::new(),
            ledger_of: HashMap::new(),
            transactions: Vec::new(),
            transaction_of: HashMap::new(),
        };
        digest.find_ledgers();
        digest.find_groups();
        digest.find_transactions();
        digest.find_ends();
        digest
    }

    pub(crate) fn ledger(&self, account: AccountId) -> Option<&Ledger<'a>> {
        self.ledger_of.get(&account).map(|at| &self.ledgers[*at])
    }

    pub(crate) fn transaction(&self, id: TransactionId) -> Option<&Transaction<'a>> {
        self.transaction_of
            .get(&id)
            .map(|at| &self.transactions[*at])
    }

    /// An operation in words.
    pub(crate) fn name(&self, operation: usize) -> String {
        let Operation {
            number,
            client,
            request,
            ..
        } = &self.operations[operation];
        let what = match request {
            Request::Transfer { key, .. } => format!("transfer {key}"),
            Request::Batch { key, .. } => format!("batch {key}"),
            Request::Deposit { key, .. } => format!("deposit {key}"),
            Request::Withdrawal { key, .. } => format!("withdrawal {key}"),
            Request::Read { account } => format!("read of {account}"),
            Request::List { bank } => format!("list of {bank}"),
            Request::Status { transaction } => format!("status of {transaction}"),
        };
        format!("request {number} of client {client} ({what})")
    }

    fn find_ledgers(&mut self) {
        for account in &self.history.accounts {
            self.ledger_of.insert(account.account, self.ledgers.len());
            self.ledgers.push(Ledger {
                account,
                rows: Vec::new(),
            });
        }
        for entry in &self.history.entries {
            if let Some(at) = self.ledger_of.get(&entry.account) {
                self.ledgers[*at].rows.push(entry);
            }
        }
        for ledger in &mut self.ledgers {
            ledger.rows.sort_by_key(|row| row.version);
        }
    }

    fn find_groups(&mut self) {
        let mut group_of: HashMap<&str, usize> = HashMap::new();
        for (at, operation) in self.operations.iter().enumerate() {
            let Some(key) = operation.request.key() else {
                continue;
            };
            let group = *group_of.entry(key).or_insert_with(|| {
                self.groups.push(Group {
                    key,
                    request: operation.request,
                    operations: Vec::new(),
                    start: operation.invoked,
                    kept: Vec::new(),
                });
                self.groups.len() - 1
            });
            let group = &mut self.groups[group];
            group.operations.push(at);
            group.start = group.start.min(operation.invoked);
        }
        for kept in &self.history.keys {
            if let Some(group) = group_of.get(kept.key.as_str()) {
                self.groups[*group].kept.push(kept);
            }
        }
    }

    fn find_transactions(&mut self) {
        for record in &self.history.records {
            let at = self.about(record.transaction);
            self.transactions[at].record = Some(record);
        }
        for entry in &self.history.entries {
            let at = self.about(entry.transaction);
            self.transactions[at].entries.push(entry);
        }
        for group in 0..self.groups.len() {
            for (item, id) in self.ids_of(group) {
                let at = self.about(id);
                self.transactions[at].group = Some((group, item));
                self.transactions[at].start = self.groups[group].start;
            }
        }
    }

    /// The transactions of a group, each with its place in the request.
    fn ids_of(&self, group: usize) -> Vec<(usize, TransactionId)> {
        let group = &self.groups[group];
        let mut ids: BTreeMap<TransactionId, usize> = BTreeMap::new();
        for kept in &group.kept {
            for (item, id) in kept.transactions.iter().enumerate() {
                ids.insert(*id, item);
            }
        }
        // What an answer says about places is more than what a key remembers.
        for operation in &group.operations {
            match self.operations[*operation].outcome {
                Some(What::Ok(Reply::Transfer { transaction, .. }))
                | Some(What::Ok(Reply::Cash { transaction, .. }))
                | Some(What::Fail {
                    transaction: Some(transaction),
                    ..
                }) => {
                    ids.insert(*transaction, 0);
                }
                Some(What::Ok(Reply::Batch(results))) => {
                    for (item, result) in results.iter().enumerate() {
                        if let Some(id) = result.transaction {
                            let linked =
                                matches!(group.request, Request::Batch { linked: true, .. });
                            ids.insert(id, if linked { 0 } else { item });
                        }
                    }
                }
                _ => {}
            }
        }
        ids.into_iter().map(|(id, item)| (item, id)).collect()
    }

    fn find_ends(&mut self) {
        let mut ends: Vec<(TransactionId, u64)> = Vec::new();
        for operation in &self.operations {
            let end = match (operation.request, operation.outcome) {
                (
                    _,
                    Some(What::Ok(Reply::Transfer {
                        transaction,
                        settled: true,
                    })),
                )
                | (_, Some(What::Ok(Reply::Cash { transaction, .. }))) => Some(*transaction),
                (
                    Request::Status { transaction },
                    Some(What::Ok(Reply::Status {
                        status,
                        settled: true,
                    })),
                ) if *status != Status::Pending => Some(*transaction),
                _ => None,
            };
            ends.extend(end.map(|id| (id, operation.completed)));
        }
        for (id, end) in ends {
            let at = self.about(id);
            let transaction = &mut self.transactions[at];
            transaction.settled = transaction.settled.min(end);
        }
    }

    fn about(&mut self, id: TransactionId) -> usize {
        *self.transaction_of.entry(id).or_insert_with(|| {
            self.transactions.push(Transaction {
                id,
                record: None,
                group: None,
                start: 0,
                settled: NEVER,
                entries: Vec::new(),
            });
            self.transactions.len() - 1
        })
    }
}

fn operations(history: &History) -> Vec<Operation<'_>> {
    let mut operations: Vec<Operation<'_>> = Vec::new();
    let mut place: HashMap<u64, usize> = HashMap::new();
    for event in &history.events {
        if let What::Invoke(request) = &event.what {
            place.insert(event.operation, operations.len());
            operations.push(Operation {
                number: event.operation,
                client: event.client,
                request,
                invoked: event.at,
                completed: NEVER,
                outcome: None,
            });
        } else if let Some(at) = place.get(&event.operation) {
            operations[*at].outcome = Some(&event.what);
            if !matches!(event.what, What::Unknown { .. }) {
                operations[*at].completed = event.at;
            }
        }
    }
    operations
}

/// What a request moves: the legs of each of its transactions. A linked batch is one.
pub(crate) fn transfers_of(request: &Request) -> Vec<Vec<(u16, Leg)>> {
    let indexed = |index: usize, legs: &[Leg]| -> Vec<(u16, Leg)> {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        legs.iter().map(|leg| (index, *leg)).collect()
    };
    match request {
        Request::Transfer { legs, .. } => vec![indexed(0, legs)],
        Request::Batch {
            linked: false,
            transfers,
            ..
        } => transfers.iter().map(|legs| indexed(0, legs)).collect(),
        Request::Batch { transfers, .. } => {
            let all = transfers.iter().enumerate();
            vec![all.flat_map(|(index, legs)| indexed(index, legs)).collect()]
        }
        _ => Vec::new(),
    }
}

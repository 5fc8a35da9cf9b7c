//! A bank that is simulated in a few lines, and what its clients see.

use std::collections::BTreeMap;

use types::views::{EntryKind, Status};
use types::{AccountId, Balance, TransactionId};
use uuid_of::uuid_of;

use crate::format::{
    Entry, Event, FORMAT, FinalAccount, Header, History, KeyRecord, Leg, Record, Reply, Request,
    Seen, StartAccount, What,
};

mod uuid_of {
    /// A fixed identifier with a number in it.
    pub(crate) fn uuid_of<T: std::str::FromStr>(kind: u16, number: u64) -> T {
        let text = format!("00000000-0000-7000-{kind:04x}-{number:012x}");
        text.parse().ok().unwrap()
    }
}

pub(crate) fn money(text: &str) -> Balance {
    text.parse().unwrap()
}

/// Account 1 and 2 are at bank-1, 11 and 12 at bank-2, and so on.
pub(crate) fn account(number: u64) -> AccountId {
    uuid_of(0x8001, number)
}

/// The other way round.
pub(crate) fn account_number(id: AccountId) -> u64 {
    let text = id.to_string();
    u64::from_str_radix(&text[24..], 16).unwrap()
}

pub(crate) fn transaction(number: u64) -> TransactionId {
    uuid_of(0x8002, number)
}

fn bank_of(number: u64) -> String {
    format!("bank-{}", number / 10 + 1)
}

pub(crate) fn leg(number: u64, change: &str) -> Leg {
    Leg {
        account: account(number),
        change: change.parse().unwrap(),
    }
}

/// Money from one account to another.
pub(crate) fn legs(from: u64, to: u64, amount: &str) -> Vec<Leg> {
    vec![leg(from, &format!("-{amount}")), leg(to, amount)]
}

pub(crate) fn transfer(key: &str, from: u64, to: u64, amount: &str) -> Request {
    Request::Transfer {
        key: key.to_owned(),
        protocol: "2pc".to_owned(),
        legs: legs(from, to, amount),
    }
}

pub(crate) fn read(number: u64) -> Request {
    Request::Read {
        account: account(number),
    }
}

/// A run that is being written down.
pub(crate) struct Run {
    pub(crate) history: History,
    numbers: BTreeMap<AccountId, u64>,
    keys: BTreeMap<String, usize>,
    next: u64,
}

impl Run {
    /// Accounts with 100.00 each; the vaults have number 9 of each ten, clearing number 8.
    pub(crate) fn new(accounts: &[u64]) -> Self {
        let mut run = Self {
            history: History {
                header: Header {
                    format: FORMAT,
                    seed: 1,
                    mix: "none".to_owned(),
                    versions: BTreeMap::new(),
                    accounts: Vec::new(),
                },
                events: Vec::new(),
                accounts: Vec::new(),
                entries: Vec::new(),
                records: Vec::new(),
                keys: Vec::new(),
            },
            numbers: BTreeMap::new(),
            keys: BTreeMap::new(),
            next: 1,
        };
        for number in accounts {
            run.open(*number);
        }
        run
    }

    fn open(&mut self, number: u64) {
        let vault = number / 10 * 10 + 9;
        let id = transaction(1_000_000 + number);
        let kind = EntryKind::Opening;
        self.post(id, vault, kind, "-100".parse().unwrap());
        self.post(id, number, kind, "100".parse().unwrap());
        self.history.header.accounts.push(StartAccount {
            account: account(number),
            bank: bank_of(number),
            balance: money("100"),
            version: 1,
        });
    }

    /// Appends an entry and brings its account up to date.
    pub(crate) fn post(
        &mut self,
        id: TransactionId,
        number: u64,
        kind: EntryKind,
        change: Balance,
    ) {
        if self.numbers.insert(account(number), number).is_none() {
            self.history.accounts.push(FinalAccount {
                account: account(number),
                bank: bank_of(number),
                currency: "USD".parse().unwrap(),
                kind: match number % 10 {
                    9 => "vault",
                    8 => "clearing",
                    7 => "in_transit",
                    _ => "customer",
                }
                .to_owned(),
                limit: Balance::ZERO,
                balance: Balance::ZERO,
                version: 0,
            });
        }
        let state = self.account_mut(number);
        state.version += 1;
        state.balance = state.balance.plus(change).unwrap();
        let (version, balance_after) = (state.version, state.balance);
        self.history.entries.push(Entry {
            account: account(number),
            version,
            transaction: id,
            transfer_index: 0,
            step: 0,
            kind,
            change,
            balance_after,
        });
    }

    pub(crate) fn account_mut(&mut self, number: u64) -> &mut FinalAccount {
        let mut accounts = self.history.accounts.iter_mut();
        accounts.find(|one| one.account == account(number)).unwrap()
    }

    /// The account as somebody would read it now.
    pub(crate) fn seen(&mut self, number: u64) -> Seen {
        let state = self.account_mut(number);
        Seen {
            account: state.account,
            balance: state.balance,
            available: state.balance,
            version: state.version,
        }
    }

    pub(crate) fn balance(&mut self, number: u64) -> Balance {
        self.account_mut(number).balance
    }

    /// A request is sent.
    pub(crate) fn invoke(&mut self, at: u64, client: u32, request: Request) -> u64 {
        let operation = self.next;
        self.next += 1;
        self.event(at, client, operation, What::Invoke(request));
        operation
    }

    /// Something comes back.
    pub(crate) fn event(&mut self, at: u64, client: u32, operation: u64, what: What) {
        let place = self.history.events.partition_point(|one| one.at <= at);
        let event = Event {
            at,
            client,
            operation,
            what,
        };
        self.history.events.insert(place, event);
    }

    /// A request and its answer.
    pub(crate) fn call(&mut self, client: u32, at: (u64, u64), request: Request, what: What) {
        let operation = self.invoke(at.0, client, request);
        self.event(at.1, client, operation, what);
    }

    /// Books legs and notes them as committed under a key, as transaction `number`.
    pub(crate) fn commit(&mut self, number: u64, key: &str, legs: &[Leg]) -> TransactionId {
        let id = transaction(number);
        let mut banks: BTreeMap<u64, Balance> = BTreeMap::new();
        for leg in legs {
            let number = self.numbers[&leg.account];
            self.post(id, number, EntryKind::Transfer, leg.change.into());
            let net = banks.entry(number / 10).or_insert(Balance::ZERO);
            *net = net.plus(leg.change).unwrap();
        }
        for (bank, net) in banks.into_iter().filter(|(_, net)| !net.is_zero()) {
            let counter = Balance::ZERO.minus(net).unwrap();
            self.post(id, bank * 10 + 8, EntryKind::Clearing, counter);
        }
        self.record(id, key, Status::Committed, None, legs);
        id
    }

    /// Notes a transaction that was refused.
    pub(crate) fn abort(
        &mut self,
        number: u64,
        key: &str,
        why: &str,
        legs: &[Leg],
    ) -> TransactionId {
        let id = transaction(number);
        self.record(id, key, Status::Aborted, Some(why), legs);
        id
    }

    fn record(
        &mut self,
        id: TransactionId,
        key: &str,
        status: Status,
        why: Option<&str>,
        legs: &[Leg],
    ) {
        self.history.records.push(Record {
            transaction: id,
            status,
            reason: why.map(str::to_owned),
            legs: legs.iter().map(|leg| (0, *leg)).collect(),
        });
        if let Some(known) = self.keys.get(key) {
            self.history.keys[*known].transactions.push(id);
            return;
        }
        self.keys.insert(key.to_owned(), self.history.keys.len());
        self.history.keys.push(KeyRecord {
            service: "transactions-service".to_owned(),
            key: key.to_owned(),
            transactions: vec![id],
        });
    }

    /// Books cash under a key, as transaction `number`.
    pub(crate) fn cash(&mut self, number: u64, key: &str, at: u64, change: &str) -> Reply {
        let (id, change) = (transaction(number), money(change));
        let kind = if change.is_negative() {
            EntryKind::Withdrawal
        } else {
            EntryKind::Deposit
        };
        self.post(id, at, kind, change);
        let vault = at / 10 * 10 + 9;
        self.post(id, vault, kind, Balance::ZERO.minus(change).unwrap());
        self.history.keys.push(KeyRecord {
            service: bank_of(at),
            key: key.to_owned(),
            transactions: vec![id],
        });
        let seen = self.seen(at);
        Reply::Cash {
            transaction: id,
            version: seen.version,
            balance_after: seen.balance,
        }
    }

    /// A transfer of two legs that is asked for, committed and confirmed.
    pub(crate) fn transfers(
        &mut self,
        at: (u64, u64),
        number: u64,
        from: u64,
        to: u64,
        amount: &str,
    ) {
        let key = format!("k{number}");
        let transaction = self.commit(number, &key, &legs(from, to, amount));
        let reply = Reply::Transfer {
            transaction,
            settled: true,
        };
        self.call(1, at, transfer(&key, from, to, amount), What::Ok(reply));
    }

    /// A read of an account as it is now.
    pub(crate) fn reads(&mut self, client: u32, at: (u64, u64), number: u64) {
        let seen = self.seen(number);
        self.call(client, at, read(number), What::Ok(Reply::Account(seen)));
    }

    /// A list of the bank of these accounts as they are now.
    pub(crate) fn lists(&mut self, client: u32, at: (u64, u64), numbers: &[u64]) {
        let bank = bank_of(numbers[0]);
        let seen = numbers.iter().map(|number| self.seen(*number)).collect();
        let request = Request::List { bank };
        self.call(client, at, request, What::Ok(Reply::Accounts(seen)));
    }

    /// No answer.
    pub(crate) fn silence() -> What {
        What::Unknown {
            why: "no answer".to_owned(),
        }
    }
}

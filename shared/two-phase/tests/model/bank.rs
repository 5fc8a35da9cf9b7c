//! The accounts of one bank: its votes, holds and books are those of accounts-service, the very
//! functions. Only the rows they stand in are the model's, so that states stay small.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use two_phase::Effect;
use two_phase::participant::Finding;
use types::views::{AccountStatus, Locking};
use types::{AccountId, Balance, LegId};

use crate::account::{AccountState, Accounts, SystemAccount};
use crate::ledger::{Book, CannotFinish};
use crate::part::{Part, balance};
use crate::participant::vote;
use crate::scenario::Scenario;
use crate::state::{Participant, Site};

/// What changes about an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Figures {
    pub balance: i64,
    pub pending_debits: i64,
    pub pending_credits: i64,
    pub lock: Option<LegId>,
    pub version: i64,
}

/// The rows of a bank.
pub type Rows = BTreeMap<AccountId, Figures>;

fn number(balance: Balance) -> i64 {
    let number: Decimal = balance.decimal();
    i64::try_from(number).expect("whole and small")
}

impl From<&AccountState> for Figures {
    fn from(account: &AccountState) -> Self {
        Self {
            balance: number(account.balance),
            pending_debits: number(account.pending_debits),
            pending_credits: number(account.pending_credits),
            lock: account.transaction_lock,
            version: account.version,
        }
    }
}

/// The rows before anything has happened.
pub fn opening(accounts: &Accounts) -> Rows {
    let accounts = accounts.iter();
    accounts
        .map(|(id, account)| (*id, Figures::from(account)))
        .collect()
}

/// A clearing account as the service opens it when it is first needed.
fn opened(account: &SystemAccount) -> AccountState {
    AccountState {
        account_id: account.account_id,
        kind: account.kind,
        customer_id: None,
        currency: account.currency,
        status: AccountStatus::Active,
        locking: Locking::Escrow,
        balance: Balance::ZERO,
        pending_debits: Balance::ZERO,
        pending_credits: Balance::ZERO,
        reserved_credits: Balance::ZERO,
        overdraft_limit: Balance::ZERO,
        transaction_lock: None,
        version: 0,
    }
}

/// Locks the accounts of a part, and when it is to be booked the clearing accounts too.
fn read(
    scenario: &Scenario,
    participant: &Participant,
    at: Site,
    part: &Part,
    is_booked: bool,
) -> Accounts {
    let customers = part.net.keys().map(|id| scenario.opening[at][id].clone());
    let clearing = if is_booked {
        part.content.clearing(&scenario.banks[at])
    } else {
        Vec::new()
    };
    let clearing = clearing.iter().map(|(account, _)| opened(account));
    customers
        .chain(clearing)
        .map(|mut account| {
            let id = account.account_id;
            if let Some(row) = participant.accounts.get(&id) {
                account.balance = balance(row.balance);
                account.pending_debits = balance(row.pending_debits);
                account.pending_credits = balance(row.pending_credits);
                account.transaction_lock = row.lock;
                account.version = row.version;
            }
            (id, account)
        })
        .collect()
}

/// Looks at the accounts and votes; what was found possible is held.
pub fn examine(
    scenario: &Scenario,
    participant: &mut Participant,
    at: Site,
    part: &Part,
) -> Finding {
    let mut accounts = read(scenario, participant, at, part, false);
    let finding = vote::vote(&accounts, &part.content, &scenario.banks[at]);
    if finding == Finding::Possible {
        vote::hold(&mut accounts, part.transaction_id, &part.content).expect("found possible");
        participant.accounts.extend(opening(&accounts));
    }
    finding
}

/// Does to the money what a decision asks for, all of it or nothing.
pub fn finish(
    scenario: &Scenario,
    participant: &mut Participant,
    at: Site,
    part: &Part,
    effect: Effect,
) -> Result<(), CannotFinish> {
    let is_booked = effect == Effect::Apply;
    let mut book = Book::new(read(scenario, participant, at, part, is_booked));
    match effect {
        Effect::Nothing | Effect::Tombstone => return Ok(()),
        Effect::Apply => book.apply(part.transaction_id, &part.content, &scenario.banks[at])?,
        Effect::Release => book.release(part.transaction_id, &part.content)?,
    }
    let (changed, _) = book.close();
    let rows = changed.iter();
    let rows = rows.map(|account| (account.account_id, Figures::from(account)));
    participant.accounts.extend(rows);
    Ok(())
}

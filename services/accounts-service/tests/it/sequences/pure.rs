//! The functions that production runs, without production's database: states, votes, holds, books.

use std::collections::{BTreeMap, BTreeSet};

use accounts_service::account::{AccountKind, AccountState, Accounts, SystemAccount};
use accounts_service::branch::Content;
use accounts_service::ledger::Book;
use accounts_service::participant::HazardKind;
use accounts_service::participant::vote::{hold, vote};
use two_phase::message::{Outcome, Prepare};
use two_phase::participant::{PrepareStep, after_vote, on_decision, on_force, on_prepare};
use two_phase::{Acknowledgement, BranchState, Effect, Vote};
use types::views::{AccountStatus, Locking};
use types::{Balance, Code, LegId, TransactionId};
use uuid::Uuid;

use super::real::{Names, balance, content};
use super::story::{ACCOUNTS, FORGOTTEN, Message, Reply, Story};
use super::{Ending, Figures};
use crate::bank::bank_1;

const TOO_LATE: Vote = Vote::No {
    reason: Code::AbortedByRecovery,
};

struct Branch {
    state: BranchState,
    content: Option<Content>,
    reason: Option<Code>,
}

struct Pure<'a> {
    story: &'a Story,
    names: Names,
    accounts: Accounts,
    branches: BTreeMap<usize, Branch>,
    hazards: BTreeSet<(usize, &'static str)>,
}

/// Tells it a sequence.
pub fn run(story: &Story) -> Ending {
    let names = Names::numbered(1);
    let mut bank = Pure {
        story,
        accounts: opening(&names),
        names,
        branches: BTreeMap::new(),
        hazards: BTreeSet::new(),
    };
    let replies = story.messages.iter().map(|message| bank.hears(message));
    let replies = replies.collect();
    bank.ending(replies)
}

fn opening(names: &Names) -> Accounts {
    let account = |(number, account): (usize, &super::story::Account)| AccountState {
        account_id: names.accounts[number],
        kind: AccountKind::Customer,
        customer_id: Some(names.customers[account.owner]),
        currency: account.currency.parse().expect("a currency"),
        status: if account.is_frozen {
            AccountStatus::Frozen
        } else {
            AccountStatus::Active
        },
        locking: if account.is_exclusive {
            Locking::Exclusive
        } else {
            Locking::Escrow
        },
        balance: balance(account.opening),
        pending_debits: Balance::ZERO,
        pending_credits: Balance::ZERO,
        reserved_credits: Balance::ZERO,
        overdraft_limit: balance(account.overdraft),
        transaction_lock: None,
        version: i64::from(account.opening != 0),
    };
    let accounts = ACCOUNTS.iter().enumerate().map(account);
    accounts.map(|state| (state.account_id, state)).collect()
}

fn clearing(account: &SystemAccount) -> AccountState {
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

impl Pure<'_> {
    fn hears(&mut self, message: &Message) -> Reply {
        match message {
            Message::Prepare(list) => {
                let votes = list.iter().map(|(id, variant)| self.prepare(*id, *variant));
                Reply::Votes(votes.collect())
            }
            Message::Decide(list) => {
                let decide = list.iter().map(|(id, outcome)| self.decide(*id, *outcome));
                Reply::Acknowledgements(decide.collect())
            }
            Message::Terminate(list) => {
                let states = list.iter().map(|id| {
                    if !self.branches.contains_key(id) && *id != FORGOTTEN {
                        self.decide(*id, Outcome::Abort);
                    }
                    Some(self.branches.get(id)?.state)
                });
                Reply::States(states.collect())
            }
            Message::Force(id, outcome) => Reply::Forced(self.force(*id, *outcome)),
        }
    }

    fn prepare(&mut self, id: usize, variant: usize) -> Vote {
        let prepare: Prepare = content(self.story, &self.names, id, variant);
        let content = Content::from(prepare);
        let known = self.branches.get(&id);
        if let Some(reason) = known.and_then(|branch| branch.reason) {
            return Vote::No { reason };
        }
        let same = known.is_some_and(|branch| branch.content.as_ref() == Some(&content));
        match on_prepare(known.map(|branch| branch.state), same) {
            PrepareStep::Answer(vote) => {
                if vote == Vote::Contradiction {
                    let kind = HazardKind::PrepareContradiction.as_str();
                    self.hazards.insert((id, kind));
                }
                vote
            }
            PrepareStep::Examine if id == FORGOTTEN => TOO_LATE,
            PrepareStep::Examine => self.examine(id, content),
        }
    }

    fn examine(&mut self, id: usize, content: Content) -> Vote {
        let (next, answer) = after_vote(vote(&self.accounts, &content, &bank_1()));
        if next == Some(BranchState::Prepared) {
            let transaction = self.names.transactions[id];
            hold(&mut self.accounts, transaction, &content).expect("found possible");
        }
        if let Some(state) = next {
            let reason = match answer {
                Vote::No { reason } => Some(reason),
                _ => None,
            };
            let content = Some(content);
            let branch = Branch {
                state,
                content,
                reason,
            };
            self.branches.insert(id, branch);
        }
        answer
    }

    fn decide(&mut self, id: usize, outcome: Outcome) -> Acknowledgement {
        let known = self.branches.get(&id);
        let step = on_decision(known.map(|branch| branch.state), outcome);
        match step.acknowledgement {
            Acknowledgement::Done => {}
            Acknowledgement::Mixed => {
                self.hazards.insert((id, HazardKind::Mixed.as_str()));
            }
            Acknowledgement::Hazard { hazard } => {
                let kind = HazardKind::Decision(hazard).as_str();
                self.hazards.insert((id, kind));
            }
        }
        self.moves_money(id, step.effect);
        match (step.next, self.branches.get_mut(&id)) {
            (Some(state), Some(branch)) => branch.state = state,
            (Some(state), None) if id != FORGOTTEN => {
                let branch = Branch {
                    state,
                    content: None,
                    reason: None,
                };
                self.branches.insert(id, branch);
            }
            _ => {}
        }
        step.acknowledgement
    }

    fn force(&mut self, id: usize, outcome: Outcome) -> Option<BranchState> {
        let known = self.branches.get(&id).map(|branch| branch.state);
        let (state, effect) = on_force(known, outcome).ok()?;
        self.moves_money(id, effect);
        let kind = HazardKind::Forced(outcome).as_str();
        self.hazards.insert((id, kind));
        self.branches.get_mut(&id)?.state = state;
        Some(state)
    }

    fn moves_money(&mut self, id: usize, effect: Effect) {
        if matches!(effect, Effect::Nothing | Effect::Tombstone) {
            return;
        }
        let content = self.branches[&id].content.as_ref();
        let content = content.expect("it was prepared");
        for (account, _) in content.clearing(&bank_1()) {
            let id = account.account_id;
            self.accounts
                .entry(id)
                .or_insert_with(|| clearing(&account));
        }
        let transaction = self.names.transactions[id];
        let mut book = Book::new(self.accounts.clone());
        if effect == Effect::Apply {
            book.apply(transaction, content, &bank_1())
        } else {
            book.release(transaction, content)
        }
        .expect("it was promised");
        let (changed, _) = book.close();
        let changed = changed.into_iter();
        self.accounts
            .extend(changed.map(|state| (state.account_id, state)));
    }

    fn ending(&self, replies: Vec<Reply>) -> Ending {
        let holder = |state: &AccountState| {
            let mut transactions = self.names.transactions.iter();
            let lock = state.transaction_lock?;
            transactions.position(|id| LegId::derive(*id, state.account_id) == lock)
        };
        let number = |balance: Balance| i64::try_from(balance.decimal()).expect("whole");
        let account = |id| {
            let state: &AccountState = self.accounts.get(id)?;
            Some(Figures {
                balance: number(state.balance),
                held_debits: number(state.pending_debits),
                held_credits: number(state.pending_credits),
                lock: holder(state),
                entries: state.version,
            })
        };
        let state = |id| Some(self.branches.get(&id)?.state);
        let hazards = self.hazards.iter();
        Ending {
            replies,
            accounts: self.names.accounts[..ACCOUNTS.len()]
                .iter()
                .map(account)
                .collect(),
            branches: (0..self.story.contents.len()).map(state).collect(),
            hazards: hazards
                .map(|(id, kind)| (*id, (*kind).to_owned()))
                .collect(),
        }
    }
}

impl Names {
    /// Names that need to be unique in this bank alone.
    fn numbered(first: u128) -> Self {
        let transaction = |n: usize| TransactionId::from_uuid(Uuid::from_u128(first + n as u128));
        Self::with(Uuid::from_u128(first << 64), transaction)
    }
}

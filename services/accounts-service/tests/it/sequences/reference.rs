//! The protocol's tables once more, by somebody who has not read the service: nothing here is
//! shared with it but the names of states and answers. No hold is kept: what is held follows from
//! the open branches each time it is asked for.

use std::collections::{BTreeMap, BTreeSet};

use two_phase::message::Outcome;
use two_phase::{Acknowledgement, BranchState, Hazard, Vote};
use types::Code;

use super::story::{ACCOUNTS, Account, Content, FORGOTTEN, LIMIT, Message, Reply, Story};
use super::{Ending, Figures};

/// A branch of the reference bank.
struct Branch<'a> {
    state: BranchState,
    content: Option<&'a Content>,
    reason: Option<Code>,
    is_booked: bool,
}

/// The reference bank.
pub struct Reference<'a> {
    story: &'a Story,
    branches: BTreeMap<usize, Branch<'a>>,
    hazards: BTreeSet<(usize, &'static str)>,
}

const OVER: Vote = Vote::No {
    reason: Code::AbortedByRecovery,
};

fn net(content: &Content, account: usize) -> i64 {
    let legs = content.legs.iter().filter(|leg| leg.account == account);
    legs.map(|leg| leg.change).sum()
}

fn touches(content: &Content, account: usize) -> bool {
    content.legs.iter().any(|leg| leg.account == account)
}

impl<'a> Reference<'a> {
    /// Tells it a sequence.
    pub fn run(story: &'a Story) -> Ending {
        let mut bank = Self {
            story,
            branches: BTreeMap::new(),
            hazards: BTreeSet::new(),
        };
        let replies = story.messages.iter().map(|message| bank.hears(message));
        let replies = replies.collect();
        bank.ending(replies)
    }

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
                for id in list.iter().filter(|id| **id != FORGOTTEN) {
                    self.tombstone(*id);
                }
                let state = |id| Some(self.branches.get(id)?.state);
                Reply::States(list.iter().map(state).collect())
            }
            Message::Force(id, outcome) => Reply::Forced(self.force(*id, *outcome)),
        }
    }

    fn prepare(&mut self, id: usize, variant: usize) -> Vote {
        use BranchState as S;
        let content = &self.story.contents[id][variant];
        if let Some(branch) = self.branches.get(&id) {
            return match (branch.state, branch.reason) {
                (S::Refused, Some(reason)) => Vote::No { reason },
                (S::Prepared | S::Committed | S::HeuristicCommit, _) => {
                    let known = branch.content.expect("it was prepared");
                    if known.sorted() == content.sorted() {
                        Vote::Yes
                    } else {
                        self.hazards.insert((id, "prepare_contradiction"));
                        Vote::Contradiction
                    }
                }
                _ => OVER,
            };
        }
        if id == FORGOTTEN {
            return OVER;
        }
        let (state, vote) = match self.refusal(content) {
            Some(reason) => (S::Refused, Vote::No { reason }),
            None if self.is_locked_for(content) => return Vote::Busy,
            None => (S::Prepared, Vote::Yes),
        };
        let reason = match vote {
            Vote::No { reason } => Some(reason),
            _ => None,
        };
        let branch = Branch {
            state,
            content: Some(content),
            reason,
            is_booked: false,
        };
        self.branches.insert(id, branch);
        vote
    }

    /// Why it can never be promised, in the order of the design.
    fn refusal(&self, content: &Content) -> Option<Code> {
        let mut named: Vec<_> = content.legs.iter().collect();
        named.sort();
        let twice = named.windows(2).any(|two| {
            (two[0].account, two[0].transfer_index) == (two[1].account, two[1].transfer_index)
        });
        if twice {
            return Some(Code::DuplicateAccount);
        }
        if content.is_unbalanced {
            return Some(Code::UnbalancedLegs);
        }
        let touched: BTreeSet<usize> = content.legs.iter().map(|leg| leg.account).collect();
        if touched.iter().any(|account| *account >= ACCOUNTS.len()) {
            return Some(Code::AccountNotFound);
        }
        if let Some(owner) = content.debits_owned_by {
            let mut debits = content.legs.iter().filter(|leg| leg.change < 0);
            if debits.any(|leg| ACCOUNTS[leg.account].owner != owner) {
                return Some(Code::AccountNotFound);
            }
        }
        let any = |wrong: fn(&Account) -> bool| touched.iter().any(|a| wrong(&ACCOUNTS[*a]));
        if any(|account| account.is_frozen) {
            return Some(Code::AccountFrozen);
        }
        if any(|account| account.currency != "USD") {
            return Some(Code::CurrencyMismatch);
        }
        touched
            .iter()
            .find_map(|account| self.beyond_limits(*account, net(content, *account)))
    }

    fn beyond_limits(&self, account: usize, change: i64) -> Option<Code> {
        if self.holder(account).is_some() {
            // Nobody knows before the lock is gone.
            return None;
        }
        let open = || self.open().map(|(_, content)| net(content, account));
        let worst: i64 = self.balance(account) + open().filter(|net| *net < 0).sum::<i64>();
        let best: i64 = self.balance(account) + open().filter(|net| *net > 0).sum::<i64>();
        if change < 0 && worst + change < -ACCOUNTS[account].overdraft {
            Some(Code::InsufficientFunds)
        } else if change > 0 && best + change >= LIMIT {
            Some(Code::BalanceLimit)
        } else {
            None
        }
    }

    fn is_locked_for(&self, content: &Content) -> bool {
        (0..ACCOUNTS.len()).any(|a| touches(content, a) && self.holder(a).is_some())
    }

    fn open(&self) -> impl Iterator<Item = (usize, &'a Content)> + '_ {
        let open = self.branches.iter();
        open.filter(|(_, branch)| branch.state == BranchState::Prepared)
            .filter_map(|(id, branch)| Some((*id, branch.content?)))
    }

    /// Which open branch has an exclusive account.
    fn holder(&self, account: usize) -> Option<usize> {
        let mut open = self.open();
        let (holder, _) = open.find(|(_, content)| touches(content, account))?;
        ACCOUNTS[account].is_exclusive.then_some(holder)
    }

    fn booked(&self) -> impl Iterator<Item = &'a Content> + '_ {
        let booked = self.branches.values().filter(|branch| branch.is_booked);
        booked.filter_map(|branch| branch.content)
    }

    fn balance(&self, account: usize) -> i64 {
        let changes = self.booked().map(|content| net(content, account));
        ACCOUNTS[account].opening + changes.sum::<i64>()
    }

    fn tombstone(&mut self, id: usize) {
        self.branches.entry(id).or_insert(Branch {
            state: BranchState::Aborted,
            content: None,
            reason: None,
            is_booked: false,
        });
    }

    fn decide(&mut self, id: usize, outcome: Outcome) -> Acknowledgement {
        use Acknowledgement::{Done, Mixed};
        use BranchState as S;
        use Outcome::{Abort, Commit};
        let Some(branch) = self.branches.get_mut(&id) else {
            if outcome == Commit {
                return self.hazard(id, Hazard::BranchMissing, "branch_missing");
            }
            if id != FORGOTTEN {
                self.tombstone(id);
            }
            return Done;
        };
        match (branch.state, outcome) {
            (S::Prepared, Commit) => {
                (branch.state, branch.is_booked) = (S::Committed, true);
                Done
            }
            (S::Prepared, Abort) => {
                branch.state = S::Aborted;
                Done
            }
            (S::Committed | S::HeuristicCommit, Commit)
            | (S::Aborted | S::Refused | S::HeuristicAbort, Abort) => Done,
            (S::Committed, Abort) => {
                self.hazard(id, Hazard::AbortAfterCommit, "abort_after_commit")
            }
            (S::Aborted | S::Refused, Commit) => {
                self.hazard(id, Hazard::CommitAfterAbort, "commit_after_abort")
            }
            (S::HeuristicCommit | S::HeuristicAbort | S::HeuristicMixed, _) => {
                branch.state = S::HeuristicMixed;
                self.hazards.insert((id, "heuristic_mixed"));
                Mixed
            }
        }
    }

    fn hazard(&mut self, id: usize, hazard: Hazard, kind: &'static str) -> Acknowledgement {
        self.hazards.insert((id, kind));
        Acknowledgement::Hazard { hazard }
    }

    fn force(&mut self, id: usize, outcome: Outcome) -> Option<BranchState> {
        let branch = self.branches.get_mut(&id)?;
        if branch.state != BranchState::Prepared {
            return None;
        }
        branch.is_booked = outcome == Outcome::Commit;
        let (state, kind) = match outcome {
            Outcome::Commit => (BranchState::HeuristicCommit, "heuristic_commit"),
            Outcome::Abort => (BranchState::HeuristicAbort, "heuristic_abort"),
        };
        branch.state = state;
        // Until somebody acknowledges it.
        self.hazards.insert((id, kind));
        Some(state)
    }

    fn ending(&self, replies: Vec<Reply>) -> Ending {
        let account = |account: usize| {
            let held = || self.open().map(|(_, content)| net(content, account));
            let legs = self.booked().flat_map(|content| &content.legs);
            // Money that was there at the beginning came in one entry.
            let first = i64::from(ACCOUNTS[account].opening != 0);
            let entries = first + legs.filter(|leg| leg.account == account).count() as i64;
            Some(Figures {
                balance: self.balance(account),
                held_debits: -held().filter(|net| *net < 0).sum::<i64>(),
                held_credits: held().filter(|net| *net > 0).sum::<i64>(),
                lock: self.holder(account),
                entries,
            })
        };
        let state = |id| Some(self.branches.get(&id)?.state);
        let hazards = self.hazards.iter();
        Ending {
            replies,
            accounts: (0..ACCOUNTS.len()).map(account).collect(),
            branches: (0..self.story.contents.len()).map(state).collect(),
            hazards: hazards
                .map(|(id, kind)| (*id, (*kind).to_owned()))
                .collect(),
        }
    }
}

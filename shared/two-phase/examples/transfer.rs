//! Drives the crate from end to end: two banks in memory, one coordinator, a crash in the middle.
//!
//! `cargo run -p two-phase --example transfer`

use std::collections::BTreeMap;

use two_phase::participant::{Finding, PrepareStep, after_vote, on_decision, on_prepare};
use two_phase::recovery::{Plan, plan};
use two_phase::{Acknowledgement, Action, BranchState, Coordinator, Effect, Event, Outcome, Vote};
use types::views::Status;
use types::{Code, ParticipantId};

/// A participant's database: one account, one branch. A real one keeps many of both, and does
/// each of the two functions below in one database transaction.
struct Bank {
    balance: i64,
    held: i64,
    branch: Option<BranchState>,
    /// What the transfer does to the account. A real PREPARE carries it.
    change: i64,
}

impl Bank {
    /// PREPARE arrives.
    fn prepare(&mut self) -> Vote {
        match on_prepare(self.branch, true) {
            PrepareStep::Answer(vote) => vote,
            PrepareStep::Examine => {
                let finding = if self.balance - self.held + self.change.min(0) < 0 {
                    Finding::Refused(Code::InsufficientFunds)
                } else {
                    Finding::Possible
                };
                let (durable, vote) = after_vote(finding);
                self.branch = durable;
                if durable == Some(BranchState::Prepared) {
                    self.held += self.hold();
                }
                // Here the database transaction commits. Only then may the vote be sent.
                vote
            }
        }
    }

    /// COMMIT or ABORT arrives.
    fn decide(&mut self, outcome: Outcome) -> Acknowledgement {
        let step = on_decision(self.branch, outcome);
        match step.effect {
            Effect::Apply => {
                self.balance += self.change;
                self.held -= self.hold();
            }
            Effect::Release => self.held -= self.hold(),
            Effect::Nothing | Effect::Tombstone => {}
        }
        self.branch = step.next;
        // Here the database transaction commits. Only then may the acknowledgement be sent.
        step.acknowledgement
    }

    /// What is to be reserved: money that leaves, never money that comes.
    fn hold(&self) -> i64 {
        (-self.change).max(0)
    }
}

/// The coordinator's row. The one place where a transfer is decided.
struct Row {
    status: Status,
}

impl Row {
    /// The compare-and-set: changes nothing but a pending row, and says what stands there.
    fn decide(&mut self, wish: Outcome) -> Outcome {
        if self.status == Status::Pending {
            self.status = match wish {
                Outcome::Commit => Status::Committed,
                Outcome::Abort => Status::Aborted,
            };
        }
        match self.status {
            Status::Committed => Outcome::Commit,
            Status::Pending | Status::Aborted => Outcome::Abort,
        }
    }
}

type Banks = BTreeMap<ParticipantId, Bank>;

/// Performs what the coordinator asks for until it is finished, or until it has decided and
/// `dies_after_deciding`.
fn drive(
    mut coordinator: Coordinator,
    row: &mut Row,
    banks: &mut Banks,
    dies_after_deciding: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        for action in coordinator.next() {
            println!("  {action:?}");
            let event = match action {
                Action::Prepare(to) => {
                    coordinator.contacted(&to)?;
                    let vote = bank(banks, &to)?.prepare();
                    Event::Voted(to, vote)
                }
                Action::Decide(wish, _reason) => {
                    let stands = row.decide(wish);
                    if dies_after_deciding {
                        println!("  … and the coordinator is killed");
                        return Ok(());
                    }
                    Event::Decided(stands)
                }
                Action::Deliver(outcome, to) => {
                    let acknowledgement = bank(banks, &to)?.decide(outcome);
                    Event::Acknowledged(to, acknowledgement)
                }
                Action::Finish(_phase) => return Ok(()),
            };
            println!("    {event:?}");
            coordinator.apply(event)?;
        }
    }
}

fn bank<'a>(banks: &'a mut Banks, name: &ParticipantId) -> Result<&'a mut Bank, String> {
    banks.get_mut(name).ok_or(format!("no bank {name}"))
}

fn transfer(amount: i64, crash: bool) -> Result<(), Box<dyn std::error::Error>> {
    let account = |balance, change| Bank {
        balance,
        held: 0,
        branch: None,
        change,
    };
    let mut banks = Banks::from([
        ("bank-1".parse()?, account(100, -amount)),
        ("bank-2".parse()?, account(0, amount)),
    ]);
    let names: Vec<_> = banks.keys().cloned().collect();

    // The begin is durable before anybody is asked to prepare.
    let mut row = Row {
        status: Status::Pending,
    };
    let begun = Coordinator::begun(names.clone());
    drive(begun, &mut row, &mut banks, crash)?;

    if crash {
        // Another process claims the row. It knows nothing but what is durable.
        for plan in plan(&[row.status]) {
            println!("  recovery: {plan:?}");
            let status = match plan {
                Plan::DecideAbort => Status::Pending,
                Plan::Deliver(_) => row.status,
            };
            let recovered = Coordinator::recovered(names.clone(), status);
            drive(recovered, &mut row, &mut banks, false)?;
        }
    }
    for (name, bank) in &banks {
        println!("  {name}: balance {}, held {}", bank.balance, bank.held);
    }
    println!("  {:?}", row.status);
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("40 of 100:");
    transfer(40, false)?;
    println!("\n400 of 100, which bank-1 refuses:");
    transfer(400, false)?;
    println!("\n40 of 100, and the coordinator dies between deciding and telling:");
    transfer(40, true)
}

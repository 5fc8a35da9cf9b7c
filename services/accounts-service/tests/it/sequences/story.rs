//! A sequence of messages as plain data: a few accounts, a few transactions, what arrives when.

use std::fmt;

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Just, Strategy, prop_oneof};
use two_phase::message::Outcome;
use two_phase::{Acknowledgement, BranchState, Vote};

/// What an account is like before anything arrives.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub opening: i64,
    pub overdraft: i64,
    pub is_exclusive: bool,
    pub is_frozen: bool,
    pub currency: &'static str,
    pub owner: usize,
}

const PLAIN: Account = Account {
    opening: 10,
    overdraft: 0,
    is_exclusive: false,
    is_frozen: false,
    currency: "USD",
    owner: 0,
};

/// Where the bank's numbers end.
pub const LIMIT: i64 = 1_000_000_000_000_000;

/// The accounts of every sequence. One number more is an account that nobody has opened.
pub const ACCOUNTS: [Account; 9] = [
    PLAIN,
    Account {
        opening: 6,
        ..PLAIN
    },
    Account {
        opening: 8,
        is_exclusive: true,
        owner: 1,
        ..PLAIN
    },
    Account {
        opening: 0,
        is_exclusive: true,
        ..PLAIN
    },
    Account {
        opening: 0,
        overdraft: 5,
        ..PLAIN
    },
    Account {
        is_frozen: true,
        ..PLAIN
    },
    Account {
        currency: "EUR",
        opening: 0,
        ..PLAIN
    },
    Account {
        opening: LIMIT - 4,
        ..PLAIN
    },
    Account { owner: 1, ..PLAIN },
];

/// Transactions of a sequence. The last one was begun longer ago than anybody remembers.
pub const TRANSACTIONS: usize = 6;
pub const FORGOTTEN: usize = TRANSACTIONS - 1;

/// A change to an account, in one of the transfers of a linked batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leg {
    pub account: usize,
    pub transfer_index: u16,
    pub change: i64,
}

/// What a PREPARE asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub legs: Vec<Leg>,
    /// Only this customer's accounts may be debited.
    pub debits_owned_by: Option<usize>,
    /// The shares do not add up to what the legs are.
    pub is_unbalanced: bool,
}

/// One list that arrives, or one order of an operator.
#[derive(Debug, Clone)]
pub enum Message {
    /// Transactions, each with one of its two contents.
    Prepare(Vec<(usize, usize)>),
    Decide(Vec<(usize, Outcome)>),
    /// Peers in doubt ask.
    Terminate(Vec<usize>),
    Force(usize, Outcome),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Votes(Vec<Vote>),
    Acknowledgements(Vec<Acknowledgement>),
    States(Vec<Option<BranchState>>),
    /// `None`: there was nothing to force.
    Forced(Option<BranchState>),
}

/// A whole sequence.
#[derive(Debug, Clone)]
pub struct Story {
    /// By transaction: what it is, and what somebody might send in its name.
    pub contents: Vec<[Content; 2]>,
    pub messages: Vec<Message>,
}

fn legs() -> impl Strategy<Value = Vec<Leg>> {
    // Mostly accounts that can pay and be paid; now and then one that cannot.
    let account = prop_oneof![12 => 0..5_usize, 2 => Just(7_usize), 1 => 5..=ACCOUNTS.len()];
    let change = prop_oneof![-7..=-1_i64, 1..=7_i64];
    let leg = (
        account,
        prop_oneof![5 => Just(0_u16), 1 => Just(1_u16)],
        change,
    );
    let leg = leg.prop_map(|(account, transfer_index, change)| Leg {
        account,
        transfer_index,
        change,
    });
    vec(leg, 1..4)
}

fn contents() -> impl Strategy<Value = Content> {
    let content = (legs(), weighted(0.1, 0..2_usize), weighted(0.03, Just(())));
    content.prop_map(|(legs, debits_owned_by, unbalanced)| Content {
        legs,
        debits_owned_by,
        is_unbalanced: unbalanced.is_some(),
    })
}

fn transaction() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..FORGOTTEN, 1 => Just(FORGOTTEN)]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![3 => Just(Outcome::Commit), 2 => Just(Outcome::Abort)]
}

fn message() -> impl Strategy<Value = Message> {
    let content = prop_oneof![9 => Just(0_usize), 1 => Just(1_usize)];
    prop_oneof![
        7 => vec((transaction(), content), 1..4).prop_map(Message::Prepare),
        5 => vec((transaction(), outcome()), 1..4).prop_map(Message::Decide),
        1 => vec(transaction(), 1..3).prop_map(Message::Terminate),
        1 => (transaction(), outcome()).prop_map(|(id, outcome)| Message::Force(id, outcome)),
    ]
}

/// Any sequence.
pub fn stories() -> impl Strategy<Value = Story> {
    let contents = vec([contents(), contents()], TRANSACTIONS);
    let story = (contents, vec(message(), 1..12));
    story.prop_map(|(contents, messages)| Story { contents, messages })
}

impl Content {
    /// The order of legs means nothing.
    pub fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.legs.sort();
        sorted
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for leg in &self.legs {
            write!(f, " account {} {:+}", leg.account, leg.change)?;
            if leg.transfer_index > 0 {
                write!(f, " (transfer {})", leg.transfer_index)?;
            }
        }
        if let Some(owner) = self.debits_owned_by {
            write!(f, ", for customer {owner}")?;
        }
        if self.is_unbalanced {
            write!(f, ", unbalanced")?;
        }
        Ok(())
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for message in &self.messages {
            match message {
                Message::Prepare(list) => {
                    writeln!(f, "PREPARE")?;
                    for (id, content) in list {
                        writeln!(f, "  {id}:{}", self.contents[*id][*content])?;
                    }
                }
                Message::Decide(list) => writeln!(f, "DECIDE {list:?}")?,
                Message::Terminate(list) => writeln!(f, "a peer asks about {list:?}")?,
                Message::Force(id, outcome) => writeln!(f, "force {id} to {outcome:?}")?,
            }
        }
        Ok(())
    }
}

//! The seed accounts, and transfers between them.

use two_phase::message::{Leg, Prepare, Share};
use types::{AccountId, Balance, Change, ParticipantId, TransactionId};

/// Alice's first account, 1000.00.
pub const ALICE_1: &str = "660e8400-e29b-41d4-a716-446655440001";
/// Alice's second account, 500.00.
pub const ALICE_2: &str = "660e8400-e29b-41d4-a716-446655440002";
/// Bob's account, 750.00.
pub const BOB_1: &str = "660e8400-e29b-41d4-a716-446655440003";
/// Carol's account, 150.00.
pub const CAROL_1: &str = "660e8400-e29b-41d4-a716-446655440004";

pub const ALICE: &str = "550e8400-e29b-41d4-a716-446655440001";
pub const BOB: &str = "550e8400-e29b-41d4-a716-446655440002";

pub fn account(text: &str) -> AccountId {
    text.parse().expect("an account id")
}

pub fn bank_1() -> ParticipantId {
    "bank-1".parse().expect("a participant")
}

pub fn bank_2() -> ParticipantId {
    "bank-2".parse().expect("a participant")
}

fn change(text: &str) -> Change {
    text.parse().expect("a change")
}

/// Legs that are all of a transfer at this bank; what is left over falls to the other one.
pub fn part(own: &ParticipantId, legs: &[(&str, &str, u16)]) -> Prepare {
    let legs: Vec<Leg> = legs
        .iter()
        .map(|(id, amount, transfer_index)| Leg {
            account_id: account(id),
            change: change(amount),
            transfer_index: *transfer_index,
        })
        .collect();
    let net = Balance::sum(legs.iter().map(|leg| leg.change)).expect("a sum");
    let mut shares = vec![Share {
        participant: own.clone(),
        net,
    }];
    if !net.is_zero() {
        let other = if *own == bank_1() { bank_2() } else { bank_1() };
        shares.push(Share {
            participant: other,
            net: Balance::ZERO.minus(net).expect("a sum"),
        });
        shares.sort();
    }
    let last = legs.iter().map(|leg| leg.transfer_index).max();
    Prepare {
        transaction_id: TransactionId::generate(),
        currency: "USD".parse().expect("a currency"),
        descriptions: (0..=last.unwrap_or(0)).map(|_| None).collect(),
        legs,
        debits_owned_by: None,
        shares,
    }
}

/// `amount` from one account of the first bank to another.
pub fn transfer(from: &str, to: &str, amount: &str) -> Prepare {
    part(
        &bank_1(),
        &[(from, &format!("-{amount}"), 0), (to, amount, 0)],
    )
}

pub fn yes() -> two_phase::Vote {
    two_phase::Vote::Yes
}

pub fn no(reason: types::Code) -> two_phase::Vote {
    two_phase::Vote::No { reason }
}

/// What a figure of [`Bank::figures`] looks like.
pub fn figures(
    balance: &str,
    debits: &str,
    credits: &str,
    version: i64,
) -> (String, String, String, i64) {
    (
        balance.to_owned(),
        debits.to_owned(),
        credits.to_owned(),
        version,
    )
}

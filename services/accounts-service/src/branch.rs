//! A branch as plain data: the part of a transaction that falls to this bank.

use std::collections::BTreeMap;

use two_phase::BranchState;
use two_phase::message::{Leg, Prepare, Share};
use types::{AccountId, Balance, Code, Currency, CustomerId, ParticipantId, Text, TransactionId};

use crate::account::SystemAccount;

/// What a branch is to carry out. Two PREPAREs are the same when this is equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The one currency of all legs.
    pub currency: Currency,
    /// Sorted by account, then by transfer.
    pub legs: Vec<Leg>,
    /// Whose accounts may be debited; `None` when the caller may debit any.
    pub debits_owned_by: Option<CustomerId>,
    /// What falls to each participant, in global order.
    pub shares: Vec<Share>,
    /// By transfer index.
    pub descriptions: Vec<Option<String>>,
}

/// A branch as it stands in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Which transaction.
    pub transaction_id: TransactionId,
    /// How far it has come.
    pub state: BranchState,
    /// What it carries out; `None` for a tombstone.
    pub content: Option<Content>,
    /// Why it was refused.
    pub reason: Option<Code>,
}

impl From<Prepare> for Content {
    fn from(prepare: Prepare) -> Self {
        Self::new(
            prepare.currency,
            prepare.legs,
            prepare.debits_owned_by,
            prepare.shares,
            prepare.descriptions,
        )
    }
}

impl Content {
    /// The content of a message, its legs in order.
    #[must_use]
    pub fn new(
        currency: Currency,
        mut legs: Vec<Leg>,
        debits_owned_by: Option<CustomerId>,
        shares: Vec<Share>,
        descriptions: Vec<Option<Text<200>>>,
    ) -> Self {
        legs.sort_by_key(|leg| (leg.account_id, leg.transfer_index));
        let descriptions = descriptions.into_iter();
        Self {
            currency,
            legs,
            debits_owned_by,
            shares,
            descriptions: descriptions.map(|text| text.map(String::from)).collect(),
        }
    }

    /// The net change of each account; what is held. `None` when a sum no longer fits.
    ///
    /// In a linked batch one account may stand in many transfers. They commit together or not at
    /// all, so only the net counts.
    #[must_use]
    pub fn net(&self) -> Option<BTreeMap<AccountId, Balance>> {
        let mut net = BTreeMap::new();
        for leg in &self.legs {
            let sum: &mut Balance = net.entry(leg.account_id).or_insert(Balance::ZERO);
            *sum = sum.plus(leg.change)?;
        }
        Some(net)
    }

    /// The description of one of its transfers.
    #[must_use]
    pub fn description(&self, transfer_index: u16) -> Option<&str> {
        self.descriptions
            .get(usize::from(transfer_index))?
            .as_deref()
    }

    /// Why it cannot be a part of any balanced transfer, if so.
    ///
    /// The coordinator refuses such transfers before it begins them; what arrives here all the
    /// same must not unbalance the ledger.
    #[must_use]
    pub fn defect(&self, own: &ParticipantId) -> Option<Code> {
        let twice = |pair: &[Leg]| {
            pair[0].account_id == pair[1].account_id
                && pair[0].transfer_index == pair[1].transfer_index
        };
        if self.legs.windows(2).any(twice) {
            return Some(Code::DuplicateAccount);
        }
        let in_order = self
            .shares
            .windows(2)
            .all(|pair| pair[0].participant < pair[1].participant);
        let sum = |mut nets: std::slice::Iter<'_, Share>| {
            nets.try_fold(Balance::ZERO, |sum, share| sum.plus(share.net))
        };
        let mine = self.shares.iter().find(|share| share.participant == *own);
        let legs = Balance::sum(self.legs.iter().map(|leg| leg.change));
        let balanced = !self.legs.is_empty()
            && in_order
            && sum(self.shares.iter()) == Some(Balance::ZERO)
            && mine.is_some_and(|share| legs == Some(share.net));
        (!balanced).then_some(Code::UnbalancedLegs)
    }

    /// What is to be booked between banks when this branch is applied, so that each database sums
    /// to zero: everyone settles with the first participant in global order.
    ///
    /// Each account here counts what its peer owes this bank.
    #[must_use]
    pub fn clearing(&self, own: &ParticipantId) -> Vec<(SystemAccount, Balance)> {
        let Some(first) = self.shares.first() else {
            return Vec::new();
        };
        let account = |peer| SystemAccount::clearing(own, peer, self.currency);
        let mut entries = Vec::new();
        for share in self.shares.iter().filter(|share| !share.net.is_zero()) {
            if first.participant == *own && share.participant != *own {
                entries.push((account(&share.participant), share.net));
            } else if first.participant != *own && share.participant == *own {
                let owed = Balance::ZERO.minus(share.net).unwrap_or(Balance::ZERO);
                entries.push((account(&first.participant), owed));
            }
        }
        entries
    }
}

/// Branches for the tables of tests.
#[cfg(test)]
pub mod samples {
    use super::*;
    use crate::account::samples::{id, usd};

    /// The bank of the tests.
    pub fn bank() -> ParticipantId {
        "bank-1".parse().expect("a participant")
    }

    /// One leg on the account `n`.
    pub fn leg(n: u128, change: &str, transfer_index: u16) -> Leg {
        Leg {
            account_id: id(n),
            change: change.parse().expect("a change"),
            transfer_index,
        }
    }

    /// Legs that are all of a transaction at one bank.
    pub fn content(legs: impl IntoIterator<Item = Leg>) -> Content {
        let legs: Vec<Leg> = legs.into_iter().collect();
        let net = Balance::sum(legs.iter().map(|leg| leg.change)).expect("a sum");
        let mut shares = vec![Share {
            participant: bank(),
            net,
        }];
        if !net.is_zero() {
            shares.push(Share {
                participant: "bank-2".parse().expect("a participant"),
                net: Balance::ZERO.minus(net).expect("a sum"),
            });
        }
        Content {
            currency: usd(),
            legs,
            debits_owned_by: None,
            shares,
            descriptions: vec![Some("rent".to_owned())],
        }
    }

    /// `amount` from one account to another.
    pub fn transfer(from: u128, to: u128, amount: &str) -> Content {
        content([leg(from, &format!("-{amount}"), 0), leg(to, amount, 0)])
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{bank, content, leg, transfer};
    use super::*;
    use crate::account::samples::money;

    #[test]
    fn a_part_that_does_not_balance_is_found_out() {
        use Code::{DuplicateAccount, UnbalancedLegs};
        let fine = transfer(1, 2, "5");
        let mut twice = fine.clone();
        twice.legs = vec![leg(1, "-5", 0), leg(1, "5", 0)];
        let mut empty = fine.clone();
        empty.legs.clear();
        let mut lopsided = fine.clone();
        lopsided.legs[0] = leg(1, "-4", 0);
        let mut stranger = fine.clone();
        stranger.shares[0].participant = "bank-9".parse().expect("a participant");
        let mut unsettled = content([leg(1, "-5", 0)]);
        unsettled.shares.pop();
        let mut disordered = content([leg(1, "-5", 0)]);
        disordered.shares.reverse();
        for (part, defect) in [
            (fine, None),
            (content([leg(1, "-5", 0)]), None),
            (content([leg(1, "-5", 0), leg(1, "5", 1)]), None),
            (twice, Some(DuplicateAccount)),
            (empty, Some(UnbalancedLegs)),
            (lopsided, Some(UnbalancedLegs)),
            (stranger, Some(UnbalancedLegs)),
            (unsettled, Some(UnbalancedLegs)),
            (disordered, Some(UnbalancedLegs)),
        ] {
            assert_eq!(part.defect(&bank()), defect, "{part:?}");
        }
    }

    #[test]
    fn everyone_settles_with_the_first_bank_and_every_bank_sums_to_zero() {
        let names = ["bank-1", "bank-2", "bank-3"];
        let shares: Vec<Share> = names
            .iter()
            .zip(["-7", "4", "3"])
            .map(|(name, net)| Share {
                participant: name.parse().expect("a participant"),
                net: money(net),
            })
            .collect();
        let clearing = |own: &str| {
            let part = Content {
                shares: shares.clone(),
                ..transfer(1, 2, "1")
            };
            part.clearing(&own.parse().expect("a participant"))
                .into_iter()
                .map(|(account, change)| (account.purpose, change.to_string()))
                .collect::<Vec<_>>()
        };
        let entry = |peer: &str, change: &str| (format!("clearing:{peer}:USD"), change.to_owned());
        assert_eq!(
            clearing("bank-1"),
            [entry("bank-2", "4.00"), entry("bank-3", "3.00")]
        );
        assert_eq!(clearing("bank-2"), [entry("bank-1", "-4.00")]);
        assert_eq!(clearing("bank-3"), [entry("bank-1", "-3.00")]);
    }
}

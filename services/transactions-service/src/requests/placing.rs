//! Where the accounts of a transfer are kept, and whether the caller may debit them.

use std::collections::{BTreeSet, HashMap};

use chrono::Utc;
use service_kit::Problem;
use types::views::Protocol;
use types::{AccountId, Code, TransactionId};

use super::Caller;
use crate::coordinator::numbers::Numbers;
use crate::directory::{Directory, Unplaced};
use crate::record::{NewTransaction, PlacedLeg};
use crate::store::directory::Location;
use crate::transfer::Transfer;

/// The places of all accounts of some transfers.
pub(crate) struct Places(HashMap<AccountId, Location>);

impl Places {
    /// Finds all accounts of these transfers at once.
    pub(crate) async fn find<'a>(
        directory: &Directory,
        transfers: impl IntoIterator<Item = &'a Transfer>,
    ) -> Result<Self, Problem> {
        let accounts: Vec<AccountId> = transfers
            .into_iter()
            .flat_map(|transfer| transfer.legs.iter().map(|(account, _)| *account))
            .collect();
        directory.locate(&accounts).await.map(Self).map_err(problem)
    }

    /// Whether something may be begun with every bank that keeps one of the accounts: nothing is,
    /// where a database has lost its last commits, for it could not be ended.
    pub(crate) async fn in_step(self, numbers: &Numbers) -> Result<Self, Problem> {
        let banks: BTreeSet<_> = self.0.values().map(|place| &place.participant).collect();
        for bank in banks {
            if numbers.to_say(bank).await.is_some() {
                continue;
            }
            return Err(if numbers.state(bank).is_parked() {
                Problem::new(Code::NotInStep)
                    .detail(format!(
                        "{bank} waits for its operators: a database has been put back. \
                         Nothing was begun."
                    ))
                    .retry_after(60)
            } else {
                Problem::new(Code::ParticipantUnavailable)
                    .detail(format!("{bank} does not answer; nothing was begun."))
                    .retry_after(1)
            });
        }
        Ok(self)
    }

    /// Whether every debited account exists and is the caller's to debit.
    ///
    /// An account of somebody else is "not found": that it exists is none of the caller's business.
    pub(crate) fn check_debits(&self, caller: &Caller, transfer: &Transfer) -> Result<(), Problem> {
        for account in transfer.debited() {
            let owner = self.0.get(&account).map(|location| location.customer_id);
            if !owner.is_some_and(|owner| caller.may_debit(owner)) {
                return Err(Problem::new(Code::AccountNotFound)
                    .status(404)
                    .detail(format!("There is no account {account} to debit.")));
            }
        }
        Ok(())
    }

    /// One transaction for these transfers: a lone one, or those of a linked batch.
    pub(crate) fn transaction(&self, caller: &Caller, transfers: &[&Transfer]) -> NewTransaction {
        let mut legs = Vec::new();
        for (index, transfer) in transfers.iter().enumerate() {
            for (account_id, change) in &transfer.legs {
                legs.push(PlacedLeg {
                    account_id: *account_id,
                    change: *change,
                    transfer_index: u16::try_from(index).unwrap_or(u16::MAX),
                    participant: self.0.get(account_id).map(|l| l.participant.clone()),
                });
            }
        }
        let nowhere = legs.iter().any(|leg| leg.participant.is_none());
        let first_debit = legs.iter().find(|leg| leg.change.is_debit());
        NewTransaction {
            transaction_id: TransactionId::generate(),
            currency: first_debit
                .and_then(|leg| self.0.get(&leg.account_id))
                .map(|location| location.currency),
            descriptions: transfers.iter().map(|t| t.description.clone()).collect(),
            linked: transfers.len() > 1,
            protocol: transfers
                .first()
                .map_or_else(Protocol::default, |transfer| transfer.protocol),
            debits_owned_by: caller.debits_owned_by.flatten(),
            request_id: caller.request_id.clone(),
            created_at: Utc::now(),
            refused: nowhere.then_some(Code::AccountNotFound),
            legs,
        }
    }
}

fn problem(unplaced: Unplaced) -> Problem {
    match unplaced {
        Unplaced::BankSilent => Problem::new(Code::ParticipantUnavailable)
            .detail("A bank that may keep one of the accounts does not answer; nothing was begun.")
            .retry_after(1),
        Unplaced::TwoBanks(_) => {
            tracing::error!(event = "MANUAL_INTERVENTION_REQUIRED", error = %unplaced);
            Problem::new(Code::Hazard).detail("One of the accounts is kept at two banks.")
        }
        Unplaced::Database(error) => error.into(),
    }
}

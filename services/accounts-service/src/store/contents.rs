//! The columns in which branches and the parts of sagas carry what they are to do.

use rust_decimal::Decimal;
use service_kit::slices::Slices;
use two_phase::message::{Leg, Share};
use types::{AccountId, Change, CustomerId, TransactionId};
use uuid::Uuid;

use super::{StoreError, rows};
use crate::branch::Content;

/// The columns of one row.
pub(super) struct Cells {
    pub(super) currency: String,
    pub(super) account_ids: Vec<Uuid>,
    pub(super) changes: Vec<Decimal>,
    pub(super) transfer_indexes: Vec<i32>,
    pub(super) share_participants: Vec<String>,
    pub(super) share_nets: Vec<Decimal>,
    pub(super) descriptions: Vec<Option<String>>,
    pub(super) debits_owned_by: Option<Uuid>,
}

impl TryFrom<Cells> for Content {
    type Error = StoreError;

    fn try_from(cells: Cells) -> Result<Self, StoreError> {
        let legs = cells
            .account_ids
            .into_iter()
            .zip(cells.changes)
            .zip(cells.transfer_indexes)
            .map(|((account_id, change), transfer_index)| {
                Ok(Leg {
                    account_id: AccountId::from_uuid(account_id),
                    change: Change::try_from(change)
                        .map_err(|error| rows::damaged("a leg", error))?,
                    transfer_index: rows::index(transfer_index)?,
                })
            });
        let shares = cells
            .share_participants
            .into_iter()
            .zip(cells.share_nets)
            .map(|(participant, net)| {
                Ok(Share {
                    participant: rows::text(&participant)?,
                    net: rows::balance(net)?,
                })
            });
        Ok(Self {
            currency: rows::text(&cells.currency)?,
            legs: legs.collect::<Result<_, StoreError>>()?,
            debits_owned_by: cells.debits_owned_by.map(CustomerId::from_uuid),
            shares: shares.collect::<Result<_, StoreError>>()?,
            descriptions: cells.descriptions,
        })
    }
}

/// Many rows, column by column. PostgreSQL has no arrays of arrays of different lengths: all legs go
/// into one array, and each row takes its slice.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) ids: Vec<Uuid>,
    pub(super) currencies: Vec<String>,
    pub(super) owners: Vec<Option<Uuid>>,
    pub(super) account_ids: Vec<Uuid>,
    pub(super) changes: Vec<Decimal>,
    pub(super) transfer_indexes: Vec<i32>,
    pub(super) share_participants: Vec<String>,
    pub(super) share_nets: Vec<Decimal>,
    pub(super) descriptions: Vec<Option<String>>,
    pub(super) legs: Slices,
    pub(super) shares: Slices,
    pub(super) texts: Slices,
}

impl Columns {
    pub(super) fn push(&mut self, transaction_id: TransactionId, content: &Content) {
        self.ids.push(transaction_id.uuid());
        self.currencies.push(content.currency.to_string());
        self.owners
            .push(content.debits_owned_by.map(CustomerId::uuid));
        for leg in &content.legs {
            self.account_ids.push(leg.account_id.uuid());
            self.changes.push(leg.change.decimal());
            self.transfer_indexes.push(i32::from(leg.transfer_index));
        }
        for share in &content.shares {
            self.share_participants.push(share.participant.to_string());
            self.share_nets.push(share.net.decimal());
        }
        self.descriptions
            .extend(content.descriptions.iter().cloned());
        self.legs.push(content.legs.len());
        self.shares.push(content.shares.len());
        self.texts.push(content.descriptions.len());
    }
}

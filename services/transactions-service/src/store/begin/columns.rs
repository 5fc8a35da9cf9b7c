//! What a list of requests writes, column by column.

use chrono::{DateTime, Utc};
use service_kit::slices::Slices;
use sqlx::types::Decimal;
use uuid::Uuid;

use super::BeginRequest;
use crate::record::NewTransaction;

/// Keys, transactions and legs of some requests.
#[derive(Clone, Default)]
pub(in crate::store) struct Columns {
    pub(in crate::store) keys: Keys,
    pub(in crate::store) transactions: Transactions,
    pub(in crate::store) legs: Legs,
}

#[derive(Clone, Default)]
pub(in crate::store) struct Keys {
    pub(in crate::store) scopes: Vec<Uuid>,
    pub(in crate::store) keys: Vec<String>,
    pub(in crate::store) fingerprints: Vec<Vec<u8>>,
    pub(in crate::store) kinds: Vec<String>,
    pub(in crate::store) refusals: Vec<Option<serde_json::Value>>,
    pub(in crate::store) transactions: Vec<Uuid>,
    pub(in crate::store) transactions_of: Slices,
}

#[derive(Clone, Default)]
pub(in crate::store) struct Transactions {
    pub(in crate::store) ids: Vec<Uuid>,
    pub(in crate::store) linked: Vec<bool>,
    pub(in crate::store) currencies: Vec<Option<String>>,
    pub(in crate::store) reasons: Vec<Option<String>>,
    pub(in crate::store) request_ids: Vec<String>,
    pub(in crate::store) created_at: Vec<DateTime<Utc>>,
    pub(in crate::store) protocols: Vec<String>,
    pub(in crate::store) participants: Vec<String>,
    pub(in crate::store) participants_of: Slices,
    pub(in crate::store) descriptions: Vec<Option<String>>,
    pub(in crate::store) descriptions_of: Slices,
}

#[derive(Clone, Default)]
pub(in crate::store) struct Legs {
    pub(in crate::store) transactions: Vec<Uuid>,
    pub(in crate::store) positions: Vec<i16>,
    pub(in crate::store) indexes: Vec<i16>,
    pub(in crate::store) accounts: Vec<Uuid>,
    pub(in crate::store) changes: Vec<Decimal>,
}

impl Columns {
    /// Those of these requests, with their keys.
    pub(in crate::store) fn of<'a>(
        requests: impl IntoIterator<Item = &'a BeginRequest>,
    ) -> Result<Self, sqlx::Error> {
        let mut columns = Self::default();
        for request in requests {
            columns.keys.push(request);
            columns.push(&request.transactions)?;
        }
        Ok(columns)
    }

    /// The keys, torn from what they stand for: a planted mistake.
    pub(in crate::store) fn keys_apart(self) -> (Self, Self) {
        let keys = Self {
            keys: self.keys,
            ..Self::default()
        };
        let rest = Self {
            transactions: self.transactions,
            legs: self.legs,
            ..Self::default()
        };
        (rest, keys)
    }

    fn push(&mut self, transactions: &[NewTransaction]) -> Result<(), sqlx::Error> {
        for transaction in transactions {
            self.transactions.push(transaction);
            self.legs.push(transaction)?;
        }
        Ok(())
    }
}

impl Keys {
    fn push(&mut self, request: &BeginRequest) {
        self.scopes.push(request.name.scope);
        self.keys.push(request.name.key.as_str().to_owned());
        self.fingerprints.push(request.fingerprint.clone());
        self.kinds.push(request.kind.as_str().to_owned());
        self.refusals.push(request.refusals.clone());
        let ids = request.transactions.iter().map(|t| t.transaction_id.uuid());
        self.transactions.extend(ids);
        self.transactions_of.push(request.transactions.len());
    }
}

impl Transactions {
    fn push(&mut self, transaction: &NewTransaction) {
        self.ids.push(transaction.transaction_id.uuid());
        self.linked.push(transaction.linked);
        self.currencies.push(transaction.currency.map(String::from));
        self.reasons
            .push(transaction.refused.map(|code| code.to_string()));
        self.request_ids.push(transaction.request_id.clone());
        self.created_at.push(transaction.created_at);
        self.protocols.push(transaction.protocol.to_string());
        let participants = transaction.participants();
        self.participants_of.push(participants.len());
        let names = participants.into_iter().map(String::from);
        self.participants.extend(names);
        self.descriptions_of.push(transaction.descriptions.len());
        let descriptions = transaction.descriptions.iter().cloned();
        self.descriptions
            .extend(descriptions.map(|text| text.map(String::from)));
    }
}

impl Legs {
    fn push(&mut self, transaction: &NewTransaction) -> Result<(), sqlx::Error> {
        for (position, leg) in transaction.legs.iter().enumerate() {
            self.transactions.push(transaction.transaction_id.uuid());
            self.positions.push(small(position)?);
            self.indexes.push(small(usize::from(leg.transfer_index))?);
            self.accounts.push(leg.account_id.uuid());
            self.changes.push(leg.change.decimal());
        }
        Ok(())
    }
}

fn small(number: usize) -> Result<i16, sqlx::Error> {
    i16::try_from(number).map_err(|_| crate::store::damaged("more legs than a transfer may have"))
}

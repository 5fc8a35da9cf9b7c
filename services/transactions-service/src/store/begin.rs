//! Beginning: key, transactions and legs of each request, durable together or not at all.

pub(super) mod columns;

use std::collections::HashSet;

use saga_postgres::{ExecutorId, begin_in};
use sqlx::PgTransaction;
use two_phase::planted::{Bug, is_planted};
use types::views::Protocol;
use uuid::Uuid;

use columns::Columns;

use super::written::Written;
use crate::record::NewTransaction;
use crate::sagas::definition;
use crate::store::keys::{KeyKind, KeyName};

/// One request that wants to begin.
#[derive(Debug, Clone)]
pub(crate) struct BeginRequest {
    pub(crate) name: KeyName,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) kind: KeyKind,
    pub(crate) transactions: Vec<NewTransaction>,
    /// What a batch refused before it began, as it will be replayed.
    pub(crate) refusals: Option<serde_json::Value>,
}

/// Who owns what begins: by two-phase commit, and by saga.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) coordinator: Uuid,
    pub(crate) executor: ExecutorId,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The key is ours and everything is durable.
    Fresh,
    /// The key was taken before: nothing of this request was written.
    KeyTaken,
}

/// The requests of a list, and what they are to write.
pub(super) struct Begins<'a> {
    requests: Vec<&'a BeginRequest>,
    /// The first one of the list with its key.
    is_first: Vec<bool>,
    /// Those, in the order in which their keys are written.
    first: Vec<&'a BeginRequest>,
    pub(super) columns: Columns,
}

impl<'a> Begins<'a> {
    /// What these requests write.
    ///
    /// # Errors
    /// When one has more legs than a transfer may have.
    pub(super) fn of(requests: Vec<&'a BeginRequest>) -> Result<Self, sqlx::Error> {
        // The second one of a list with the same key is a repetition, not the winner again.
        let mut names = HashSet::new();
        let is_first: Vec<bool> = requests
            .iter()
            .map(|request| names.insert(&request.name))
            .collect();
        let mut first: Vec<_> = requests
            .iter()
            .zip(&is_first)
            .filter_map(|(request, first)| first.then_some(*request))
            .collect();
        // One order for everybody, so that two lists never wait for each other's keys in a circle.
        first.sort_by(|a, b| a.name.cmp(&b.name));
        let columns = Columns::of(first.iter().copied())?;
        Ok(Self {
            requests,
            is_first,
            first,
            columns,
        })
    }

    /// Whether any of them is carried out by saga: such a list is more than one statement.
    pub(super) fn have_sagas(&self) -> bool {
        let mut sagas = self.first.iter().flat_map(|request| by_saga(request));
        sagas.next().is_some()
    }

    /// Writes the first rows of the sagas whose requests were written.
    pub(super) async fn write_sagas(
        &self,
        database_transaction: &mut PgTransaction<'_>,
        owner: Owner,
        written: &Written,
    ) -> Result<(), sqlx::Error> {
        let fresh = self
            .first
            .iter()
            .filter(|request| is_fresh(request, written));
        let sagas: Result<Vec<_>, _> = fresh
            .flat_map(|request| by_saga(request))
            .map(definition::begin)
            .collect();
        let sagas = sagas.map_err(super::damaged)?;
        begin_in(database_transaction, owner.executor, &sagas).await?;
        Ok(())
    }

    /// What became of each.
    pub(super) fn answers(&self, written: &Written) -> Vec<Begun> {
        let answer = |(request, first): (&&BeginRequest, &bool)| {
            if *first && is_fresh(request, written) {
                Begun::Fresh
            } else {
                Begun::KeyTaken
            }
        };
        self.requests
            .iter()
            .zip(&self.is_first)
            .map(answer)
            .collect()
    }
}

/// Those of a request that are carried out by saga: they get its first rows too.
fn by_saga(request: &BeginRequest) -> impl Iterator<Item = &NewTransaction> {
    let transactions = request.transactions.iter();
    transactions.filter(|t| t.protocol == Protocol::Saga && t.refused.is_none())
}

fn is_fresh(request: &BeginRequest, written: &Written) -> bool {
    let all = is_planted(Bug::RepeatedKeyBeginsAgain) || is_planted(Bug::KeyWrittenLater);
    all || written.keys.contains(&request.name)
}

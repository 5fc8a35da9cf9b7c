//! An operator forces the outcome of a branch that has been in doubt for too long.
//!
//! It may turn out to be the wrong one. Then the branch becomes HEURISTIC_MIXED when the decision
//! arrives, and the repair is a correcting entry.

use service_kit::database::{retry_transient, spawned};
use sqlx::PgConnection;
use two_phase::message::Outcome;
use two_phase::participant::on_force;
use two_phase::planted::{Bug, is_planted};
use two_phase::{BranchState, Effect};
use types::views::AuditAction;
use types::{ResolutionId, TransactionId};

use super::Participant;
use super::alarm::{self, HazardKind};
use crate::ledger::Book;
use crate::store::audit::{self, NewEntry};
use crate::store::branches::Transition;
use crate::store::resolutions::{self, NewResolution};
use crate::store::{StoreError, accounts, branches, hazards, written};

/// What two operators agreed upon.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which proposal it carries out.
    pub resolution_id: ResolutionId,
    /// Of which transaction.
    pub transaction_id: TransactionId,
    /// What is forced.
    pub outcome: Outcome,
    /// The evidence: the state the branch was in.
    pub expected_state: Option<BranchState>,
    /// All that was known, in one line.
    pub evidence: String,
    /// The confirmation was given here, and not to the coordinator.
    pub confirmed_here: bool,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// Why.
    pub reason: String,
}

/// Why nothing was forced.
#[derive(Debug, thiserror::Error)]
pub enum NotForced {
    /// The branch is no longer what the operators looked at.
    #[error("the evidence has changed")]
    EvidenceChanged(Option<BranchState>),
    /// Only a prepared branch can be forced.
    #[error("only a prepared branch can be forced")]
    NotPrepared,
    /// The branch cannot be finished either way: its data are damaged.
    #[error("{0}")]
    CannotFinish(#[from] crate::ledger::CannotFinish),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for NotForced {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<service_kit::database::JoinFailed> for NotForced {
    fn from(error: service_kit::database::JoinFailed) -> Self {
        Self::Store(error.into())
    }
}

impl service_kit::database::Transient for NotForced {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

impl Participant {
    /// Forces the outcome of a branch, keeps a record of who did so and why, marks what was raised
    /// about it before as dealt with, and raises the forced outcome itself, which stays open until
    /// somebody acknowledges it. Durable when it returns the state the branch has then. The same
    /// order again changes nothing.
    ///
    /// # Errors
    /// [`NotForced`].
    pub async fn force(&self, order: Order) -> Result<BranchState, NotForced> {
        let participant = self.clone();
        spawned(async move { retry_transient(|| participant.force_once(&order)).await }).await
    }

    async fn force_once(&self, order: &Order) -> Result<BranchState, NotForced> {
        let mut transaction = self.pool.begin().await?;
        let id = order.transaction_id;
        let branch = branches::lock(&mut transaction, &[id]).await?.pop();
        if let Some(state) = resolutions::result(&mut transaction, order.resolution_id, id).await? {
            return Ok(state);
        }
        let state = branch.as_ref().map(|branch| branch.state);
        if state != order.expected_state && !is_planted(Bug::EvidenceNotCompared) {
            return Err(NotForced::EvidenceChanged(state));
        }
        let (next, effect) = on_force(state, order.outcome).map_err(|_| NotForced::NotPrepared)?;
        let content = branch
            .and_then(|branch| branch.content)
            .ok_or(crate::ledger::CannotFinish::NoLegs)?;

        let clearing = match effect {
            Effect::Apply => content.clearing(&self.own),
            _ => Vec::new(),
        };
        let touched: Vec<_> = content
            .legs
            .iter()
            .map(|leg| leg.account_id)
            .chain(clearing.iter().map(|(account, _)| account.account_id))
            .collect();
        let clearing = clearing.into_iter().map(|(account, _)| account);
        accounts::open_system_accounts(&mut transaction, clearing).await?;
        let mut book = Book::new(accounts::lock(&mut transaction, touched).await?);
        match effect {
            Effect::Apply => book.apply(id, &content, &self.own)?,
            Effect::Release => book.release(id, &content)?,
            Effect::Nothing | Effect::Tombstone => {}
        }
        let (changed, lines) = book.close();
        let transition = Transition {
            transaction_id: id,
            state: next,
            reason: None,
        };
        written::write(&mut transaction, &changed, &lines, &[transition]).await?;
        let resolution = NewResolution {
            resolution_id: order.resolution_id,
            transaction_id: id,
            outcome: order.outcome,
            expected_state: BranchState::Prepared,
            resulting_state: next,
            proposed_by: &order.proposed_by,
            confirmed_by: &order.confirmed_by,
            reason: &order.reason,
        };
        resolutions::insert(&mut transaction, &resolution).await?;
        self.audit(&mut transaction, order, next).await?;
        hazards::acknowledge(&mut transaction, id).await?;
        let forced = HazardKind::Forced(order.outcome).of(id, None);
        let recorded = alarm::record(&mut transaction, &[forced]).await?;
        transaction.commit().await?;
        recorded.announce();
        tracing::warn!(event = "OUTCOME_FORCED", transaction_id = %id, state = %next);
        Ok(next)
    }

    async fn audit(
        &self,
        connection: &mut PgConnection,
        order: &Order,
        next: BranchState,
    ) -> Result<(), StoreError> {
        let entry = |action, detail| NewEntry {
            actor: Some(order.confirmed_by.as_str()),
            resolution_id: Some(order.resolution_id),
            outcome: Some(order.outcome),
            evidence: Some(order.evidence.as_str()),
            reason: Some(order.reason.as_str()),
            detail,
            ..NewEntry::of(action, order.transaction_id)
        };
        if order.confirmed_here {
            let confirmed = entry(AuditAction::Confirmed, None);
            audit::append(connection, &self.own, &confirmed).await?;
        }
        let forced = entry(AuditAction::Forced, Some(next.as_str()));
        audit::append(connection, &self.own, &forced).await
    }
}

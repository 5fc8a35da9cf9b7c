//! Two operators force an outcome directly at this bank, because the coordinator is what is lost.
//!
//! The race it survives: between proposal and confirmation the coordinator comes back and its
//! decision is carried out, or another operator forces the branch. The evidence is compared before,
//! and the branch's state once more under its lock.

use service_kit::database::{retry_transient, spawned};
use two_phase::BranchState;
use two_phase::console::{fingerprint, has_changed};
use two_phase::message::Outcome;
use two_phase::participant::on_force;
use types::views::{
    AcknowledgeHere, AuditAction, ForceHere, ResolutionAccepted, ResolutionOutcome,
};
use types::{LoginId, ResolutionId, TransactionId};

use super::Participant;
use super::alarm::{self, show};
use super::evidence::{Console, state};
use super::force::{NotForced, Order};
use crate::store::audit::{self, NewEntry};
use crate::store::proposals::{self, Proposal};
use crate::store::{StoreError, evidence, hazards};

/// Why an operator's wish is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nothing is in doubt here.
    #[error("nothing is in doubt here: the branch is {}", text(*.0))]
    NotInDoubt(Option<BranchState>),
    /// No such proposal, or no such hazard.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Whoever proposed it may not confirm it.
    #[error("another admin than the one who proposed it has to confirm it")]
    SameAdmin,
    /// It was carried out before.
    #[error("it was carried out before: {0}")]
    Done(String),
    /// More or other things are known than when it was proposed.
    #[error("it was proposed upon \"{before}\", and now it is \"{now}\"")]
    EvidenceChanged {
        /// What was known then.
        before: String,
        /// What is known now.
        now: String,
    },
    /// The branch was not forced.
    #[error(transparent)]
    NotForced(#[from] NotForced),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn text(state: Option<BranchState>) -> &'static str {
    state.map_or("absent", BranchState::as_str)
}

const fn outcome(outcome: ResolutionOutcome) -> Outcome {
    match outcome {
        ResolutionOutcome::Commit => Outcome::Commit,
        ResolutionOutcome::Abort => Outcome::Abort,
    }
}

impl Console {
    /// Proposes to force the outcome of a branch in doubt. Durable when it returns: the proposal,
    /// with what is known now, and its line in the audit trail.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn propose(
        &self,
        admin: LoginId,
        id: TransactionId,
        wish: ForceHere,
    ) -> Result<ResolutionAccepted, Refusal> {
        let (state, line) = self.known(id).await?;
        let forced = outcome(wish.outcome);
        on_force(state, forced).map_err(|_| Refusal::NotInDoubt(state))?;
        let proposal = Proposal {
            view: ResolutionAccepted {
                resolution_id: ResolutionId::generate(),
                transaction_id: id,
                participant: self.participant.name().clone(),
                outcome: wish.outcome,
                reason: wish.reason.to_string(),
                proposed_by: admin.to_string(),
                confirmed_by: None,
                result: None,
            },
            evidence: line,
        };
        let (participant, written) = (self.participant.clone(), proposal.clone());
        spawned(async move {
            let mut transaction = participant.pool.begin().await?;
            proposals::insert(&mut transaction, &written).await?;
            let entry = NewEntry {
                actor: Some(&written.view.proposed_by),
                reason: Some(&written.view.reason),
                ..step(AuditAction::Proposed, &written, &written.evidence, None)
            };
            audit::append(&mut transaction, &participant.own, &entry).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(())
        })
        .await?;
        tracing::warn!(event = "RESOLUTION_PROPOSED", transaction_id = %id,
            resolution_id = %proposal.view.resolution_id, outcome = ?forced, by = %admin);
        Ok(proposal.view)
    }

    /// Confirms what another operator proposed here, and forces it. Durable when it returns: the
    /// branch, the ledger, who confirmed, and the audit trail, all in one database transaction; of a
    /// refusal, its line in the audit trail.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn confirm(
        &self,
        admin: LoginId,
        id: TransactionId,
        resolution: ResolutionId,
    ) -> Result<ResolutionAccepted, Refusal> {
        let proposal = self.proposal(id, resolution).await?;
        if let Some(result) = proposal.view.result {
            return Err(Refusal::Done(result));
        }
        let by = admin.to_string();
        let (state, now) = self.known(id).await?;
        let refusal = if proposal.view.proposed_by == by {
            Some(Refusal::SameAdmin)
        } else if has_changed(&proposal.evidence, &now) {
            let before = proposal.evidence.clone();
            Some(Refusal::EvidenceChanged {
                before,
                now: now.clone(),
            })
        } else {
            None
        };
        if let Some(refusal) = refusal {
            self.refused(&proposal, &by, &now, &refusal).await?;
            return Err(refusal);
        }
        let order = Order {
            resolution_id: resolution,
            transaction_id: id,
            outcome: outcome(proposal.view.outcome),
            expected_state: state,
            evidence: now.clone(),
            confirmed_here: true,
            proposed_by: proposal.view.proposed_by.clone(),
            confirmed_by: by.clone(),
            reason: proposal.view.reason.clone(),
        };
        match self.participant.force(order).await {
            Ok(_) => Ok(self.proposal(id, resolution).await?.view),
            Err(NotForced::Store(error)) => Err(error.into()),
            Err(error) => {
                let refusal = Refusal::NotForced(error);
                self.refused(&proposal, &by, &now, &refusal).await?;
                Err(refusal)
            }
        }
    }

    async fn proposal(
        &self,
        id: TransactionId,
        resolution: ResolutionId,
    ) -> Result<Proposal, Refusal> {
        let participant = self.participant.clone();
        let found = spawned(async move {
            let mut connection = participant.pool.acquire().await?;
            proposals::of(&mut connection, &participant.own, &[id]).await
        });
        let found = found.await?.into_iter();
        let mut found = found.filter(|proposal| proposal.view.resolution_id == resolution);
        found.next().ok_or(Refusal::NotFound("proposal"))
    }

    async fn refused(
        &self,
        proposal: &Proposal,
        by: &str,
        now: &str,
        refusal: &Refusal,
    ) -> Result<(), StoreError> {
        let (participant, proposal) = (self.participant.clone(), proposal.clone());
        let (by, now, words) = (by.to_owned(), now.to_owned(), refusal.to_string());
        spawned(async move {
            let mut connection = participant.pool.acquire().await?;
            let entry = NewEntry {
                actor: Some(&by),
                ..step(
                    AuditAction::ConfirmationRefused,
                    &proposal,
                    &now,
                    Some(&words),
                )
            };
            audit::append(&mut connection, &participant.own, &entry).await
        })
        .await
    }

    /// The branch's state, and all that is known of it in one line.
    async fn known(&self, id: TransactionId) -> Result<(Option<BranchState>, String), StoreError> {
        let pool = self.participant.pool().clone();
        let facts = spawned(async move {
            let mut connection = pool.acquire().await?;
            evidence::facts(&mut connection, &[id]).await
        });
        let facts = facts.await?.into_iter().next();
        let facts = facts.ok_or_else(|| StoreError::Damaged("no facts".to_owned()))?;
        Ok((state(&facts), fingerprint(&self.evidence(&facts))))
    }
}

fn step<'a>(
    action: AuditAction,
    proposal: &Proposal,
    evidence: &'a str,
    detail: Option<&'a str>,
) -> NewEntry<'a> {
    NewEntry {
        resolution_id: Some(proposal.view.resolution_id),
        outcome: Some(outcome(proposal.view.outcome)),
        evidence: Some(evidence),
        detail,
        ..NewEntry::of(action, proposal.view.transaction_id)
    }
}

impl Participant {
    /// Marks a hazard as acknowledged. Durable when it returns: that it is no longer open, who said
    /// so and why. One that was acknowledged before stays as it is.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], or the database.
    pub async fn acknowledge(
        &self,
        admin: LoginId,
        id: TransactionId,
        wish: AcknowledgeHere,
    ) -> Result<(), Refusal> {
        let participant = self.clone();
        let found = spawned(async move {
            retry_transient(|| participant.acknowledge_once(admin, id, &wish)).await
        });
        if found.await? {
            Ok(())
        } else {
            Err(Refusal::NotFound("hazard"))
        }
    }

    async fn acknowledge_once(
        &self,
        admin: LoginId,
        id: TransactionId,
        wish: &AcknowledgeHere,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let was_open = hazards::acknowledge_one(&mut transaction, id, &wish.hazard).await?;
        if was_open == Some(true) {
            let by = admin.to_string();
            let entry = NewEntry {
                actor: Some(&by),
                hazard: Some(&wish.hazard),
                reason: Some(wish.reason.as_str()),
                ..NewEntry::of(AuditAction::Acknowledged, id)
            };
            audit::append(&mut transaction, &self.own, &entry).await?;
        }
        let open = alarm::count(&mut transaction).await?;
        transaction.commit().await?;
        show(open);
        Ok(was_open.is_some())
    }
}

//! What this bank knows by itself of its branches in doubt, for operators who cannot ask the
//! coordinator because it is what is lost.

use std::collections::HashMap;
use std::time::Duration;

use service_kit::database::spawned;
use two_phase::console::{Branch, Decision, Evidence, Known, choices, trying};
use types::TransactionId;
use types::views::{AuditEntry, BranchFacts, BranchInDoubt, ResolutionAccepted};

use super::Participant;
use super::heard::Heard;
use crate::store::{StoreError, audit, evidence, proposals};

/// The operators' side of one bank.
pub struct Console {
    pub(super) participant: Participant,
    heard: Heard,
    after: Duration,
}

impl Console {
    /// Lists branches that have been prepared for longer than `after`.
    #[must_use]
    pub const fn new(participant: Participant, heard: Heard, after: Duration) -> Self {
        Self {
            participant,
            heard,
            after,
        }
    }

    /// Branches in doubt, and transactions with hazards (`acknowledged`: those too). Nothing is
    /// written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn in_doubt(&self, acknowledged: bool) -> Result<Vec<BranchInDoubt>, StoreError> {
        let (pool, after) = (self.participant.pool().clone(), self.after);
        let own = self.participant.name().clone();
        let (facts, proposed) = spawned(async move {
            let mut snapshot = pool.begin().await?;
            let ids = evidence::in_doubt(&mut snapshot, after, acknowledged).await?;
            let facts = evidence::facts(&mut snapshot, &ids).await?;
            let proposed = proposals::of(&mut snapshot, &own, &ids).await?;
            snapshot.rollback().await?;
            Ok::<_, StoreError>((facts, proposed))
        })
        .await?;
        let mut by_transaction: HashMap<TransactionId, Vec<ResolutionAccepted>> = HashMap::new();
        for proposal in proposed {
            let of = by_transaction.entry(proposal.view.transaction_id);
            of.or_default().push(proposal.view);
        }
        let shown = facts.into_iter().map(|facts| {
            let proposed = by_transaction.remove(&facts.transaction_id);
            self.show(facts, proposed.unwrap_or_default())
        });
        Ok(shown.collect())
    }

    fn show(&self, facts: BranchFacts, proposed: Vec<ResolutionAccepted>) -> BranchInDoubt {
        let evidence = self.evidence(&facts);
        // Of what can be done, what can be done here.
        let mut choices = choices(&evidence);
        choices.retain(|choice| {
            choice.participant.is_none()
                || choice.participant.as_ref() == Some(self.participant.name())
        });
        BranchInDoubt {
            participant: self.participant.name().clone(),
            coordinator: heard(&evidence.decision),
            trying: if facts.state.as_deref() == Some("PREPARED") {
                trying(&evidence)
            } else {
                "nothing: the branch is not in doubt here; what was recorded waits to be \
                 acknowledged"
                    .to_owned()
            },
            choices,
            transaction_id: facts.transaction_id,
            state: facts.state,
            prepared_at: facts.prepared_at,
            finished_at: facts.finished_at,
            age_seconds: facts.age_seconds,
            participants: facts.participants,
            legs: facts.legs,
            hazards: facts.hazards,
            proposed,
        }
    }

    /// All that is known here of one transaction, as plain data.
    pub(super) fn evidence(&self, facts: &BranchFacts) -> Evidence {
        let word = self.heard.about(facts.transaction_id);
        let own = self.participant.name();
        let mine = Branch {
            hazards: open(facts),
            ..Branch::of(own.clone(), Known::State(state(facts)))
        };
        let others = facts.participants.iter().filter(|name| *name != own);
        let others = others.map(|name| {
            let known = word.peers.get(name).map_or_else(
                || Known::Unreachable {
                    error: "not asked, or no answer".to_owned(),
                },
                |state| Known::State(Some(*state)),
            );
            Branch::of(name.clone(), known)
        });
        let mut branches: Vec<Branch> = others.chain([mine]).collect();
        branches.sort_by(|a, b| a.participant.cmp(&b.participant));
        Evidence {
            decision: word.decision,
            branches,
        }
    }

    /// What was done about a transaction here, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit(&self, id: TransactionId) -> Result<Vec<AuditEntry>, StoreError> {
        let pool = self.participant.pool().clone();
        spawned(async move {
            let mut connection = pool.acquire().await?;
            audit::of(&mut connection, id).await
        })
        .await
    }
}

impl Participant {
    /// What is known here of these transactions, and of all that are in doubt for longer than
    /// `in_doubt_for` or have a hazard. Nothing is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn facts(
        &self,
        mut ids: Vec<TransactionId>,
        in_doubt_for: Option<Duration>,
        acknowledged: bool,
    ) -> Result<Vec<BranchFacts>, StoreError> {
        let pool = self.pool.clone();
        spawned(async move {
            let mut connection = pool.acquire().await?;
            if let Some(after) = in_doubt_for {
                ids.extend(evidence::in_doubt(&mut connection, after, acknowledged).await?);
                ids.sort_unstable();
                ids.dedup();
            }
            evidence::facts(&mut connection, &ids).await
        })
        .await
    }
}

pub(super) fn state(facts: &BranchFacts) -> Option<two_phase::BranchState> {
    facts.state.as_deref().and_then(|text| text.parse().ok())
}

fn open(facts: &BranchFacts) -> Vec<String> {
    let open = facts.hazards.iter();
    let open = open.filter(|hazard| hazard.acknowledged_at.is_none());
    open.map(|hazard| hazard.hazard.clone()).collect()
}

fn heard(decision: &Decision) -> String {
    match decision {
        Decision::NotAsked => "not asked yet".to_owned(),
        Decision::Unreachable { error } => format!("does not answer: {error}"),
        Decision::NoRecord => "has no record of it".to_owned(),
        Decision::Undecided => "says that nothing is decided yet".to_owned(),
        Decision::Recorded { status, .. } => format!("says that it is {status}"),
    }
}

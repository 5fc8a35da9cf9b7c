//! Hazards: what contradicts, recorded and raised, and never mended by itself.

use service_kit::database::{retry_transient, spawned};
use service_kit::metrics::{HAZARDS, HEURISTICS, INTERVENTIONS};
use sqlx::{PgConnection, PgPool};
use two_phase::message::{Hazard, Outcome};
use types::TransactionId;

use crate::store::hazards::{self, NewHazard};
use crate::store::{StoreError, numbers};

/// What contradicts what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HazardKind {
    /// A decision and a branch contradict each other.
    Decision(Hazard),
    /// A PREPARE came again with other content.
    PrepareContradiction,
    /// A branch is prepared here and no coordinator knows its transaction.
    UnknownToCoordinator,
    /// An operator forced this outcome.
    Forced(Outcome),
    /// An operator forced one outcome, the decision was the other.
    Mixed,
    /// A saga's step contradicts what is known of the saga here.
    StepContradiction,
}

impl HazardKind {
    /// The kind in one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision(Hazard::BranchMissing) => "branch_missing",
            Self::Decision(Hazard::CommitAfterAbort) => "commit_after_abort",
            Self::Decision(Hazard::AbortAfterCommit) => "abort_after_commit",
            Self::Decision(Hazard::CannotApply) => "cannot_apply",
            Self::PrepareContradiction => "prepare_contradiction",
            Self::UnknownToCoordinator => "unknown_to_coordinator",
            Self::Forced(Outcome::Commit) => "heuristic_commit",
            Self::Forced(Outcome::Abort) => "heuristic_abort",
            Self::Mixed => "heuristic_mixed",
            Self::StepContradiction => "step_contradiction",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Decision(Hazard::BranchMissing) => "COMMIT for a branch that is not here",
            Self::Decision(Hazard::CommitAfterAbort) => "COMMIT for a branch that was given up",
            Self::Decision(Hazard::AbortAfterCommit) => "ABORT for a branch that was carried out",
            Self::Decision(Hazard::CannotApply) => "a promised branch cannot be finished",
            Self::PrepareContradiction => "PREPARE came again with other content",
            Self::UnknownToCoordinator => "prepared here and unknown to the coordinator",
            Self::Forced(Outcome::Commit) => "operators had it carried out",
            Self::Forced(Outcome::Abort) => "operators had it released",
            Self::Mixed => "forced one way and decided the other",
            Self::StepContradiction => "a saga's step contradicts what is known of it here",
        }
    }

    /// A hazard of this kind; `more` may say what exactly was found.
    #[must_use]
    pub fn of(self, transaction_id: TransactionId, more: Option<String>) -> NewHazard {
        let detail = match more {
            Some(more) => format!("{}: {more}", self.sentence()),
            None => self.sentence().to_owned(),
        };
        NewHazard {
            transaction_id,
            kind: self.as_str(),
            detail,
        }
    }
}

/// Hazards that were recorded in a database transaction, to be announced after its commit.
#[derive(Debug, Default)]
#[must_use = "announce it after the commit"]
pub(super) struct Recorded {
    new: Vec<(TransactionId, String)>,
    open: Option<i64>,
}

/// Records hazards as a part of the caller's database transaction.
pub(super) async fn record(
    connection: &mut PgConnection,
    found: &[NewHazard],
) -> Result<Recorded, StoreError> {
    let new = hazards::record(connection, found).await?;
    let open = if new.is_empty() {
        None
    } else {
        Some(count(connection).await?)
    };
    Ok(Recorded { new, open })
}

impl Recorded {
    /// Logs what is new and counts what is open.
    pub(super) fn announce(self) {
        for (transaction_id, kind) in &self.new {
            tracing::error!(event = "MANUAL_INTERVENTION_REQUIRED", %transaction_id, hazard = %kind);
            metrics::counter!(HAZARDS, "hazard" => kind.clone()).increment(1);
            if let Some(outcome) = kind.strip_prefix("heuristic_") {
                metrics::counter!(HEURISTICS, "outcome" => outcome.to_owned()).increment(1);
            }
        }
        if let Some(open) = self.open {
            show(open);
        }
    }
}

/// Records and announces hazards in a database transaction of their own.
///
/// # Errors
/// [`StoreError`].
pub async fn raise(pool: &PgPool, found: Vec<NewHazard>) -> Result<(), StoreError> {
    let pool = pool.clone();
    spawned(async move {
        let recorded = retry_transient(|| async {
            let mut transaction = pool.begin().await?;
            let recorded = record(&mut transaction, &found).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(recorded)
        })
        .await?;
        recorded.announce();
        Ok(())
    })
    .await
}

/// Counts what nobody has acknowledged, for the metric.
///
/// # Errors
/// [`StoreError`].
pub async fn recount(pool: &PgPool) -> Result<i64, StoreError> {
    let mut connection = pool.acquire().await?;
    let open = count(&mut connection).await?;
    show(open);
    Ok(open)
}

/// What waits for a person: open hazards, and a database that is not in step.
pub(super) async fn count(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let hazards = hazards::count_open(connection).await?;
    Ok(hazards + numbers::count_parked(connection).await?)
}

/// Shows in the metrics how much waits for a person.
pub(super) fn show(open: i64) {
    let open = u32::try_from(open).unwrap_or(u32::MAX);
    metrics::gauge!(INTERVENTIONS).set(f64::from(open));
}

//! Contradictions between a decision and a branch: recorded, counted, and called out.

use sqlx::PgPool;
use two_phase::message::{Acknowledgement, Outcome};
use types::views::ResolutionOutcome;
use types::{ParticipantId, TransactionId};

use crate::store::hazards;

/// What a person has to look at: the decision and the branch differ, by damage or by force.
pub(super) fn contradiction(acknowledgement: Acknowledgement) -> Option<String> {
    match acknowledgement {
        Acknowledgement::Done => None,
        Acknowledgement::Mixed => Some("HeuristicMixed".to_owned()),
        Acknowledgement::Hazard { hazard } => Some(format!("{hazard:?}")),
    }
}

/// An outcome as operators are shown it.
pub(super) const fn shown(outcome: Outcome) -> ResolutionOutcome {
    match outcome {
        Outcome::Commit => ResolutionOutcome::Commit,
        Outcome::Abort => ResolutionOutcome::Abort,
    }
}

/// Records a contradiction and calls for a person; `result` is the decision that met a forced
/// branch. Durable when it returns.
pub(crate) async fn raise_hazard(
    pool: &PgPool,
    id: TransactionId,
    participant: &ParticipantId,
    what: &str,
    result: Option<ResolutionOutcome>,
) -> Result<(), sqlx::Error> {
    if !hazards::record(pool, id, participant, what, result).await? {
        // Known, and already called for.
        return Ok(());
    }
    super::recovery::count_interventions(pool).await?;
    let hazard = crate::console::names::canonical(what);
    metrics::counter!(service_kit::metrics::HAZARDS, "hazard" => hazard).increment(1);
    tracing::error!(
        event = "MANUAL_INTERVENTION_REQUIRED",
        transaction_id = %id,
        participant = %participant,
        hazard = what,
    );
    Ok(())
}

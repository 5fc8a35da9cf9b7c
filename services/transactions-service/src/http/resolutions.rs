//! `POST /transactions/{id}/resolutions` and their confirmation: an outcome is forced at one bank,
//! by two admins, on evidence that has not changed between them.

use axum::extract::State;
use axum::http::StatusCode;
use service_kit::auth::Admin;
use service_kit::extract::{Id, Json, Path};
use service_kit::{Problem, Result};
use two_phase::{BranchState, participant};
use types::views::{Force, ProblemView, ResolutionAccepted, ResolutionOutcome};
use types::{Code, ResolutionId, TransactionId};

use super::in_doubt::branch_now;
use crate::app::Shared;
use crate::coordinator::participants::Forced;
use crate::store::resolutions::{self, ResolutionRow};

/// Proposes to force the outcome of one branch. A second admin has to confirm it.
#[utoipa::path(
    post, path = "/transactions/{transaction_id}/resolutions", tag = "operations",
    security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path)),
    request_body = Force,
    responses(
        (status = 202, description = "Proposed; a second admin has to confirm it", body = ResolutionAccepted),
        (status = 409, description = "The branch is not in doubt", body = ProblemView),
        (status = 503, description = "The bank does not answer", body = ProblemView),
    )
)]
pub(crate) async fn propose(
    State(app): Shared,
    Admin(admin): Admin,
    Id(id): Id<TransactionId>,
    Json(force): Json<Force>,
) -> Result<(StatusCode, Json<ResolutionAccepted>)> {
    if !app
        .banks
        .iter()
        .any(|(participant, _)| *participant == force.participant)
    {
        return Err(
            Problem::new(Code::NotFound).detail(format!("There is no bank {}.", force.participant))
        );
    }
    let state = branch_now(&app, &force.participant, id).await?;
    participant::on_force(state, outcome(force.outcome)).map_err(|_| {
        Problem::new(Code::Conflict).detail(format!(
            "Nothing is in doubt at {}: the branch there is {}.",
            force.participant,
            text(state)
        ))
    })?;
    let resolution_id = resolutions::propose(
        app.pool(),
        id,
        &force.participant,
        force.outcome,
        force.reason.as_str(),
        text(state),
        admin.login,
    )
    .await?;
    tracing::warn!(
        event = "RESOLUTION_PROPOSED",
        transaction_id = %id,
        %resolution_id,
        participant = %force.participant,
        outcome = ?force.outcome,
        by = %admin.login,
    );
    let row = find(&app, id, resolution_id).await?;
    Ok((StatusCode::ACCEPTED, Json(row.view)))
}

/// Confirms a proposal of another admin, and forces the outcome.
#[utoipa::path(
    post, path = "/transactions/{transaction_id}/resolutions/{resolution_id}/confirmations", tag = "operations",
    security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path), ("resolution_id" = ResolutionId, Path)),
    responses(
        (status = 200, description = "Forced", body = ResolutionAccepted),
        (status = 403, description = "The same admin proposed it", body = ProblemView),
        (status = 409, description = "The evidence has changed, or it was confirmed before", body = ProblemView),
    )
)]
pub(crate) async fn confirm(
    State(app): Shared,
    Admin(admin): Admin,
    Path((id, resolution_id)): Path<(TransactionId, ResolutionId)>,
) -> Result<Json<ResolutionAccepted>> {
    let row = find(&app, id, resolution_id).await?;
    if row.proposed_by == admin.login {
        return Err(Problem::new(Code::Forbidden)
            .detail("Another admin than the one who proposed it has to confirm it."));
    }
    let state = branch_now(&app, &row.view.participant, id).await?;
    if text(state) != row.evidence {
        return Err(Problem::new(Code::EvidenceChanged).detail(format!(
            "The branch was {} when it was proposed and is {} now.",
            row.evidence,
            text(state)
        )));
    }
    if !resolutions::confirm(app.pool(), resolution_id, admin.login).await? {
        return Err(Problem::new(Code::Conflict).detail("It was confirmed before."));
    }
    let forced = Forced {
        transaction_id: id,
        outcome: outcome(row.view.outcome),
        expected_state: state,
        resolution_id,
        proposed_by: row.proposed_by,
        confirmed_by: admin.login,
        reason: row.view.reason.clone(),
    };
    let result = app
        .coordination
        .participants
        .force(&row.view.participant, forced)
        .await?;
    resolutions::finished(app.pool(), resolution_id, text(Some(result))).await?;
    tracing::warn!(
        event = "OUTCOME_FORCED",
        transaction_id = %id,
        %resolution_id,
        participant = %row.view.participant,
        state = %result,
        by = %admin.login,
    );
    Ok(Json(find(&app, id, resolution_id).await?.view))
}

async fn find(
    app: &crate::app::App,
    id: TransactionId,
    resolution_id: ResolutionId,
) -> Result<ResolutionRow> {
    resolutions::of(app.pool(), &[id])
        .await?
        .into_iter()
        .find(|row| row.view.resolution_id == resolution_id)
        .ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such proposal."))
}

const fn outcome(outcome: ResolutionOutcome) -> two_phase::Outcome {
    match outcome {
        ResolutionOutcome::Commit => two_phase::Outcome::Commit,
        ResolutionOutcome::Abort => two_phase::Outcome::Abort,
    }
}

const fn text(state: Option<BranchState>) -> &'static str {
    match state {
        Some(state) => state.as_str(),
        None => "absent",
    }
}

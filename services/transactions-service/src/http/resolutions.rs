//! `POST /transactions/{id}/resolutions` and their confirmation: an outcome is forced at one bank,
//! by two admins, on evidence that has not changed between them.

use axum::extract::State;
use axum::http::StatusCode;
use service_kit::auth::Admin;
use service_kit::extract::{Id, Json, Path};
use service_kit::{Problem, Result};
use two_phase::console::{Known, fingerprint, has_changed};
use two_phase::{BranchState, participant};
use types::views::{AuditAction, Force, ProblemView, ResolutionAccepted, ResolutionOutcome};
use types::{Code, LoginId, ParticipantId, ResolutionId, TransactionId};

use crate::app::{App, Shared};
use crate::console::describe::{Observer, evidence};
use crate::console::gather_one;
use crate::coordinator::alarm::raise_hazard;
use crate::coordinator::participants::Forced;
use crate::coordinator::recovery::count_interventions;
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
    let (state, evidence) = known(&app, id, &force.participant).await?;
    let state = state?;
    participant::on_force(state, outcome(force.outcome)).map_err(|_| {
        Problem::new(Code::Conflict).detail(format!(
            "Nothing is in doubt at {}: the branch there is {}.",
            force.participant,
            text(state)
        ))
    })?;
    let row = ResolutionRow {
        view: ResolutionAccepted {
            resolution_id: ResolutionId::generate(),
            transaction_id: id,
            participant: force.participant,
            outcome: force.outcome,
            reason: force.reason.to_string(),
            proposed_by: admin.login.to_string(),
            confirmed_by: None,
            result: None,
        },
        evidence,
        proposed_by: admin.login,
    };
    resolutions::propose(app.pool(), &row).await?;
    tracing::warn!(
        event = "RESOLUTION_PROPOSED",
        transaction_id = %id,
        resolution_id = %row.view.resolution_id,
        participant = %row.view.participant,
        outcome = ?row.view.outcome,
        by = %admin.login,
    );
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
    if let Some(result) = &row.view.result {
        return Err(Problem::new(Code::Conflict).detail(format!(
            "It was confirmed and carried out before: {result}."
        )));
    }
    // Confirmed by the same admin and without a result: the bank's answer was lost. It keeps what it
    // has done under the proposal's number, so that asking it again forces nothing twice.
    let again = row.view.confirmed_by.as_ref() == Some(&admin.login.to_string());
    let evidence = if again {
        row.evidence.clone()
    } else {
        admit(&app, &row, admin.login).await?
    };
    if !again && !resolutions::confirm(app.pool(), &row, admin.login, &evidence).await? {
        return Err(Problem::new(Code::Conflict).detail("It was confirmed before."));
    }
    let forced = Forced {
        transaction_id: id,
        outcome: outcome(row.view.outcome),
        // Nothing else can be forced, and nothing else was proposed.
        expected_state: Some(BranchState::Prepared),
        resolution_id,
        proposed_by: row.proposed_by,
        confirmed_by: admin.login,
        reason: row.view.reason.clone(),
        evidence: evidence.clone(),
    };
    let participants = &app.coordination.participants;
    let result = match participants.force(&row.view.participant, forced).await {
        Ok(state) => state,
        Err(problem) if problem.code() == Code::ParticipantUnavailable => {
            return Err(problem.detail(format!(
                "It is confirmed, and whether {} has forced it is not known: confirm it again.",
                row.view.participant
            )));
        }
        Err(problem) => {
            let words = problem.code().to_string();
            let action = AuditAction::NotForced;
            resolutions::refused(app.pool(), &row, action, admin.login, &evidence, &words).await?;
            return Err(problem);
        }
    };
    resolutions::finished(app.pool(), &row, admin.login, result.as_str()).await?;
    // It stays on the list until somebody acknowledges it, also while the bank is out of reach.
    let hazard = match row.view.outcome {
        ResolutionOutcome::Commit => "HeuristicCommit",
        ResolutionOutcome::Abort => "HeuristicAbort",
    };
    raise_hazard(app.pool(), id, &row.view.participant, hazard, None).await?;
    count_interventions(app.pool()).await?;
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

/// Lets a second admin confirm, upon evidence that has not changed, which it gives back. A refusal
/// is durable in the audit trail when it is returned.
async fn admit(app: &App, row: &ResolutionRow, admin: LoginId) -> Result<String> {
    let id = row.view.transaction_id;
    let (state, now) = known(app, id, &row.view.participant).await?;
    let problem = if row.proposed_by == admin {
        Problem::new(Code::Forbidden)
            .detail("Another admin than the one who proposed it has to confirm it.")
    } else if state.is_err() {
        Problem::new(Code::ParticipantUnavailable).detail(format!(
            "{} does not answer; without its evidence nothing is forced.",
            row.view.participant
        ))
    } else if has_changed(&row.evidence, &now) {
        Problem::new(Code::EvidenceChanged).detail(format!(
            "It was proposed upon \"{}\", and now it is \"{now}\".",
            row.evidence
        ))
    } else {
        return Ok(now);
    };
    let words = problem.code().to_string();
    let action = AuditAction::ConfirmationRefused;
    resolutions::refused(app.pool(), row, action, admin, &now, &words).await?;
    Err(problem)
}

/// The branch's state, where its bank answers, and all that is known of the transaction in a line.
async fn known(
    app: &App,
    id: TransactionId,
    participant: &ParticipantId,
) -> Result<(Result<Option<BranchState>>, String)> {
    let gathered = gather_one(app, id).await?;
    let evidence = evidence(Observer::of(&app.coordination), &gathered, id);
    let branch = evidence.branches.iter();
    let mut branch = branch.filter(|branch| branch.participant == *participant);
    let state = match branch.next().map(|branch| &branch.known) {
        Some(Known::State(state)) => Ok(*state),
        None => Ok(None),
        Some(Known::Unreachable { error }) => Err(Problem::new(Code::ParticipantUnavailable)
            .detail(format!(
                "{participant} does not answer ({error}); without its evidence nothing is forced."
            ))),
    };
    Ok((state, fingerprint(&evidence)))
}

async fn find(app: &App, id: TransactionId, resolution_id: ResolutionId) -> Result<ResolutionRow> {
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

//! `POST /participants/{participant_id}/reconciliations` and their confirmation: two admins accept
//! what a database has lost, so that transfers flow again.

use axum::extract::State;
use axum::http::StatusCode;
use service_kit::auth::Admin;
use service_kit::extract::{Json, Path};
use service_kit::{Problem, Result};
use two_phase::message::Reconciliation;
use types::views::{ParticipantState, ProblemView, Reconcile, ReconciliationAccepted};
use types::{Code, ParticipantId, ReconciliationId, Text};

use crate::app::{App, Shared};
use crate::coordinator::comparison::NotCompared;
use crate::store::reconciliations::{self, ReconciliationRow};

/// Proposes to accept that a bank's database, or the coordinator's, has lost its last commits. A
/// second admin has to confirm it. What was lost is repaired by correcting entries.
#[utoipa::path(
    post, path = "/participants/{participant_id}/reconciliations", tag = "operations",
    security(("bearer" = [])),
    params(("participant_id" = String, Path)),
    request_body = Reconcile,
    responses(
        (status = 202, description = "Proposed; a second admin has to confirm it", body = ReconciliationAccepted),
        (status = 409, description = "There is nothing to reconcile", body = ProblemView),
    )
)]
pub(crate) async fn propose(
    State(app): Shared,
    Admin(admin): Admin,
    Path(participant): Path<String>,
    Json(request): Json<Reconcile>,
) -> Result<(StatusCode, Json<ReconciliationAccepted>)> {
    let participant = known(&app, &participant)?;
    let state = parked(&app, &participant).await?;
    let reason = request.reason.as_str();
    let id = reconciliations::propose(app.pool(), &participant, state, reason, admin.login).await?;
    tracing::warn!(
        event = "RECONCILIATION_PROPOSED",
        reconciliation_id = %id,
        %participant,
        state = state.as_str(),
        by = %admin.login,
    );
    let row = find(&app, &participant, id).await?;
    Ok((StatusCode::ACCEPTED, Json(row.view)))
}

/// Confirms a proposal of another admin, and reconciles the two databases.
#[utoipa::path(
    post, path = "/participants/{participant_id}/reconciliations/{reconciliation_id}/confirmations", tag = "operations",
    security(("bearer" = [])),
    params(("participant_id" = String, Path), ("reconciliation_id" = ReconciliationId, Path)),
    responses(
        (status = 200, description = "Reconciled", body = ReconciliationAccepted),
        (status = 403, description = "The same admin proposed it", body = ProblemView),
        (status = 409, description = "Something else is lost now, or it was carried out before", body = ProblemView),
        (status = 503, description = "The bank does not answer; confirm again", body = ProblemView),
    )
)]
pub(crate) async fn confirm(
    State(app): Shared,
    Admin(admin): Admin,
    Path((participant, id)): Path<(String, ReconciliationId)>,
) -> Result<Json<ReconciliationAccepted>> {
    let participant = known(&app, &participant)?;
    let row = find(&app, &participant, id).await?;
    if row.proposed_by == admin.login {
        return Err(Problem::new(Code::Forbidden).detail("Another admin has to confirm it."));
    }
    // Half-way through, the state has changed by our own doing.
    if row.confirmed_by.is_none() && parked(&app, &participant).await? != row.view.state {
        return Err(Problem::new(Code::EvidenceChanged)
            .detail("Another database is behind now than when it was proposed."));
    }
    if !reconciliations::confirm(app.pool(), id, admin.login).await? {
        return Err(Problem::new(Code::Conflict).detail("It was confirmed before."));
    }
    let reason = Text::try_from(row.view.reason.clone())
        .map_err(|error| Problem::internal(format_args!("a stored reason: {error}")))?;
    let order = |comparison| Reconciliation {
        reconciliation_id: id,
        comparison,
        proposed_by: row.proposed_by,
        confirmed_by: admin.login,
        reason,
    };
    let state = app.coordination.numbers.reconcile(&participant, order);
    let state = state.await.map_err(not_answered)?;
    if state != ParticipantState::InStep {
        return Err(not_answered(NotCompared::Meanwhile));
    }
    reconciliations::finished(app.pool(), id).await?;
    tracing::warn!(
        event = "DATABASES_RECONCILED",
        reconciliation_id = %id,
        %participant,
        by = %admin.login,
    );
    Ok(Json(find(&app, &participant, id).await?.view))
}

fn known(app: &App, name: &str) -> Result<ParticipantId> {
    let mut banks = app.banks.iter().map(|(participant, _)| participant);
    banks
        .find(|participant| participant.as_str() == name)
        .cloned()
        .ok_or_else(|| Problem::new(Code::NotFound).detail("There is no bank of this name."))
}

/// Who is behind, as a comparison says right now.
async fn parked(app: &App, participant: &ParticipantId) -> Result<ParticipantState> {
    let numbers = &app.coordination.numbers;
    numbers.compare(participant).await;
    let state = numbers.state(participant);
    if state.is_parked() {
        return Ok(state);
    }
    Err(Problem::new(Code::Conflict).detail(format!(
        "There is nothing to reconcile: {participant} is {}.",
        state.as_str()
    )))
}

async fn find(
    app: &App,
    participant: &ParticipantId,
    id: ReconciliationId,
) -> Result<ReconciliationRow> {
    let row = reconciliations::find(app.pool(), id).await?;
    row.filter(|row| row.view.participant_id == *participant)
        .ok_or_else(|| Problem::new(Code::NotFound).detail("There is no such proposal."))
}

fn not_answered(error: NotCompared) -> Problem {
    match error {
        NotCompared::Database(error) => error.into(),
        other => Problem::new(Code::ParticipantUnavailable).detail(format!(
            "Not reconciled: {other}. The same admin may confirm it again."
        )),
    }
}

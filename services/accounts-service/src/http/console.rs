//! `/branches/…`: operators ask this bank directly, because the coordinator is what is lost.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use service_kit::auth::Admin;
use service_kit::extract::{Id, Json, Path, Query};
use service_kit::{Problem, Result};
use types::views::{
    AcknowledgeHere, Acknowledged, AuditEntry, BranchInDoubt, ForceHere, Page, ProblemView,
    ResolutionAccepted,
};
use types::{Code, ResolutionId, TransactionId};
use utoipa::IntoParams;

use crate::app::Shared;
use crate::participant::resolve::Refusal;

/// What else is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Include {
    /// Hazards that were acknowledged.
    Acknowledged,
}

/// What is listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InDoubtQuery {
    /// `acknowledged`: also what was acknowledged.
    #[param(inline)]
    include: Option<Include>,
}

/// Branches in doubt here and hazards recorded here, as this bank knows them by itself.
#[utoipa::path(get, path = "/branches/in-doubt", tag = "operations",
    security(("bearer" = [])), params(InDoubtQuery),
    responses((status = 200, description = "All of them", body = Page<BranchInDoubt>)))]
pub(crate) async fn in_doubt(
    State(app): Shared,
    _admin: Admin,
    Query(query): Query<InDoubtQuery>,
) -> Result<Json<Page<BranchInDoubt>>> {
    let items = app.console().in_doubt(query.include.is_some()).await?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

/// Proposes to force the outcome of the branch here. A second admin has to confirm it here.
#[utoipa::path(post, path = "/branches/{transaction_id}/resolutions", tag = "operations",
    security(("bearer" = [])), params(("transaction_id" = TransactionId, Path)),
    request_body = ForceHere,
    responses(
        (status = 202, description = "Proposed; a second admin has to confirm it", body = ResolutionAccepted),
        (status = 409, description = "The branch is not in doubt", body = ProblemView),
    ))]
pub(crate) async fn propose(
    State(app): Shared,
    Admin(admin): Admin,
    Id(id): Id<TransactionId>,
    Json(wish): Json<ForceHere>,
) -> Result<(StatusCode, Json<ResolutionAccepted>)> {
    let proposed = app.console().propose(admin.login, id, wish).await?;
    Ok((StatusCode::ACCEPTED, Json(proposed)))
}

/// Confirms a proposal of another admin, and forces the outcome.
#[utoipa::path(post, path = "/branches/{transaction_id}/resolutions/{resolution_id}/confirmations",
    tag = "operations", security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path), ("resolution_id" = ResolutionId, Path)),
    responses(
        (status = 200, description = "Forced", body = ResolutionAccepted),
        (status = 403, description = "The same admin proposed it", body = ProblemView),
        (status = 409, description = "The evidence has changed, or it was carried out before", body = ProblemView),
    ))]
pub(crate) async fn confirm(
    State(app): Shared,
    Admin(admin): Admin,
    Path((id, resolution)): Path<(TransactionId, ResolutionId)>,
) -> Result<Json<ResolutionAccepted>> {
    let done = app.console().confirm(admin.login, id, resolution).await?;
    Ok(Json(done))
}

/// What was done about a transaction here, oldest first.
#[utoipa::path(get, path = "/branches/{transaction_id}/audit", tag = "operations",
    security(("bearer" = [])), params(("transaction_id" = TransactionId, Path)),
    responses((status = 200, description = "All of it", body = Page<AuditEntry>)))]
pub(crate) async fn audit(
    State(app): Shared,
    _admin: Admin,
    Id(id): Id<TransactionId>,
) -> Result<Json<Page<AuditEntry>>> {
    Ok(Json(Page {
        items: app.console().audit(id).await?,
        next_cursor: None,
    }))
}

/// Acknowledges a hazard that is recorded here: it is no longer open, and never deleted.
#[utoipa::path(post, path = "/branches/{transaction_id}/hazards/acknowledgements",
    tag = "operations", security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path)), request_body = AcknowledgeHere,
    responses(
        (status = 200, description = "Acknowledged, now or before", body = Acknowledged),
        (status = 404, description = "No such hazard", body = ProblemView),
    ))]
pub(crate) async fn acknowledge(
    State(app): Shared,
    Admin(admin): Admin,
    Id(id): Id<TransactionId>,
    Json(wish): Json<AcknowledgeHere>,
) -> Result<Json<Acknowledged>> {
    let hazard = wish.hazard.clone();
    app.participant().acknowledge(admin.login, id, wish).await?;
    Ok(Json(Acknowledged {
        transaction_id: id,
        participant: app.own().clone(),
        hazard,
        at_coordinator: false,
        at_participant: true,
        not_told: None,
    }))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let words = refusal.to_string();
        let code = match refusal {
            Refusal::NotInDoubt(_) | Refusal::Done(_) => Code::Conflict,
            Refusal::NotFound(_) => Code::NotFound,
            Refusal::SameAdmin => Code::Forbidden,
            Refusal::EvidenceChanged { .. } => Code::EvidenceChanged,
            Refusal::NotForced(error) => return error.into(),
            Refusal::Store(error) => return error.into(),
        };
        let mut words = words.chars();
        let first = words.next().map(|first| first.to_ascii_uppercase());
        let sentence: String = first.into_iter().chain(words).chain(['.']).collect();
        Self::new(code).detail(sentence)
    }
}

//! `POST /internal/branches/force`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use service_kit::{Problem, Result};
use two_phase::BranchState;
use two_phase::message::Outcome;
use types::{Code, LoginId, ParticipantId, ResolutionId, Text, TransactionId};

use crate::app::Shared;
use crate::participant::force::{NotForced, Order};

/// What two operators agreed upon.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForceRequest {
    participant: ParticipantId,
    transaction_id: TransactionId,
    outcome: Outcome,
    expected_state: Option<BranchState>,
    resolution_id: ResolutionId,
    proposed_by: LoginId,
    confirmed_by: LoginId,
    reason: Text<500>,
    /// All that the coordinator's operators knew, in one line.
    #[serde(default)]
    evidence: String,
}

/// What became of the branch.
#[derive(Debug, Serialize)]
pub(crate) struct ForceReply {
    participant: ParticipantId,
    state: BranchState,
}

/// Forces the outcome of a branch in doubt, on evidence that has not changed.
#[utoipa::path(post, path = "/internal/branches/force", tag = "internal",
    security(("bearer" = [])), request_body = Object,
    responses((status = 200, description = "The state afterwards", body = Object)))]
pub(crate) async fn force(
    State(app): Shared,
    caller: ServiceCaller,
    Json(request): Json<ForceRequest>,
) -> Result<Json<ForceReply>> {
    app.admit_coordinator(&caller, &request.participant)?;
    if request.proposed_by == request.confirmed_by {
        return Err(Problem::new(Code::Forbidden).detail("It takes two operators."));
    }
    let order = Order {
        resolution_id: request.resolution_id,
        transaction_id: request.transaction_id,
        outcome: request.outcome,
        expected_state: request.expected_state,
        evidence: request.evidence,
        confirmed_here: false,
        proposed_by: request.proposed_by.to_string(),
        confirmed_by: request.confirmed_by.to_string(),
        reason: request.reason.to_string(),
    };
    let state = app.participant().force(order).await?;
    Ok(Json(ForceReply {
        participant: app.own().clone(),
        state,
    }))
}

impl From<NotForced> for Problem {
    fn from(error: NotForced) -> Self {
        match error {
            NotForced::EvidenceChanged(state) => {
                let now = state.map_or("absent", BranchState::as_str);
                Self::new(Code::EvidenceChanged).detail(format!("The branch is {now} now."))
            }
            NotForced::NotPrepared => {
                Self::new(Code::Conflict).detail("Only a prepared branch can be forced.")
            }
            NotForced::CannotFinish(problem) => Self::new(Code::Hazard)
                .status(409)
                .detail(problem.to_string()),
            NotForced::Store(error) => error.into(),
        }
    }
}

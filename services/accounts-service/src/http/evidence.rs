//! `POST /internal/branches/evidence` and `POST /internal/hazards/acknowledgements`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use types::views::{AcknowledgeHere, BranchFacts};
use types::{LoginId, ParticipantId, Text, TransactionId};

use crate::app::Shared;

/// About what the coordinator wants to know everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EvidenceRequest {
    participant: ParticipantId,
    items: Vec<TransactionId>,
    /// And about everything that is in doubt here for longer than this, or has a hazard.
    in_doubt_for_ms: Option<u64>,
    /// Acknowledged hazards count too.
    acknowledged: bool,
}

/// Everything that is known here.
#[derive(Debug, Serialize)]
pub(crate) struct EvidenceReply {
    participant: ParticipantId,
    items: Vec<BranchFacts>,
}

/// Tells the coordinator all that is known here of some transactions. Nothing is written.
#[utoipa::path(post, path = "/internal/branches/evidence", tag = "internal",
    security(("bearer" = [])), request_body = Object,
    responses((status = 200, description = "What is known", body = Object)))]
pub(crate) async fn evidence(
    State(app): Shared,
    caller: ServiceCaller,
    Json(asked): Json<EvidenceRequest>,
) -> Result<Json<EvidenceReply>> {
    app.admit_coordinator(&caller, &asked.participant)?;
    let in_doubt_for = asked.in_doubt_for_ms.map(Duration::from_millis);
    let facts = app
        .participant()
        .facts(asked.items, in_doubt_for, asked.acknowledged);
    Ok(Json(EvidenceReply {
        participant: app.own().clone(),
        items: facts.await?,
    }))
}

/// What an operator acknowledged at the coordinator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgementRequest {
    participant: ParticipantId,
    transaction_id: TransactionId,
    hazard: Text<100>,
    reason: Text<500>,
    actor: LoginId,
}

/// Acknowledges here what an operator acknowledged at the coordinator.
#[utoipa::path(post, path = "/internal/hazards/acknowledgements", tag = "internal",
    security(("bearer" = [])), request_body = Object,
    responses((status = 200, description = "Acknowledged, now or before", body = Object)))]
pub(crate) async fn acknowledge_for_coordinator(
    State(app): Shared,
    caller: ServiceCaller,
    Json(asked): Json<AcknowledgementRequest>,
) -> Result<(StatusCode, Json<serde_json::Value>)> {
    app.admit_coordinator(&caller, &asked.participant)?;
    let wish = AcknowledgeHere {
        hazard: asked.hazard.into(),
        reason: asked.reason,
    };
    let id = asked.transaction_id;
    app.participant().acknowledge(asked.actor, id, wish).await?;
    Ok((StatusCode::OK, Json(serde_json::json!({}))))
}

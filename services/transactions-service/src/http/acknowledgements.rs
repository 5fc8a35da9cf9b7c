//! `POST /transactions/{id}/hazards/acknowledgements`: an operator has seen to it.

use axum::extract::State;
use service_kit::auth::Admin;
use service_kit::extract::{Id, Json};
use service_kit::{Problem, Result};
use types::views::{Acknowledge, Acknowledged, ProblemView};
use types::{Code, TransactionId};

use crate::app::Shared;
use crate::console::names::canonical;
use crate::coordinator::recovery::count_interventions;
use crate::store::hazards;

/// Acknowledges a hazard, here and at the bank: it is no longer open, and never deleted. When the
/// bank cannot be told, the reply says so, and the bank goes on showing it.
#[utoipa::path(
    post, path = "/transactions/{transaction_id}/hazards/acknowledgements", tag = "operations",
    security(("bearer" = [])), params(("transaction_id" = TransactionId, Path)),
    request_body = Acknowledge,
    responses(
        (status = 200, description = "Acknowledged, now or before", body = Acknowledged),
        (status = 404, description = "Neither side has such a hazard on record", body = ProblemView),
        (status = 503, description = "Not on record here, and the bank does not answer", body = ProblemView),
    )
)]
pub(crate) async fn create(
    State(app): Shared,
    Admin(admin): Admin,
    Id(id): Id<TransactionId>,
    Json(mut wish): Json<Acknowledge>,
) -> Result<Json<Acknowledged>> {
    wish.hazard = canonical(&wish.hazard);
    let recorded = hazards::names(app.pool(), id, &wish.participant).await?;
    let mut recorded = recorded.into_iter();
    let own = recorded.find(|name| canonical(name) == wish.hazard);
    if let Some(name) = &own {
        let (participant, reason) = (&wish.participant, wish.reason.as_str());
        hazards::acknowledge(app.pool(), id, participant, name, admin.login, reason).await?;
        count_interventions(app.pool()).await?;
    }
    let participants = &app.coordination.participants;
    let told = participants.acknowledge(id, &wish, admin.login).await;
    let (at_participant, not_told) = match told {
        Ok(found) => (found, None),
        Err(error) => (false, Some(error)),
    };
    if own.is_none() && !at_participant {
        return Err(match not_told {
            Some(error) => Problem::new(Code::ParticipantUnavailable).detail(format!(
                "No such hazard is on record here, and {} does not answer: {error}.",
                wish.participant
            )),
            None => Problem::new(Code::NotFound).detail(format!(
                "Neither the coordinator nor {} has such a hazard on record.",
                wish.participant
            )),
        });
    }
    tracing::warn!(
        event = "HAZARD_ACKNOWLEDGED",
        transaction_id = %id,
        participant = %wish.participant,
        hazard = %wish.hazard,
        by = %admin.login,
    );
    Ok(Json(Acknowledged {
        transaction_id: id,
        participant: wish.participant,
        hazard: wish.hazard,
        at_coordinator: own.is_some(),
        at_participant,
        not_told,
    }))
}

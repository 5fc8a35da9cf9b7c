//! `GET /participants`.

use axum::extract::State;
use futures_util::future::join_all;
use service_kit::auth::User;
use service_kit::extract::Json;
use types::views::{Page, ParticipantView};

use crate::app::Shared;

/// The banks, and which of them answer.
#[utoipa::path(
    get, path = "/participants", tag = "banks",
    security(("bearer" = [])),
    responses((status = 200, description = "All banks", body = Page<ParticipantView>))
)]
pub(crate) async fn index(State(app): Shared, _user: User) -> Json<Page<ParticipantView>> {
    let participants = &app.coordination.participants;
    let numbers = &app.coordination.numbers;
    let items = join_all(app.banks.iter().map(|(participant, url)| async move {
        ParticipantView {
            participant_id: participant.clone(),
            url: url.clone(),
            reachable: participants.is_reachable(participant).await,
            state: numbers.state(participant),
        }
    }))
    .await;
    Json(Page {
        items,
        next_cursor: None,
    })
}

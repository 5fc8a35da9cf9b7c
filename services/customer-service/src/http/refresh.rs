//! `POST /auth/refresh`

use axum::extract::State;
use service_kit::Result;
use service_kit::database::spawned;
use service_kit::extract::Json;
use types::views::{ProblemView, Refresh, TokenPair};

use crate::app::App;
use crate::sessions;

/// Spends a refresh token for a new pair.
///
/// A token that was spent before revokes the whole session: one of its two bearers stole it.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = Refresh, responses(
    (status = 200, body = TokenPair),
    (status = 401, description = "`unauthenticated`: log in again", body = ProblemView)))]
pub(crate) async fn refresh(
    State(app): State<App>,
    Json(refresh): Json<Refresh>,
) -> Result<Json<TokenPair>> {
    let pair = spawned(sessions::refresh(app, refresh.refresh_token)).await?;
    Ok(Json(pair))
}

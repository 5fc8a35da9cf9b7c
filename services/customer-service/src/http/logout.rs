//! `POST /auth/logout`

use axum::extract::State;
use axum::http::StatusCode;
use service_kit::Result;
use service_kit::database::spawned;
use service_kit::extract::Json;
use types::views::Refresh;

use crate::app::App;
use crate::sessions;

/// Ends the session of a refresh token, and with it its access tokens.
///
/// Here they are refused at once, by the other services within a few seconds. A token that is
/// spent, revoked or none at all is no error.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", request_body = Refresh,
    responses((status = 204)))]
pub(crate) async fn logout(
    State(app): State<App>,
    Json(refresh): Json<Refresh>,
) -> Result<StatusCode> {
    spawned(sessions::log_out(app, refresh.refresh_token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

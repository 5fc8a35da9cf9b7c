//! `POST /auth/login`

use axum::extract::State;
use service_kit::Result;
use service_kit::database::spawned;
use service_kit::extract::Json;
use service_kit::serve::Peer;
use types::views::{Login, ProblemView, TokenPair};

use crate::app::App;
use crate::sessions;

/// Logs in.
///
/// An unknown user name and a wrong password look the same. After five failures within a minute
/// the name has to wait.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Login, responses(
    (status = 200, body = TokenPair),
    (status = 401, description = "`invalid_credentials`", body = ProblemView),
    (status = 429, description = "`rate_limited`", body = ProblemView)))]
pub(crate) async fn login(
    State(app): State<App>,
    Peer(address): Peer,
    Json(login): Json<Login>,
) -> Result<Json<TokenPair>> {
    app.login_limit.check(address.ip())?;
    let pair = spawned(sessions::log_in(app, login.username, login.password)).await?;
    Ok(Json(pair))
}

//! `POST /auth/keys/rotate`

use axum::extract::State;
use serde::Serialize;
use service_kit::Result;
use service_kit::auth::Admin;
use service_kit::extract::Json;
use types::views::ProblemView;

use crate::app::App;

/// The key that tokens are signed with from now on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Rotated {
    /// Its name, as in `/.well-known/jwks.json`.
    kid: String,
}

/// Signs with a new key from now on.
///
/// Tokens that were signed before stay valid until they expire.
#[utoipa::path(post, path = "/auth/keys/rotate", tag = "auth", security(("bearer" = [])), responses(
    (status = 200, body = Rotated),
    (status = 403, description = "`forbidden`", body = ProblemView)))]
pub(crate) async fn rotate_keys(
    Admin(admin): Admin,
    State(app): State<App>,
) -> Result<Json<Rotated>> {
    let kid = app.signer.rotate().await?;
    tracing::warn!(event = "KEYS_ROTATED", login_id = %admin.login, kid);
    Ok(Json(Rotated { kid }))
}

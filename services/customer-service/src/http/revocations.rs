//! `GET /auth/revocations`

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::RevocationsView;
use service_kit::database::spawned;
use service_kit::extract::Json;

use crate::app::App;
use crate::sessions;

/// The access tokens that were revoked and have not expired.
///
/// The other services ask for it about once a second. It holds random ids and says nothing of
/// whose they were.
#[utoipa::path(get, path = "/auth/revocations", tag = "auth",
    responses((status = 200, body = RevocationsView)))]
pub(crate) async fn revocations(State(app): State<App>) -> Result<Json<RevocationsView>> {
    let items = spawned(sessions::revocations(app)).await?;
    Ok(Json(RevocationsView { items }))
}

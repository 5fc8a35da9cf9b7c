//! `/demo/failpoints/{name}`: failpoints of a running service, in development, for admins.

use axum::http::StatusCode;
use serde::Deserialize;
use types::Code;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::registry::{self, Action, Failpoint};
use crate::auth::Admin;
use crate::extract::{Json, Path};
use crate::{Problem, Result};

/// What a failpoint shall do.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SetFailpoint {
    /// What happens there.
    action: Action,
    /// How many times; for ever when absent.
    #[serde(default)]
    count: Option<u32>,
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(put, get, delete))
}

fn named(name: &str) -> Result<()> {
    if registry::is_name(name) {
        Ok(())
    } else {
        Err(Problem::new(Code::InvalidParameter).detail("A failpoint's name is a-z, 0-9 and '_'."))
    }
}

#[utoipa::path(put, path = "/demo/failpoints/{name}", operation_id = "failpoint_set",
    tag = "demo", security(("bearer" = [])), params(("name" = String, Path)),
    request_body = SetFailpoint, responses((status = 200, body = Failpoint)))]
async fn put(
    _: Admin,
    Path(name): Path<String>,
    Json(body): Json<SetFailpoint>,
) -> Result<Json<Failpoint>> {
    named(&name)?;
    tracing::warn!(event = "FAILPOINT_SET", failpoint = %name, action = ?body.action);
    Ok(Json(registry::set(&name, body.action, body.count)))
}

#[utoipa::path(get, path = "/demo/failpoints/{name}", operation_id = "failpoint_get",
    tag = "demo", security(("bearer" = [])), params(("name" = String, Path)),
    responses((status = 200, body = Failpoint)))]
async fn get(_: Admin, Path(name): Path<String>) -> Result<Json<Failpoint>> {
    named(&name)?;
    Ok(Json(registry::state(&name)))
}

#[utoipa::path(delete, path = "/demo/failpoints/{name}", operation_id = "failpoint_clear",
    tag = "demo", security(("bearer" = [])), params(("name" = String, Path)),
    responses((status = 204)))]
async fn delete(_: Admin, Path(name): Path<String>) -> Result<StatusCode> {
    named(&name)?;
    registry::clear(&name);
    Ok(StatusCode::NO_CONTENT)
}

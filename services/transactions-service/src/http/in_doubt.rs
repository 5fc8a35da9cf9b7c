//! `GET /transactions/in-doubt`: what cannot finish by itself, with the evidence of both sides.

use axum::extract::State;
use serde::Deserialize;
use service_kit::Result;
use service_kit::auth::Admin;
use service_kit::extract::{Json, Query};
use types::views::{InDoubt, Page};
use utoipa::IntoParams;

use crate::app::Shared;
use crate::console::describe::Observer;
use crate::console::{describe, gather};

/// What else is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Include {
    /// Hazards that were acknowledged.
    Acknowledged,
}

/// What is listed. There is one page; `limit` and `cursor` are taken and change nothing.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct InDoubtQuery {
    /// `acknowledged`: also what was acknowledged.
    #[param(inline)]
    include: Option<Include>,
}

/// Transactions that are open for too long, at the coordinator or at any bank, and contradictions
/// that were seen, each with what is known, what is being tried and what can be done.
#[utoipa::path(
    get, path = "/transactions/in-doubt", tag = "operations",
    security(("bearer" = [])), params(InDoubtQuery),
    responses((status = 200, description = "All of them", body = Page<InDoubt>))
)]
pub(crate) async fn index(
    State(app): Shared,
    _admin: Admin,
    Query(query): Query<InDoubtQuery>,
) -> Result<Json<Page<InDoubt>>> {
    let gathered = gather(&app, query.include.is_some()).await?;
    let observer = Observer::of(&app.coordination);
    let items = gathered.ids.iter();
    Ok(Json(Page {
        items: items
            .filter_map(|id| describe(observer, &gathered, *id))
            .collect(),
        next_cursor: None,
    }))
}

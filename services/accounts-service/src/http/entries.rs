//! `GET /accounts/{account_id}/entries`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use service_kit::Result;
use service_kit::auth::User;
use service_kit::extract::{Id, Json, PageQuery, Query};
use types::AccountId;
use types::views::{Entry, Page, ProblemView};

use super::invalid_cursor;
use crate::app::Shared;
use crate::reading::visible;
use crate::statement;

/// The statement, newest first; with `Accept: text/csv` all of it as a file.
#[utoipa::path(get, path = "/accounts/{account_id}/entries", tag = "accounts",
    security(("bearer" = [])), params(("account_id" = AccountId, Path), PageQuery),
    responses(
        (status = 200, description = "The entries", content(
            (Page<Entry> = "application/json"), (String = "text/csv"))),
        (status = 404, description = "There is no such account", body = ProblemView),
    ))]
pub(crate) async fn entries(
    State(app): Shared,
    user: User,
    Id(id): Id<AccountId>,
    Query(query): Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response> {
    let account = visible(app.pool(), &user, id).await?;
    if wants_csv(&headers) {
        return Ok(statement::csv(app.pool(), &account));
    }
    let below = match &query.cursor {
        None => i64::MAX,
        Some(cursor) => cursor.parse().map_err(|_| invalid_cursor())?,
    };
    let mut items = statement::page(app.pool(), id, below, query.limit.one_more()).await?;
    let length = query.limit.get() as usize;
    let more = items.len() > length;
    items.truncate(length);
    let last = items.last().map(|entry| entry.version.to_string());
    let next_cursor = last.filter(|_| more);
    Ok(Json(Page { items, next_cursor }).into_response())
}

fn wants_csv(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|kind| kind.trim().eq_ignore_ascii_case("text/csv"))
}

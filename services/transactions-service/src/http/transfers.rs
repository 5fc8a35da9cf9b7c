//! `GET /transfers` and `GET /transfers/{id}`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use service_kit::auth::User;
use service_kit::extract::{Id, Json, Limit, Query};
use service_kit::{Problem, Result};
use types::views::{Page, ProblemView, Role, Status, TransferView};
use types::{AccountId, Code, TransactionId};
use utoipa::IntoParams;

use crate::app::Shared;
use crate::http::visible;
use crate::requests::read_live;
use crate::requests::reply::shown;
use crate::store::transactions::{Filter, list};

/// One transfer.
#[utoipa::path(
    get, path = "/transfers/{transaction_id}", tag = "transfers",
    security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path)),
    responses(
        (status = 200, description = "The transfer", body = TransferView),
        (status = 404, description = "No such transfer, or not the caller's", body = ProblemView),
    )
)]
pub(crate) async fn show(
    State(app): Shared,
    user: User,
    Id(id): Id<TransactionId>,
) -> Result<Json<TransferView>> {
    let record = visible(&app, &user, id).await?;
    Ok(Json(*shown(&record)?))
}

/// The same, under the name that older clients use.
#[utoipa::path(
    get, path = "/transfers/status/{transaction_id}", tag = "transfers",
    security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path)),
    responses((status = 200, description = "The transfer", body = TransferView))
)]
pub(crate) async fn status(
    state: Shared,
    user: User,
    id: Id<TransactionId>,
) -> Result<Json<TransferView>> {
    show(state, user, id).await
}

/// What narrows a list of transfers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those with a leg on this account.
    account_id: Option<AccountId>,
    /// Only those of this status.
    status: Option<Status>,
    /// Only those begun at this time or later (RFC 3339).
    from: Option<DateTime<Utc>>,
    /// Only those begun before this time (RFC 3339).
    to: Option<DateTime<Utc>>,
    /// How many, 1 to 200.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Transfers, newest first: a customer's own, or for tellers and admins all.
#[utoipa::path(
    get, path = "/transfers", tag = "transfers",
    security(("bearer" = [])),
    params(ListQuery),
    responses((status = 200, description = "A page of transfers", body = Page<TransferView>))
)]
pub(crate) async fn index(
    State(app): Shared,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<TransferView>>> {
    let party = match user.role {
        Role::Customer => Some(user.customer_id.ok_or(Code::Forbidden)?),
        Role::Teller | Role::Admin => None,
    };
    let before = query
        .cursor
        .map(|cursor| cursor.parse::<TransactionId>())
        .transpose();
    let filter = Filter {
        party,
        account: query.account_id,
        status: query.status,
        from: query.from,
        to: query.to,
        before: before.map_err(|_| {
            Problem::new(Code::InvalidParameter).detail("The cursor is not one of ours.")
        })?,
    };
    let mut ids = list(app.pool(), &filter, query.limit.one_more()).await?;
    let more = ids.len() > query.limit.get() as usize;
    ids.truncate(query.limit.get() as usize);
    let next_cursor = ids.last().filter(|_| more).map(ToString::to_string);
    let records = read_live(&app, &ids).await?;
    let items = ids
        .iter()
        .filter_map(|id| records.get(id))
        .map(|record| shown(record).map(|view| *view))
        .collect::<Result<Vec<_>>>()?;
    Ok(Json(Page { items, next_cursor }))
}

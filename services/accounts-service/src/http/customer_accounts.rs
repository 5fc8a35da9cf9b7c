//! `GET /accounts/customer/{customer_id}`.

use axum::extract::State;
use service_kit::auth::User;
use service_kit::database::spawned;
use service_kit::extract::{Id, Json, PageQuery, Query};
use service_kit::{Problem, Result};
use types::views::{Account, Page, ProblemView};
use types::{AccountId, Code, CustomerId};

use super::invalid_cursor;
use crate::app::Shared;
use crate::store::accounts;

/// The accounts of a customer at this bank.
#[utoipa::path(get, path = "/accounts/customer/{customer_id}", tag = "accounts",
    security(("bearer" = [])), params(("customer_id" = CustomerId, Path), PageQuery),
    responses(
        (status = 200, description = "The accounts", body = Page<Account>),
        (status = 403, description = "Another customer's", body = ProblemView),
    ))]
pub(crate) async fn customer_accounts(
    State(app): Shared,
    user: User,
    Id(customer): Id<CustomerId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Account>>> {
    if !user.may_see(customer) {
        return Err(Problem::new(Code::Forbidden).detail("These are another customer's accounts."));
    }
    let after = query.cursor.as_deref().map(str::parse::<AccountId>);
    let after = after.transpose().map_err(|_| invalid_cursor())?;
    let (pool, limit) = (app.pool().clone(), query.limit);
    let accounts = spawned(async move {
        let mut connection = pool.acquire().await?;
        accounts::of_customer(&mut connection, customer, after, limit.one_more()).await
    });
    let mut items = accounts.await?;
    let length = limit.get() as usize;
    let more = items.len() > length;
    items.truncate(length);
    let last = items.last().map(|account| account.account_id.to_string());
    Ok(Json(Page {
        next_cursor: last.filter(|_| more),
        items,
    }))
}

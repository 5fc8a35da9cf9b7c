//! `GET /accounts/{account_id}`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use service_kit::Result;
use service_kit::auth::User;
use service_kit::extract::{Id, Json};
use types::AccountId;
use types::views::{Account, ProblemView};

use crate::app::Shared;
use crate::etag;
use crate::reading::visible;

/// One account. To anybody but its owner, tellers and admins it does not exist.
#[utoipa::path(get, path = "/accounts/{account_id}", tag = "accounts", security(("bearer" = [])),
    params(("account_id" = AccountId, Path)),
    responses(
        (status = 200, description = "The account; `ETag` changes with anything shown", body = Account),
        (status = 404, description = "There is no such account", body = ProblemView),
    ))]
pub(crate) async fn get_account(
    State(app): Shared,
    user: User,
    Id(id): Id<AccountId>,
) -> Result<Response> {
    let account = visible(app.pool(), &user, id).await?;
    Ok((etag::header(&account), Json(account)).into_response())
}

//! `PATCH /accounts/{account_id}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use service_kit::Result;
use service_kit::auth::Teller;
use service_kit::extract::{Id, Json};
use types::AccountId;
use types::views::{Account, PatchAccount, ProblemView};

use super::limit;
use crate::app::Shared;
use crate::etag;
use crate::terms::{NewTerms, change};

/// Freezes, unfreezes or closes an account, or changes its overdraft limit.
#[utoipa::path(patch, path = "/accounts/{account_id}", tag = "accounts",
    security(("bearer" = [])),
    params(("account_id" = AccountId, Path), ("If-Match" = Option<String>, Header)),
    request_body = PatchAccount,
    responses(
        (status = 200, description = "Changed", body = Account),
        (status = 404, description = "There is no such account", body = ProblemView),
        (status = 409, description = "Money or holds are in the way", body = ProblemView),
        (status = 412, description = "It changed since it was read", body = ProblemView),
    ))]
pub(crate) async fn patch_account(
    State(app): Shared,
    _: Teller,
    Id(id): Id<AccountId>,
    headers: HeaderMap,
    Json(patch): Json<PatchAccount>,
) -> Result<Response> {
    let terms = NewTerms {
        status: patch.status,
        overdraft_limit: patch.overdraft_limit.as_ref().map(limit).transpose()?,
    };
    let account = change(app.pool(), id, terms, headers).await?;
    Ok((etag::header(&account), Json(account)).into_response())
}

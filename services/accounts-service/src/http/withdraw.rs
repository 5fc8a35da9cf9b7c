//! `POST /accounts/{account_id}/withdrawals`.

use axum::extract::State;
use axum::response::Response;
use service_kit::Result;
use service_kit::auth::Teller;
use service_kit::extract::{Id, Json};
use service_kit::idempotency::KeyHeader;
use types::AccountId;
use types::views::{Cash, CashReceipt, ProblemView};

use super::move_cash;
use crate::app::Shared;
use crate::cash::Direction;

/// Cash is paid out over the counter. Sent again under its `Idempotency-Key`, it happens once.
#[utoipa::path(post, path = "/accounts/{account_id}/withdrawals", tag = "cash", security(("bearer" = [])),
    params(("account_id" = AccountId, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Cash,
    responses(
        (status = 201, description = "Done", body = CashReceipt),
        (status = 404, description = "There is no such account", body = ProblemView),
        (status = 409, description = "A transfer has the account for itself", body = ProblemView),
        (status = 422, description = "Refused", body = ProblemView),
    ))]
pub(crate) async fn withdraw(
    State(app): Shared,
    Teller(teller): Teller,
    Id(id): Id<AccountId>,
    key: KeyHeader,
    Json(cash): Json<Cash>,
) -> Result<Response> {
    move_cash(&app, &teller, id, key, cash, Direction::Withdrawal).await
}

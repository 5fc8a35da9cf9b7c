//! `POST /accounts`.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::LOCATION;
use axum::response::Response;
use service_kit::auth::Teller;
use service_kit::extract::Json;
use service_kit::idempotency::KeyHeader;
use service_kit::{Problem, Result};
use types::views::{Account, OpenAccount, ProblemView};
use types::{AccountId, Amount, Balance, Code, DecimalText};

use super::{invalid_amount, limit};
use crate::app::Shared;
use crate::idempotent::{Answered, respond};
use crate::opening::open_once;
use crate::store::accounts::NewAccount;

/// Opens an account. Its opening balance is an entry from the vault.
#[utoipa::path(post, path = "/accounts", tag = "accounts", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = OpenAccount,
    responses(
        (status = 201, description = "Opened; `Location` names it", body = Account),
        (status = 422, description = "Not an amount, or not a limit", body = ProblemView),
    ))]
pub(crate) async fn open_account(
    State(app): Shared,
    Teller(teller): Teller,
    KeyHeader(key): KeyHeader,
    Json(wish): Json<OpenAccount>,
) -> Result<Response> {
    let account = NewAccount {
        account_id: AccountId::generate(),
        customer_id: wish.customer_id,
        currency: wish.currency,
        locking: wish.locking.unwrap_or_default(),
        overdraft_limit: wish
            .overdraft_limit
            .as_ref()
            .map_or(Ok(Balance::ZERO), limit)?,
    };
    let opening_balance = wish.opening_balance.as_ref().map(opening).transpose()?;
    let opened = open_once(
        app.pool(),
        app.own(),
        teller.login,
        key.clone(),
        account,
        opening_balance.flatten(),
    )
    .await;
    let location = match &opened {
        Ok(Answered::Now(reply) | Answered::Before(reply)) => location(&reply.body),
        _ => None,
    };
    let mut response = respond(opened, &key, || Problem::new(Code::NotFound));
    if let Some(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// The path of the account that was answered.
fn location(body: &str) -> Option<HeaderValue> {
    let account: Account = serde_json::from_str(body).ok()?;
    HeaderValue::from_str(&format!("/accounts/{}", account.account_id)).ok()
}

/// An opening balance; zero is none.
fn opening(text: &DecimalText) -> Result<Option<Amount>> {
    let value = text.decimal().map_err(invalid_amount)?;
    if value.is_zero() {
        return Ok(None);
    }
    Amount::try_from(value).map(Some).map_err(invalid_amount)
}

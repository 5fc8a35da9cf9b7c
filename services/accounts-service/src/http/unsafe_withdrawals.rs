//! `POST /demo/unsafe-withdrawals`.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use service_kit::auth::User;
use service_kit::extract::Json;
use service_kit::{Problem, Result};
use types::{Amount, Balance, Code, DecimalText};
use utoipa::ToSchema;

use super::invalid_amount;
use crate::app::Shared;
use crate::race::{UnsafeRun, run};

/// What to race with; everything has a value of its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UnsafeWish {
    /// What each withdrawal takes; 100.00 unless said otherwise.
    amount: Option<DecimalText>,
    /// What the sandbox account has; 150.00 unless said otherwise.
    opening_balance: Option<DecimalText>,
    /// How many withdrawals at once, 1 to 20; two unless said otherwise.
    attempts: Option<usize>,
}

/// The textbook race on an account of a sandbox: withdrawals read, think and write.
#[utoipa::path(post, path = "/demo/unsafe-withdrawals", tag = "demo", security(("bearer" = [])),
    request_body = Option<UnsafeWish>,
    responses((status = 201, description = "What came of it", body = UnsafeRun)))]
pub(crate) async fn unsafe_withdrawals(
    State(app): Shared,
    _: User,
    wish: Option<Json<UnsafeWish>>,
) -> Result<(StatusCode, Json<UnsafeRun>)> {
    let wish = wish.map(|Json(wish)| wish).unwrap_or_default();
    let amount = |text: Option<DecimalText>, otherwise: &str| -> Result<Balance> {
        let text = text.unwrap_or_else(|| otherwise.to_owned().into());
        let amount: Amount = text.amount().map_err(invalid_amount)?;
        Ok(amount.into())
    };
    let attempts = wish.attempts.unwrap_or(2);
    if !(1..=20).contains(&attempts) {
        return Err(Problem::new(Code::InvalidBody).detail("attempts must be 1 to 20"));
    }
    let run = run(
        app.pool(),
        amount(wish.opening_balance, "150.00")?,
        amount(wish.amount, "100.00")?,
        attempts,
    )
    .await?;
    Ok((StatusCode::CREATED, Json(run)))
}

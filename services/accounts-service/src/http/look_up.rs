//! `POST /internal/accounts`.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service_kit::Result;
use service_kit::auth::ServiceCaller;
use service_kit::database::spawned;
use service_kit::extract::Json;
use types::{AccountId, Currency, CustomerId, ParticipantId};

use crate::app::Shared;
use crate::store::accounts;

/// Which of these accounts are kept here?
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookUp {
    participant: ParticipantId,
    items: Vec<AccountId>,
}

/// Those that are.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    participant: ParticipantId,
    items: Vec<FoundItem>,
}

/// Whose an account is; neither the owner nor the currency ever changes.
#[derive(Debug, Serialize)]
pub(crate) struct FoundItem {
    account_id: AccountId,
    customer_id: Option<CustomerId>,
    currency: Currency,
}

/// Tells the coordinator which accounts are kept here. System accounts are unknown to it.
#[utoipa::path(post, path = "/internal/accounts", tag = "internal", security(("bearer" = [])),
    request_body = Object, responses((status = 200, description = "The accounts", body = Object)))]
pub(crate) async fn look_up(
    State(app): Shared,
    caller: ServiceCaller,
    Json(asked): Json<LookUp>,
) -> Result<Json<Found>> {
    app.admit_coordinator(&caller, &asked.participant)?;
    let pool = app.pool().clone();
    let listed = spawned(async move {
        let mut connection = pool.acquire().await?;
        accounts::look_up(&mut connection, &asked.items).await
    });
    let items = listed.await?.into_iter().map(|account| FoundItem {
        account_id: account.account_id,
        customer_id: account.customer_id,
        currency: account.currency,
    });
    Ok(Json(Found {
        participant: app.own().clone(),
        items: items.collect(),
    }))
}

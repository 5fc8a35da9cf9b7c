//! `POST /internal/prepare`.

use axum::extract::State;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use service_kit::{Result, failpoints};
use two_phase::message::{PrepareList, VoteItem, VoteList};

use crate::app::Shared;

/// Votes on a list of branches. Every YES and NO that is answered is durable; what is missing in
/// the answer has not been voted on.
#[utoipa::path(post, path = "/internal/prepare", tag = "internal", security(("bearer" = [])),
    request_body = Object, responses((status = 200, description = "The votes", body = Object)))]
pub(crate) async fn prepare(
    State(app): Shared,
    caller: ServiceCaller,
    Json(list): Json<PrepareList>,
) -> Result<Json<VoteList>> {
    app.admit_coordinator(&caller, &list.participant)?;
    let ids: Vec<_> = list.items.iter().map(|item| item.transaction_id).collect();
    let votes = app.prepare(list.items, list.numbers.clone()).await?;
    failpoints::hit("before_vote_reply").await?;
    let items = ids.into_iter().zip(votes).filter_map(|(id, vote)| {
        vote.map(|vote| VoteItem {
            transaction_id: id,
            vote,
        })
    });
    Ok(Json(VoteList {
        participant: app.own().clone(),
        items: items.collect(),
        numbers: app.participant().numbers(list.numbers.as_ref()),
    }))
}

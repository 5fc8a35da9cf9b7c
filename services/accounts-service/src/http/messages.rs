//! `POST /internal/messages`.

use axum::extract::State;
use service_kit::auth::ServiceCaller;
use service_kit::extract::Json;
use service_kit::{Result, failpoints};
use two_phase::messages::{AnswerList, Message, MessageList};

use crate::app::Shared;

/// Votes on the PREPAREs of a list and carries out its decisions. What is answered is durable; of
/// what is missing in the answer nothing is known.
#[utoipa::path(post, path = "/internal/messages", tag = "internal", security(("bearer" = [])),
    request_body = Object,
    responses((status = 200, description = "Votes and acknowledgements", body = Object)))]
pub(crate) async fn messages(
    State(app): Shared,
    caller: ServiceCaller,
    Json(list): Json<MessageList>,
) -> Result<Json<AnswerList>> {
    app.admit_coordinator(&caller, &list.participant)?;
    let heard = list.numbers.clone();
    let messages = list.into_messages();
    let ids: Vec<_> = messages.iter().map(Message::id).collect();
    let answers = app.answer(messages, heard.clone()).await?;
    let answered = ids.into_iter().zip(answers);
    let answered = answered.filter_map(|(id, answer)| Some((id, answer?)));
    let mut reply = AnswerList::of(app.own().clone(), answered);
    if !reply.votes.is_empty() {
        failpoints::hit("before_vote_reply").await?;
    }
    if !reply.acknowledgements.is_empty() {
        failpoints::hit("before_ack").await?;
    }
    reply.numbers = app.participant().numbers(heard.as_ref());
    Ok(Json(reply))
}

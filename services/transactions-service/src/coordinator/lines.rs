//! Lists on their way to one participant, with what there is to say of our numbers.

use std::collections::HashMap;
use std::sync::PoisonError;

use futures_util::future::join_all;
use serde::Serialize;
use service_kit::client::{CallError, ServiceClient};
use two_phase::message::Numbers as Said;
use types::{Code, ParticipantId};

use super::numbers::Numbers;
use super::participants::LastError;
use super::questions::Question;

/// Sends a list in as many bodies as it takes: a few linked batches of 1,000 transfers each are
/// more than one body may hold.
pub(super) async fn send<Q: Question>(line: Line, items: Vec<Q>) -> Vec<Option<Q::Answer>> {
    let bodies = bodies(items)
        .into_iter()
        .map(|items| send_body(&line, items));
    join_all(bodies).await.into_iter().flatten().collect()
}

/// A body is closed once it is about this long, in bytes: half of what a participant reads, so
/// that the longest linked batch may still be the last of it.
const BODY_LENGTH: usize = 8 * 1024 * 1024;

fn bodies<Q: Question>(items: Vec<Q>) -> Vec<Vec<Q>> {
    let mut bodies = Vec::new();
    let (mut body, mut length) = (Vec::new(), 0);
    for item in items {
        length += item.about_length();
        body.push(item);
        if length >= BODY_LENGTH {
            bodies.push(std::mem::take(&mut body));
            length = 0;
        }
    }
    bodies.push(body);
    bodies.retain(|body| !body.is_empty());
    bodies
}

async fn send_body<Q: Question>(line: &Line, items: Vec<Q>) -> Vec<Option<Q::Answer>> {
    let ids: Vec<_> = items.iter().map(Question::id).collect();
    let mut list = Q::list(line.participant.clone(), items);
    let reply: Result<Q::Reply, _> = line.ask(Q::PATH, &mut list, Q::say).await;
    let reply = reply.map_err(|error| line.unanswered(error));
    let reply = reply.ok().map(Q::read);
    let reply = reply.filter(|reply| reply.participant == line.participant);
    let numbers = reply.as_ref().and_then(|reply| reply.numbers.as_ref());
    line.numbers.heard(&line.participant, numbers);
    let answers: HashMap<_, _> = reply.into_iter().flat_map(|reply| reply.items).collect();
    ids.iter().map(|id| answers.get(id).copied()).collect()
}

/// The way to one participant.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) client: ServiceClient,
    pub(super) participant: ParticipantId,
    pub(super) numbers: Numbers,
    /// Why the last list was not answered.
    pub(super) last_error: LastError,
}

impl Line {
    fn unanswered(&self, error: String) {
        let last = self.last_error.lock();
        *last.unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Sends a list that says what there is to say of our numbers; once more after a comparison,
    /// when the participant asks for one.
    ///
    /// # Errors
    /// In words, why there is no answer, or why nothing may be sent.
    async fn ask<B, T>(
        &self,
        path: &str,
        list: &mut B,
        say: impl Fn(&mut B, Said),
    ) -> Result<T, String>
    where
        B: Serialize,
        T: serde::de::DeserializeOwned,
    {
        for _ in 0..2 {
            let Some(said) = self.numbers.to_say(&self.participant).await else {
                break;
            };
            let session = said.session;
            say(list, said);
            match self.client.post(path, list).await {
                Ok(reply) => return Ok(reply),
                Err(CallError::Refused {
                    code: Code::ComparisonNeeded,
                    ..
                }) => self.numbers.doubt(&self.participant, session),
                Err(error) => {
                    no_answer(&self.client, path, &error);
                    return Err(error.to_string());
                }
            }
        }
        let state = self.numbers.state(&self.participant);
        Err(format!("the databases are {}", state.as_str()))
    }
}

pub(super) fn no_answer(client: &ServiceClient, path: &str, error: &CallError) {
    tracing::warn!(
        event = "PARTICIPANT_NO_ANSWER",
        participant = client.name(),
        path,
        %error
    );
}

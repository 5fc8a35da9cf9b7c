//! What participants are told in lists: PREPAREs and decisions, and steps of sagas.

use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;
use two_phase::message::{Leg, Numbers};
use two_phase::messages::{Answer, AnswerList, Message, MessageId, MessageList};
use two_phase::steps::{Step, StepAnswer, StepList, StepReply};
use types::{OperationId, ParticipantId, Text};

/// One question of a list.
pub(super) trait Question: Sized + Send + 'static {
    /// Where such lists go.
    const PATH: &'static str;
    /// By what its answer is found.
    type Id: Copy + Eq + Hash + Send;
    type Answer: Copy + Send;
    type List: Serialize + Send + Sync;
    type Reply: DeserializeOwned + Send;

    fn id(&self) -> Self::Id;

    /// How long it is as JSON, rather too much than too little.
    fn about_length(&self) -> usize;

    fn list(participant: ParticipantId, items: Vec<Self>) -> Self::List;

    /// Adds what there is to say of our numbers.
    fn say(list: &mut Self::List, numbers: Numbers);

    fn read(reply: Self::Reply) -> Reply<Self>;
}

/// The answer to a list.
pub(super) struct Reply<Q: Question> {
    pub(super) participant: ParticipantId,
    pub(super) numbers: Option<Numbers>,
    pub(super) items: Vec<(Q::Id, Q::Answer)>,
}

fn about_length(legs: &[Leg], descriptions: &[Option<Text<200>>]) -> usize {
    let described = descriptions.iter().flatten();
    let words: usize = described.map(|text| 2 * text.as_str().len() + 4).sum();
    512 + 128 * legs.len() + 8 * descriptions.len() + words
}

impl Question for Message {
    const PATH: &'static str = "/internal/messages";
    type Id = MessageId;
    type Answer = Answer;
    type List = MessageList;
    type Reply = AnswerList;

    fn id(&self) -> MessageId {
        Self::id(self)
    }

    fn about_length(&self) -> usize {
        match self {
            Self::Prepare(prepare) => about_length(&prepare.legs, &prepare.descriptions),
            Self::Decide(..) => 40,
        }
    }

    fn list(participant: ParticipantId, items: Vec<Self>) -> MessageList {
        MessageList::of(participant, items)
    }

    fn say(list: &mut MessageList, numbers: Numbers) {
        list.numbers = Some(numbers);
    }

    fn read(reply: AnswerList) -> Reply<Self> {
        Reply {
            participant: reply.participant.clone(),
            numbers: reply.numbers.clone(),
            items: reply.into_answers().collect(),
        }
    }
}

impl Question for Step {
    const PATH: &'static str = "/internal/steps";
    type Id = OperationId;
    type Answer = StepAnswer;
    type List = StepList;
    type Reply = StepReply;

    fn id(&self) -> OperationId {
        self.operation_id
    }

    fn about_length(&self) -> usize {
        about_length(&self.legs, &self.descriptions)
    }

    fn list(participant: ParticipantId, items: Vec<Self>) -> StepList {
        StepList {
            participant,
            items,
            numbers: None,
        }
    }

    fn say(list: &mut StepList, numbers: Numbers) {
        list.numbers = Some(numbers);
    }

    fn read(reply: StepReply) -> Reply<Self> {
        let items = reply.items.into_iter();
        Reply {
            participant: reply.participant,
            numbers: reply.numbers,
            items: items.map(|item| (item.operation_id, item.answer)).collect(),
        }
    }
}

//! What participants are asked in lists: for promises, and for steps of sagas.

use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;
use two_phase::message::{Leg, Numbers, Prepare, PrepareList, Vote, VoteList};
use two_phase::steps::{Step, StepAnswer, StepList, StepReply};
use types::{OperationId, ParticipantId, Text, TransactionId};

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

impl Question for Prepare {
    const PATH: &'static str = "/internal/prepare";
    type Id = TransactionId;
    type Answer = Vote;
    type List = PrepareList;
    type Reply = VoteList;

    fn id(&self) -> TransactionId {
        self.transaction_id
    }

    fn about_length(&self) -> usize {
        about_length(&self.legs, &self.descriptions)
    }

    fn list(participant: ParticipantId, items: Vec<Self>) -> PrepareList {
        PrepareList {
            participant,
            items,
            numbers: None,
        }
    }

    fn say(list: &mut PrepareList, numbers: Numbers) {
        list.numbers = Some(numbers);
    }

    fn read(reply: VoteList) -> Reply<Self> {
        let items = reply.items.into_iter();
        Reply {
            participant: reply.participant,
            numbers: reply.numbers,
            items: items.map(|item| (item.transaction_id, item.vote)).collect(),
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

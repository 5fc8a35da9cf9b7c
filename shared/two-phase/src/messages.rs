//! Everything that one participant is to be told at a time: PREPAREs and decisions in one list.
//!
//! What it costs to send a list, and to make it durable, hardly depends on what is in it. Under load
//! PREPAREs of some transactions meet decisions of others; together they cost one of each.

use serde::{Deserialize, Serialize};
use types::{ParticipantId, TransactionId};

use crate::message::{
    Acknowledgement, AcknowledgementItem, Numbers, Outcome, Prepare, Vote, VoteItem,
};

/// What a coordinator says about one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Can this part be promised?
    Prepare(Prepare),
    /// It is decided.
    Decide(TransactionId, Outcome),
}

/// What a participant says to it, durable by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// To a PREPARE.
    Vote(Vote),
    /// To a decision.
    Acknowledgement(Acknowledgement),
}

/// By what a message and its answer find each other: a list may hold both a PREPARE and the decision
/// of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// Of a PREPARE and its vote.
    Vote(TransactionId),
    /// Of a decision and its acknowledgement.
    Acknowledgement(TransactionId),
}

impl Message {
    /// What its answer is found by.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        match self {
            Self::Prepare(prepare) => MessageId::Vote(prepare.transaction_id),
            Self::Decide(id, _) => MessageId::Acknowledgement(*id),
        }
    }
}

/// A list of messages for one participant, who takes them in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageList {
    /// Whom it is for.
    pub participant: ParticipantId,
    /// What to prepare.
    pub prepare: Vec<Prepare>,
    /// What is decided: commit.
    pub commit: Vec<TransactionId>,
    /// What is decided: abort.
    pub abort: Vec<TransactionId>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

impl MessageList {
    /// A list of these messages that says nothing of the sender's database yet.
    #[must_use]
    pub fn of(participant: ParticipantId, messages: Vec<Message>) -> Self {
        let mut list = Self {
            participant,
            prepare: Vec::with_capacity(messages.len()),
            commit: Vec::with_capacity(messages.len()),
            abort: Vec::new(),
            numbers: None,
        };
        for message in messages {
            match message {
                Message::Prepare(prepare) => list.prepare.push(prepare),
                Message::Decide(id, Outcome::Commit) => list.commit.push(id),
                Message::Decide(id, Outcome::Abort) => list.abort.push(id),
            }
        }
        list
    }

    /// The messages, in the order in which they are taken.
    #[must_use]
    pub fn into_messages(self) -> Vec<Message> {
        let decide = |outcome| move |id| Message::Decide(id, outcome);
        let prepare = self.prepare.into_iter().map(Message::Prepare);
        let commit = self.commit.into_iter().map(decide(Outcome::Commit));
        let abort = self.abort.into_iter().map(decide(Outcome::Abort));
        prepare.chain(commit).chain(abort).collect()
    }
}

/// The answer to a [`MessageList`]. What is missing here has not been voted on, or is not
/// acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerList {
    /// Who answers.
    pub participant: ParticipantId,
    /// One for each PREPARE.
    pub votes: Vec<VoteItem>,
    /// One for each decision.
    pub acknowledgements: Vec<AcknowledgementItem>,
    /// What the sender's database says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
}

impl AnswerList {
    /// A list of these answers that says nothing of the sender's database yet.
    #[must_use]
    pub fn of(
        participant: ParticipantId,
        answers: impl IntoIterator<Item = (MessageId, Answer)>,
    ) -> Self {
        let mut list = Self {
            participant,
            votes: Vec::new(),
            acknowledgements: Vec::new(),
            numbers: None,
        };
        for (id, answer) in answers {
            let (MessageId::Vote(transaction_id) | MessageId::Acknowledgement(transaction_id)) = id;
            match answer {
                Answer::Vote(vote) => list.votes.push(VoteItem {
                    transaction_id,
                    vote,
                }),
                Answer::Acknowledgement(acknowledgement) => {
                    list.acknowledgements.push(AcknowledgementItem {
                        transaction_id,
                        acknowledgement,
                    });
                }
            }
        }
        list
    }

    /// The answers, each with what it answers.
    pub fn into_answers(self) -> impl Iterator<Item = (MessageId, Answer)> {
        let votes = self.votes.into_iter().map(|item| {
            let id = MessageId::Vote(item.transaction_id);
            (id, Answer::Vote(item.vote))
        });
        let acknowledgements = self.acknowledgements.into_iter().map(|item| {
            let id = MessageId::Acknowledgement(item.transaction_id);
            (id, Answer::Acknowledgement(item.acknowledgement))
        });
        votes.chain(acknowledgements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn participant() -> ParticipantId {
        "bank-1".parse().expect("a name")
    }

    #[test]
    fn an_answer_is_never_taken_for_one_to_another_message_about_the_same_transaction() {
        let id = TransactionId::generate();
        let messages = vec![
            Message::Decide(id, Outcome::Abort),
            Message::Decide(TransactionId::generate(), Outcome::Commit),
        ];
        let list = MessageList::of(participant(), messages.clone());
        let mut back = list.into_messages();
        back.reverse();
        assert_eq!(back, messages);

        let answers = [
            (MessageId::Vote(id), Answer::Vote(Vote::Busy)),
            (
                MessageId::Acknowledgement(id),
                Answer::Acknowledgement(Acknowledgement::Done),
            ),
        ];
        let list = AnswerList::of(participant(), answers);
        assert!(list.into_answers().eq(answers));
    }
}

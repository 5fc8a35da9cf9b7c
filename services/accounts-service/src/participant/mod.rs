//! The participant's side of two-phase commit: every durable step works on a list.
//!
//! | question | file |
//! |---|---|
//! | yes, no or busy? | [`vote`] |
//! | how does a list of PREPAREs and decisions become durable? | `messages.rs`: `unlocked.rs`, `locked.rs` |
//! | what need not be read again? | `recent.rs` |
//! | what is done about a PREPARE, and about a decision? | `prepare.rs`, `decide.rs` |
//! | has one of two databases lost its last commits? | `numbers.rs` |
//! | how is a list of a saga's steps performed? | [`steps`] |
//! | what if no decision comes? | [`in_doubt`] |
//! | what does a peer in doubt get to know? | `terminate.rs` |
//! | what may be deleted, and when? | [`retention`] |
//! | what may an operator do? | [`force`], and directly here: [`resolve`] |
//! | what is an operator told? | [`evidence`] |

mod alarm;
mod crowd;
mod decide;
pub mod evidence;
pub mod force;
pub mod heard;
pub mod in_doubt;
mod locked;
mod messages;
mod numbers;
mod prepare;
mod recent;
pub mod resolve;
pub mod retention;
pub mod steps;
mod terminate;
mod unlocked;
pub mod vote;

use std::collections::BTreeMap;

use service_kit::database::{ByKey, spawned};
use service_kit::retention::since_1970;
use sqlx::PgPool;
use two_phase::BranchState;
use two_phase::message::{Acknowledgement, Numbers, Outcome, Prepare, Vote};
use two_phase::messages::{Answer, Message};
use two_phase::steps::{Step, StepAnswer};
use types::{ParticipantId, TransactionId};

pub use alarm::{HazardKind, raise, recount};
pub use numbers::NotInStep;

use crowd::Crowd;
use numbers::OwnNumbers;
use recent::Recent;

use crate::store::{StoreError, branches};

/// One bank's branches. Cheap to clone.
#[derive(Clone)]
pub struct Participant {
    pool: ByKey,
    own: ParticipantId,
    numbers: OwnNumbers,
    crowd: Crowd,
    recent: Recent,
}

impl Participant {
    /// The participant whose database this is.
    #[must_use]
    pub fn new(pool: ByKey, own: ParticipantId) -> Self {
        Self {
            pool,
            own,
            numbers: OwnNumbers::new(),
            crowd: Crowd::default(),
            recent: Recent::default(),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &ParticipantId {
        &self.own
    }

    /// Its database.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Votes on a list that says nothing of its sender's database. As [`Participant::prepare_heard`]
    /// in all else.
    pub async fn prepare(&self, items: Vec<Prepare>) -> Vec<Option<Vote>> {
        let votes = self.prepare_heard(items, None).await;
        votes.unwrap_or_default()
    }

    /// Carries out a list that says nothing of its sender's database. As
    /// [`Participant::decide_heard`] in all else.
    pub async fn decide(
        &self,
        items: Vec<(TransactionId, Outcome)>,
    ) -> Vec<Option<Acknowledgement>> {
        let answers = self.decide_heard(items, None).await;
        answers.unwrap_or_default()
    }

    /// Votes on a list. Every YES and every NO is durable when this returns; `None` says that
    /// nothing is known of an item, which is to be asked again.
    ///
    /// # Errors
    /// [`NotInStep`], with nothing done, when what the list says of the coordinator's numbers no
    /// longer counts.
    pub async fn prepare_heard(
        &self,
        items: Vec<Prepare>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<Vote>>, NotInStep> {
        let messages = items.into_iter().map(Message::Prepare).collect();
        let answers = self.answer_heard(messages, heard).await?;
        Ok(votes(answers).collect())
    }

    /// Carries out a list of decisions. What is acknowledged is durable when this returns; `None`
    /// says that nothing is known of an item, which is to be sent again.
    ///
    /// # Errors
    /// [`NotInStep`], as [`Participant::prepare_heard`].
    pub async fn decide_heard(
        &self,
        items: Vec<(TransactionId, Outcome)>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<Acknowledgement>>, NotInStep> {
        let messages = items
            .into_iter()
            .map(|(id, outcome)| Message::Decide(id, outcome))
            .collect();
        let answers = self.answer_heard(messages, heard).await?;
        Ok(acknowledgements(answers).collect())
    }

    /// Answers a list of both kinds, as [`Participant::prepare_heard`] and
    /// [`Participant::decide_heard`] do.
    ///
    /// # Errors
    /// [`NotInStep`], as [`Participant::prepare_heard`].
    pub async fn answer_heard(
        &self,
        messages: Vec<Message>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<Answer>>, NotInStep> {
        let (participant, length) = (self.clone(), messages.len());
        let answers = spawned(async move {
            let answers = messages::answer_list(&participant, messages, heard.as_ref());
            Ok::<_, StoreError>(answers.await)
        });
        answers.await.unwrap_or_else(|error| {
            tracing::error!(event = "LIST_LOST", %error);
            Ok(vec![None; length])
        })
    }

    /// Performs a list of saga steps that says nothing of its sender's database. As
    /// [`Participant::perform_heard`] in all else.
    pub async fn perform(&self, items: Vec<Step>) -> Vec<Option<StepAnswer>> {
        let answers = self.perform_heard(items, None).await;
        answers.unwrap_or_default()
    }

    /// Performs a list of saga steps. What is done or refused is durable when this returns; "not
    /// now" has left nothing behind but the record of a contradiction; `None` says that nothing is
    /// known of an operation, which is to be asked for again.
    ///
    /// # Errors
    /// [`NotInStep`], as [`Participant::prepare_heard`].
    pub async fn perform_heard(
        &self,
        items: Vec<Step>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<StepAnswer>>, NotInStep> {
        let (participant, length) = (self.clone(), items.len());
        let answers = spawned(async move {
            Ok::<_, StoreError>(steps::perform_list(&participant, items, heard.as_ref()).await)
        });
        answers.await.unwrap_or_else(|error| {
            tracing::error!(event = "LIST_LOST", %error);
            Ok(vec![None; length])
        })
    }

    /// What is durably known of these branches; nothing is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn states(
        &self,
        ids: Vec<TransactionId>,
    ) -> Result<BTreeMap<TransactionId, BranchState>, StoreError> {
        let pool = self.pool.clone();
        spawned(async move {
            let mut connection = pool.acquire().await?;
            let states = branches::states(&mut connection, &ids).await?;
            Ok(states.into_iter().collect())
        })
        .await
    }

    /// Answers a peer in doubt. Where there is no branch a tombstone is durable when this returns,
    /// so that none can be prepared any more; unless this database may have lost it, then nothing
    /// is said about it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn terminate(
        &self,
        ids: Vec<TransactionId>,
    ) -> Result<BTreeMap<TransactionId, BranchState>, StoreError> {
        let pool = self.pool.clone();
        spawned(async move { terminate::terminate(&pool, &ids).await }).await
    }
}

/// The votes among the answers to a list of PREPAREs.
pub(crate) fn votes(answers: Vec<Option<Answer>>) -> impl Iterator<Item = Option<Vote>> {
    answers.into_iter().map(|answer| match answer {
        Some(Answer::Vote(vote)) => Some(vote),
        Some(Answer::Acknowledgement(_)) | None => None,
    })
}

/// The acknowledgements among the answers to a list of decisions.
pub(crate) fn acknowledgements(
    answers: Vec<Option<Answer>>,
) -> impl Iterator<Item = Option<Acknowledgement>> {
    answers.into_iter().map(|answer| match answer {
        Some(Answer::Acknowledgement(acknowledgement)) => Some(acknowledgement),
        Some(Answer::Vote(_)) | None => None,
    })
}

/// Whether an absent transaction of this id is one that nobody writes anything about.
fn is_forgotten(id: TransactionId) -> bool {
    two_phase::retention::is_forgotten(id, since_1970())
}

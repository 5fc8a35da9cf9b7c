//! What every handler of this service stands on.

use std::sync::Arc;

use service_kit::Problem;
use service_kit::auth::ServiceCaller;
use service_kit::lists::{Limits, ListQueue, NoAnswer};
use sqlx::PgPool;
use two_phase::message::{Acknowledgement, Outcome, Prepare, Vote};
use two_phase::planted::{Bug, is_planted};
use types::{Code, ParticipantId, TransactionId};

use crate::participant::Participant;
use crate::participant::evidence::Console;

/// The coordinator's name in its tokens, whatever its processes are called.
pub const COORDINATOR: &str = "transactions-service";

/// Requests that are worked on together. A request is never torn apart, so these are counted in
/// requests; [`LONGEST_LIST`] bounds the items.
const LIMITS: Limits = Limits {
    max_items: 16,
    max_waiting: 1_000,
    workers: 3,
};

/// Items in one database transaction. Longer lists would hold row locks for longer than a
/// coordinator waits for its answer.
const LONGEST_LIST: usize = 1_000;

type Prepares = ListQueue<Vec<Prepare>, Vec<Option<Vote>>>;
type Decisions = ListQueue<Vec<(TransactionId, Outcome)>, Vec<Option<Acknowledgement>>>;

/// Shared by all handlers.
pub(crate) struct App {
    participant: Participant,
    prepares: Prepares,
    decisions: Decisions,
    peers: Vec<ParticipantId>,
    console: Console,
}

/// The state of the router.
pub(crate) type Shared = axum::extract::State<Arc<App>>;

impl App {
    pub(crate) fn new(
        participant: Participant,
        peers: Vec<ParticipantId>,
        console: Console,
    ) -> Self {
        let prepares = ListQueue::new("prepare", LIMITS, {
            let participant = participant.clone();
            move |requests| {
                let participant = participant.clone();
                together(requests, move |items| {
                    let participant = participant.clone();
                    async move { participant.prepare(items).await }
                })
            }
        });
        let decisions = ListQueue::new("decide", LIMITS, {
            let participant = participant.clone();
            move |requests| {
                let participant = participant.clone();
                together(requests, move |items| {
                    let participant = participant.clone();
                    async move { participant.decide(items).await }
                })
            }
        });
        Self {
            participant,
            prepares,
            decisions,
            peers,
            console,
        }
    }

    pub(crate) const fn participant(&self) -> &Participant {
        &self.participant
    }

    pub(crate) const fn console(&self) -> &Console {
        &self.console
    }

    pub(crate) const fn own(&self) -> &ParticipantId {
        self.participant.name()
    }

    pub(crate) const fn pool(&self) -> &PgPool {
        self.participant.pool()
    }

    /// Votes on the PREPAREs of one request, together with those of others that wait.
    pub(crate) async fn prepare(&self, items: Vec<Prepare>) -> Result<Vec<Option<Vote>>, Problem> {
        answered(self.prepares.submit(items).await)
    }

    /// Carries out the decisions of one request, together with those of others that wait.
    pub(crate) async fn decide(
        &self,
        ids: &[TransactionId],
        outcome: Outcome,
    ) -> Result<Vec<Option<Acknowledgement>>, Problem> {
        let items = ids.iter().map(|id| (*id, outcome)).collect();
        answered(self.decisions.submit(items).await)
    }

    /// Lets the coordinator pass, with a message that is meant for this bank.
    ///
    /// # Errors
    /// 403 for other services; 421 `wrong_participant` when URLs were swapped, or two services run
    /// on one database.
    pub(crate) fn admit_coordinator(
        &self,
        caller: &ServiceCaller,
        addressee: &ParticipantId,
    ) -> Result<(), Problem> {
        if caller.name != COORDINATOR {
            return Err(Problem::new(Code::Forbidden).detail("This is for the coordinator."));
        }
        self.is_meant(addressee)
    }

    /// Lets another bank pass, with a message that is meant for this one.
    ///
    /// # Errors
    /// As [`App::admit_coordinator`].
    pub(crate) fn admit_peer(
        &self,
        caller: &ServiceCaller,
        addressee: &ParticipantId,
    ) -> Result<(), Problem> {
        if !self.peers.iter().any(|peer| peer.as_str() == caller.name) {
            return Err(Problem::new(Code::Forbidden).detail("This is for other banks."));
        }
        self.is_meant(addressee)
    }

    fn is_meant(&self, addressee: &ParticipantId) -> Result<(), Problem> {
        if addressee == self.own() || is_planted(Bug::WrongParticipantAccepted) {
            Ok(())
        } else {
            Err(Problem::new(Code::WrongParticipant)
                .detail(format!("This is {} and not {addressee}.", self.own())))
        }
    }
}

/// Works on several requests as one list, or as few of at most [`LONGEST_LIST`] items each.
async fn together<T, R, F, Fut>(requests: Vec<Vec<T>>, work: F) -> Vec<Vec<R>>
where
    F: Fn(Vec<T>) -> Fut,
    Fut: Future<Output = Vec<R>>,
{
    let lengths: Vec<usize> = requests.iter().map(Vec::len).collect();
    let mut waiting = requests.into_iter().flatten().peekable();
    let mut answers = Vec::with_capacity(lengths.iter().sum());
    while waiting.peek().is_some() {
        let list = waiting.by_ref().take(LONGEST_LIST).collect();
        answers.extend(work(list).await);
    }
    let mut answers = answers.into_iter();
    lengths
        .into_iter()
        .map(|length| answers.by_ref().take(length).collect())
        .collect()
}

/// The answers of a request, unless there are none at all: then it is better asked again.
fn answered<R>(answers: Result<Vec<Option<R>>, NoAnswer>) -> Result<Vec<Option<R>>, Problem> {
    match answers {
        Ok(answers) if answers.is_empty() || answers.iter().any(Option::is_some) => Ok(answers),
        Ok(_) | Err(NoAnswer::Lost) => {
            Err(Problem::new(Code::Unavailable).detail("Nothing of the list could be done."))
        }
        Err(NoAnswer::Full) => Err(Problem::new(Code::Overloaded).retry_after(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn requests_that_are_worked_on_together_get_their_own_answers() {
        let requests = vec![vec![1, 2], vec![], (3..=2_500).collect::<Vec<u32>>()];
        let answers = together(requests.clone(), |list: Vec<u32>| async move {
            assert!(list.len() <= LONGEST_LIST);
            list
        })
        .await;
        assert_eq!(answers, requests);
    }
}

//! What every handler of this service stands on.

use std::sync::Arc;

use service_kit::Problem;
use service_kit::auth::ServiceCaller;
use service_kit::lists::{Limits, ListQueue, NoAnswer, Turns};
use sqlx::PgPool;
use two_phase::message::{Acknowledgement, Numbers, Outcome, Prepare, Vote};
use two_phase::messages::{Answer, Message};
use two_phase::planted::{Bug, is_planted};
use two_phase::steps::{Step, StepAnswer};
use types::{Code, ParticipantId, TransactionId};

use crate::participant::evidence::Console;
use crate::participant::{NotInStep, Participant, acknowledgements, votes};

/// The coordinator's name in its tokens, whatever its processes are called.
pub const COORDINATOR: &str = "transactions-service";

/// Requests that are worked on together. A request is never torn apart, so these are counted in
/// requests; [`LONGEST_LIST`] bounds the items.
const LIMITS: Limits = Limits {
    max_items: 16,
    max_waiting: 1_000,
    workers: 3,
};

/// As [`LIMITS`]. All workers together are as many as there are lanes for their numbers.
const STEP_LIMITS: Limits = Limits {
    workers: 2,
    ..LIMITS
};

/// Items in one database transaction. Longer lists would hold row locks for longer than a
/// coordinator waits for its answer.
const LONGEST_LIST: usize = 1_000;

/// What came in one request.
struct Request<T> {
    items: Vec<T>,
    heard: Option<Numbers>,
}

type Answered<R> = Result<Vec<R>, NotInStep>;
/// PREPAREs and decisions together.
type Messages = ListQueue<Request<Message>, Answered<Option<Answer>>>;
type Steps = ListQueue<Request<Step>, Answered<Option<StepAnswer>>>;

/// Shared by all handlers.
pub(crate) struct App {
    /// For what is no part of the protocol; the participant has connections of its own.
    pool: PgPool,
    participant: Participant,
    messages: Messages,
    steps: Steps,
    peers: Vec<ParticipantId>,
    console: Console,
}

/// The state of the router.
pub(crate) type Shared = axum::extract::State<Arc<App>>;

impl App {
    pub(crate) fn new(
        pool: PgPool,
        participant: Participant,
        peers: Vec<ParticipantId>,
        console: Console,
    ) -> Self {
        // One: two at once would get in each other's way on the accounts that everybody pays.
        let turns = Turns::of(1);
        let messages = ListQueue::in_turns("messages", LIMITS, &turns, {
            let participant = participant.clone();
            move |requests| {
                let participant = participant.clone();
                together(requests, move |items, heard| {
                    let participant = participant.clone();
                    async move { participant.answer_heard(items, heard).await }
                })
            }
        });
        let steps = ListQueue::in_turns("steps", STEP_LIMITS, &turns, {
            let participant = participant.clone();
            move |requests| {
                let participant = participant.clone();
                together(requests, move |items, heard| {
                    let participant = participant.clone();
                    async move { participant.perform_heard(items, heard).await }
                })
            }
        });
        Self {
            pool,
            participant,
            messages,
            steps,
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
        &self.pool
    }

    /// Answers the messages of one request, together with those of others that wait.
    pub(crate) async fn answer(
        &self,
        items: Vec<Message>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<Answer>>, Problem> {
        answered(self.messages.submit(Request { items, heard }).await)
    }

    /// Votes on the PREPAREs of one request. As [`App::answer`] in all else.
    pub(crate) async fn prepare(
        &self,
        items: Vec<Prepare>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<Vote>>, Problem> {
        let items = items.into_iter().map(Message::Prepare).collect();
        Ok(votes(self.answer(items, heard).await?).collect())
    }

    /// Carries out the decisions of one request. As [`App::answer`] in all else.
    pub(crate) async fn decide(
        &self,
        ids: &[TransactionId],
        outcome: Outcome,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<Acknowledgement>>, Problem> {
        let items = ids.iter().map(|id| Message::Decide(*id, outcome));
        let answers = self.answer(items.collect(), heard).await?;
        Ok(acknowledgements(answers).collect())
    }

    /// Performs the saga steps of one request, together with those of others that wait.
    pub(crate) async fn perform(
        &self,
        items: Vec<Step>,
        heard: Option<Numbers>,
    ) -> Result<Vec<Option<StepAnswer>>, Problem> {
        answered(self.steps.submit(Request { items, heard }).await)
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

/// Works on several requests as one list, or as few of at most [`LONGEST_LIST`] items each. Only
/// what was sent under the same comparison is worked on together.
async fn together<T, R, F, Fut>(requests: Vec<Request<T>>, work: F) -> Vec<Answered<R>>
where
    F: Fn(Vec<T>, Option<Numbers>) -> Fut,
    Fut: Future<Output = Answered<R>>,
{
    let mut answers: Vec<Answered<R>> = requests.iter().map(|_| Err(NotInStep)).collect();
    for (heard, group) in by_session(requests) {
        let lengths: Vec<(usize, usize)> = group
            .iter()
            .map(|(place, items)| (*place, items.len()))
            .collect();
        let mut waiting = group.into_iter().flat_map(|(_, items)| items).peekable();
        let mut done = Ok(Vec::new());
        while waiting.peek().is_some() {
            let list = waiting.by_ref().take(LONGEST_LIST).collect();
            match (work(list, heard.clone()).await, &mut done) {
                (Ok(more), Ok(all)) => all.extend(more),
                (Err(refused), _) => {
                    done = Err(refused);
                    break;
                }
                (Ok(_), Err(_)) => break,
            }
        }
        let mut done = done.map(Vec::into_iter);
        for (place, length) in lengths {
            answers[place] = match &mut done {
                Ok(done) => Ok(done.by_ref().take(length).collect()),
                Err(refused) => Err(*refused),
            };
        }
    }
    answers
}

/// Requests of one comparison, each with its place.
type Group<T> = (Option<Numbers>, Vec<(usize, Vec<T>)>);

/// Requests by the comparison they were sent under, with the highest numbers that any of them says.
fn by_session<T>(requests: Vec<Request<T>>) -> Vec<Group<T>> {
    let mut groups: Vec<Group<T>> = Vec::with_capacity(1);
    for (place, Request { items, heard }) in requests.into_iter().enumerate() {
        let session = heard.as_ref().map(|heard| heard.session);
        let same = groups
            .iter_mut()
            .find(|(known, _)| known.as_ref().map(|known| known.session) == session);
        match same {
            Some((known, group)) => {
                if let (Some(known), Some(heard)) = (known, &heard) {
                    known.own.merge(&heard.own);
                    known.seen.merge(&heard.seen);
                }
                group.push((place, items));
            }
            None => groups.push((heard, vec![(place, items)])),
        }
    }
    groups
}

/// The answers of a request, unless there are none at all: then it is better asked again.
fn answered<R>(answers: Result<Answered<Option<R>>, NoAnswer>) -> Result<Vec<Option<R>>, Problem> {
    match answers {
        Ok(Err(refused)) => Err(refused.into()),
        Ok(Ok(answers)) if answers.is_empty() || answers.iter().any(Option::is_some) => Ok(answers),
        Ok(Ok(_)) | Err(NoAnswer::Lost) => {
            Err(Problem::new(Code::Unavailable).detail("Nothing of the list could be done."))
        }
        Err(NoAnswer::Full) => Err(Problem::new(Code::Overloaded).retry_after(1)),
    }
}

#[cfg(test)]
mod tests {
    use types::SessionId;

    use super::*;

    fn requests(lists: Vec<(Vec<u32>, Option<SessionId>)>) -> Vec<Request<u32>> {
        let request = |(items, session)| Request {
            items,
            heard: Some(Numbers {
                session,
                ..Numbers::default()
            }),
        };
        lists.into_iter().map(request).collect()
    }

    #[tokio::test]
    async fn requests_that_are_worked_on_together_get_their_own_answers() {
        let lists = vec![vec![1, 2], vec![], (3..=2_500).collect::<Vec<u32>>()];
        let wanted = requests(lists.iter().map(|list| (list.clone(), None)).collect());
        let answers = together(wanted, |list: Vec<u32>, _| async move {
            assert!(list.len() <= LONGEST_LIST);
            Ok(list)
        })
        .await;
        assert_eq!(answers, lists.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_belongs_to_an_older_comparison_is_refused_alone() {
        let (old, new) = (Some(SessionId::generate()), Some(SessionId::generate()));
        let wanted = requests(vec![(vec![1], new), (vec![2], old), (vec![3], new)]);
        let answers = together(wanted, |list: Vec<u32>, heard| async move {
            let current = heard.is_some_and(|heard| heard.session == new);
            current.then_some(list).ok_or(NotInStep)
        })
        .await;
        assert_eq!(answers, [Ok(vec![1]), Err(NotInStep), Ok(vec![3])]);
    }
}

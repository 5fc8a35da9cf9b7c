//! Lists: what arrives while one list is being worked on forms the next one.
//!
//! This is group commit in the sense of Gray and Reuter ("Transaction Processing", 1993, section
//! 10.6), without a timer: an item that finds the queue idle is handled at once and alone, and
//! under load lists grow by themselves. Nothing waits for a list-mate, because each item has its
//! own answer and a list is formed anew at every step.
//!
//! Lists take turns: while two are being worked on the next one grows. A list that gets stuck, on a
//! row that somebody has locked or on a disk that stands still, loses its turn after a moment, and
//! as many more as there are workers go on beside it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

/// Bounds of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest list. Longer ones would hold row locks for longer than a caller wants to wait.
    pub max_items: usize,
    /// How many items may wait; further ones are refused at once, so that memory stays bounded.
    pub max_waiting: usize,
    /// How many lists are worked on at the same time, at most.
    pub workers: usize,
}

/// Whose turn it is, among the lists of one queue or of several that share it.
///
/// Every list has costs of its own: statements, round trips, a forced write. Few long ones cost a
/// transfer less than many short ones beside each other, and under load that is all that counts.
#[derive(Debug, Clone)]
pub struct Turns {
    turn: Arc<Semaphore>,
}

/// A list that takes longer than this is not slow but stuck, or the disk is: more lists at once do it
/// good.
const PATIENCE: Duration = Duration::from_millis(20);

impl Turns {
    /// So many lists at a time.
    #[must_use]
    pub fn of(at_once: usize) -> Self {
        Self {
            turn: Arc::new(Semaphore::new(at_once.max(1))),
        }
    }

    /// Waits for its turn; without one when the list before takes too long.
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        tokio::time::timeout(PATIENCE, turn).await.ok()?.ok()
    }
}

impl Default for Turns {
    /// Two: while one waits for the disk another one is thought about.
    fn default() -> Self {
        Self::of(2)
    }
}

/// Why an item has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Too many items are waiting. The item was not taken; nothing happened.
    #[error("the queue is full")]
    Full,
    /// The list was lost half-way. Whether anything happened to the item is unknown.
    #[error("the list was lost")]
    Lost,
}

/// Nobody waits for what is handed in without haste; this long it lets others begin the list.
const LEISURE: Duration = Duration::from_millis(5);

struct Waiting<T, R> {
    item: T,
    answer: oneshot::Sender<R>,
    is_urgent: bool,
}

/// A queue whose handler is given lists.
///
/// Cheap to clone. When the last clone is dropped the workers finish what is waiting and end.
pub struct ListQueue<T, R> {
    name: &'static str,
    sender: mpsc::Sender<Waiting<T, R>>,
}

impl<T, R> Clone for ListQueue<T, R> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            sender: self.sender.clone(),
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> ListQueue<T, R> {
    /// Starts the workers.
    ///
    /// `handler` is given at least one item and answers each in the same order; an answer that is
    /// missing becomes [`NoAnswer::Lost`]. It runs in a task of its own, so that a caller that
    /// goes away leaves nothing half-done.
    pub fn new<F, Fut>(name: &'static str, limits: Limits, handler: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        Self::in_turns(name, limits, &Turns::default(), handler)
    }

    /// As [`ListQueue::new`], taking turns with other queues.
    pub fn in_turns<F, Fut>(name: &'static str, limits: Limits, turns: &Turns, handler: F) -> Self
    where
        F: Fn(Vec<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<R>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(limits.max_waiting.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        let handler = Arc::new(handler);
        for _ in 0..limits.workers.max(1) {
            let lists = Lists {
                receiver: Arc::clone(&receiver),
                turns: turns.clone(),
                max_items: limits.max_items.max(1),
            };
            tokio::spawn(work(name, lists, Arc::clone(&handler)));
        }
        Self { name, sender }
    }

    /// Hands in one item and waits for its answer.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn submit(&self, item: T) -> Result<R, NoAnswer> {
        self.hand_in(item, true)?.await.map_err(|_| NoAnswer::Lost)
    }

    /// As [`ListQueue::submit`], of something that is in no haste: it goes with the list that the next
    /// urgent item begins, and alone when none comes within a moment.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn submit_at_leisure(&self, item: T) -> Result<R, NoAnswer> {
        self.hand_in(item, false)?.await.map_err(|_| NoAnswer::Lost)
    }

    /// Hands in items that came together and waits for all answers, in the same order.
    pub async fn submit_all(&self, items: Vec<T>) -> Vec<Result<R, NoAnswer>> {
        let handed_in: Vec<_> = items
            .into_iter()
            .map(|item| self.hand_in(item, true))
            .collect();
        let mut answers = Vec::with_capacity(handed_in.len());
        for waiting in handed_in {
            answers.push(match waiting {
                Ok(receiver) => receiver.await.map_err(|_| NoAnswer::Lost),
                Err(full) => Err(full),
            });
        }
        answers
    }

    fn hand_in(&self, item: T, is_urgent: bool) -> Result<oneshot::Receiver<R>, NoAnswer> {
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting {
            item,
            answer,
            is_urgent,
        };
        match self.sender.try_send(waiting) {
            Ok(()) => Ok(receiver),
            Err(mpsc::error::TrySendError::Full(_)) => {
                metrics::counter!("bank_queue_full_total", "queue" => self.name).increment(1);
                Err(NoAnswer::Full)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(NoAnswer::Lost),
        }
    }
}

/// Where a worker gets its lists from.
struct Lists<T, R> {
    receiver: Arc<Mutex<mpsc::Receiver<Waiting<T, R>>>>,
    turns: Turns,
    max_items: usize,
}

impl<T, R> Lists<T, R> {
    /// The next list, whole, and the turn it has; `None` when there will be no more.
    async fn next(&self) -> Option<(Vec<Waiting<T, R>>, Option<OwnedSemaphorePermit>)> {
        // Locked while waiting, so that exactly one idle worker takes the next list.
        let mut receiver = self.receiver.lock().await;
        let mut list = vec![receiver.recv().await?];
        let leisure = Instant::now() + LEISURE;
        while list.last().is_some_and(|last| !last.is_urgent)
            && list.len() < self.max_items
            && let Ok(Some(next)) = tokio::time::timeout_at(leisure, receiver.recv()).await
        {
            list.push(next);
        }
        let turn = self.turns.take().await;
        while list.len() < self.max_items
            && let Ok(next) = receiver.try_recv()
        {
            list.push(next);
        }
        Some((list, turn))
    }
}

async fn work<T, R, F, Fut>(name: &'static str, lists: Lists<T, R>, handler: Arc<F>)
where
    T: Send + 'static,
    R: Send + 'static,
    F: Fn(Vec<T>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Vec<R>> + Send + 'static,
{
    while let Some((waiting, turn)) = lists.next().await {
        let apart = waiting.into_iter().map(|one| (one.item, one.answer));
        let (items, answers): (Vec<T>, Vec<oneshot::Sender<R>>) = apart.unzip();
        metrics::histogram!("bank_list_items", "queue" => name).record(count(items.len()));
        // A task of its own: a panic loses one list, not the worker.
        let worked = tokio::spawn(handler(items)).await;
        drop(turn);
        match worked {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    // A caller that went away does not want its answer.
                    drop(answer.send(result));
                }
            }
            Err(error) => tracing::error!(event = "LIST_LOST", queue = name, %error),
        }
    }
}

/// A list's length for a histogram.
fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const LIMITS: Limits = Limits {
        max_items: 100,
        max_waiting: 100,
        workers: 1,
    };

    #[tokio::test]
    async fn what_arrives_while_a_list_is_written_forms_the_next_one() {
        let lists = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let queue = {
            let (lists, gate) = (Arc::clone(&lists), Arc::clone(&gate));
            ListQueue::new("test", LIMITS, move |items: Vec<u32>| {
                let (lists, gate) = (Arc::clone(&lists), Arc::clone(&gate));
                async move {
                    lists.fetch_add(1, Ordering::SeqCst);
                    gate.acquire().await.expect("open").forget();
                    items.iter().map(|item| item * 2).collect()
                }
            })
        };
        let first = tokio::spawn({
            let queue = queue.clone();
            async move { queue.submit(1).await }
        });
        while lists.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let rest = tokio::spawn({
            let queue = queue.clone();
            async move { queue.submit_all((2..=50).collect()).await }
        });
        tokio::task::yield_now().await;
        gate.add_permits(2);
        assert_eq!(first.await.expect("joined"), Ok(2));
        let expected: Vec<_> = (2..=50).map(|item| Ok(item * 2)).collect();
        assert_eq!(rest.await.expect("joined"), expected);
        assert_eq!(lists.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_list_that_is_stuck_does_not_hold_up_those_that_share_its_turn() {
        let turns = Turns::of(1);
        let (begun, mut begins) = mpsc::unbounded_channel();
        let queue = |name: &'static str| {
            let begun = begun.clone();
            ListQueue::in_turns(name, LIMITS, &turns, move |items: Vec<()>| {
                begun.send(name).expect("somebody listens");
                async move {
                    std::future::pending::<()>().await;
                    items
                }
            })
        };
        let (stuck, other) = (queue("stuck"), queue("other"));
        let _first = stuck.hand_in((), true).expect("room");
        assert_eq!(begins.recv().await, Some("stuck"));
        let _second = other.hand_in((), true).expect("room");
        assert_eq!(begins.recv().await, Some("other"));
    }

    #[tokio::test]
    async fn what_is_in_no_haste_goes_with_what_is_and_alone_when_nothing_comes() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let queue = ListQueue::new("test", LIMITS, move |items: Vec<u32>| {
            begun.send(items.clone()).expect("somebody listens");
            async move { items }
        });
        let leisurely = queue.hand_in(1, false).expect("room");
        let urgent = queue.hand_in(2, true).expect("room");
        assert_eq!(begins.recv().await, Some(vec![1, 2]));
        assert_eq!((leisurely.await, urgent.await), (Ok(1), Ok(2)));
        assert_eq!(queue.submit_at_leisure(3).await, Ok(3));
        assert_eq!(begins.recv().await, Some(vec![3]));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let limits = Limits {
            max_waiting: 1,
            ..LIMITS
        };
        let queue = ListQueue::new("test", limits, |items: Vec<()>| async move {
            std::future::pending::<()>().await;
            items
        });
        let waiting = queue.hand_in((), true);
        assert!(waiting.is_ok(), "there is room for one");
        let full = queue.hand_in((), true).map(drop);
        assert_eq!(full, Err(NoAnswer::Full));
    }

    #[tokio::test]
    async fn a_panic_loses_one_list_and_not_the_queue() {
        let queue = ListQueue::new("test", LIMITS, |items: Vec<bool>| async move {
            assert!(!items.contains(&true), "planted");
            items
        });
        assert_eq!(queue.submit(true).await, Err(NoAnswer::Lost));
        assert_eq!(queue.submit(false).await, Ok(false));
    }
}

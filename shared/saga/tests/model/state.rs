//! Everything the model checker sees: what is durable, what is remembered, what is under way.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use saga::barrier::Recorded;
use saga::decide::Written;
use saga::{Direction, Snapshot, Verdict};

/// Index of an executor.
pub type Process = usize;
/// Index of a step.
pub type StepIndex = usize;

/// The saga's durable row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    pub snapshot: Snapshot,
    /// Lines of the log.
    pub sequence: usize,
    pub epoch: u8,
    pub owner: Process,
    pub lease_is_over: bool,
    /// What the log says was asked for.
    pub asked: Vec<(StepIndex, Direction)>,
    /// The log says that it has turned back.
    pub has_turned: bool,
    /// It turned back although the pivot had happened.
    pub turned_behind_pivot: bool,
}

/// What an executor remembers of the saga, until it crashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Work {
    pub epoch: u8,
    pub snapshot: Snapshot,
    pub sequence: usize,
    pub in_doubt: bool,
    /// Sent to the log, not confirmed.
    pub writing: Option<Written>,
}

/// A step at its performer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Performed {
    pub action: Option<Recorded>,
    pub compensation: Option<Recorded>,
    /// How often the effect happened, and how often it was undone.
    pub done: u8,
    pub undone: u8,
}

/// What may be under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Message {
    Request(StepIndex, Direction),
    /// To whoever is waiting for it, which is more than any network would do to us.
    Answer(StepIndex, Direction, Verdict),
    /// On its way to the log: epoch, sequence before, what to write.
    Write(u8, usize, Written),
}

/// A message that was sent stays for ever: it may be delivered now, later, again, or never.
///
/// Except where it matters that an attempt that was answered is no longer under way
/// (`counts_requests`): there a request to act is as often in the network as it was sent, up to
/// twice, until a performer says "not now" to it; and that answer is heard once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Network {
    messages: BTreeMap<u64, (Message, u8)>,
    counts_requests: bool,
}

impl Network {
    pub fn new(counts_requests: bool) -> Self {
        Self {
            counts_requests,
            ..Self::default()
        }
    }

    pub fn send(&mut self, message: Message) {
        let is_counted = self.counts_requests && matches!(message, Message::Request(..));
        let (_, copies) = self.messages.entry(key(&message)).or_insert((message, 0));
        *copies = if is_counted { (*copies + 1).min(2) } else { 1 };
    }

    /// It was answered, or heard.
    pub fn consume(&mut self, message: &Message) {
        if !self.counts_requests {
            return;
        }
        if let Some((_, copies)) = self.messages.get_mut(&key(message)) {
            *copies -= 1;
            if *copies == 0 {
                self.messages.remove(&key(message));
            }
        }
    }

    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values().map(|(message, _)| message)
    }
}

/// Equal networks must be equal however they came about, and verdicts have no order of their own.
fn key(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    hasher.finish()
}

/// What may still go wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Faults {
    pub crashes: u8,
    pub lost_leases: u8,
    /// Operators who have a stuck saga try again.
    pub retries: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub row: Row,
    pub processes: [Option<Work>; 2],
    pub performers: Vec<Performed>,
    pub network: Network,
    pub faults: Faults,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// A message reaches a performer, which finds this.
    Performs(StepIndex, Direction, Finding),
    /// A write reaches the log.
    Logs(Message),
    /// An executor learns what became of its write.
    Confirms(Process),
    /// An executor hears an answer.
    Hears(Process, Verdict, Patience),
    /// Nobody answered.
    GivesUp(Process, Patience),
    Claims(Process),
    Crashes(Process),
    LeaseRunsOut,
    Retried(Process),
}

/// Whether an executor has patience left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Patience {
    Left,
    /// No more retries.
    Exhausted,
    /// The saga has taken too long.
    Late,
}

/// What a performer would do if the barrier lets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    Possible,
    Refused,
    Locked,
}

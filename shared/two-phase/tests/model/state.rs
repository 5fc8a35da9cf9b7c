//! Everything the model checker sees: what is durable, what is remembered, what is under way.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use two_phase::inquiry::Peer;
use two_phase::{Acknowledgement, BranchState, Coordinator, Outcome, Phase, Vote};
use types::views::Status;

use crate::bank::Rows;

/// Index of a transfer.
pub type Transfer = usize;
/// Index of a coordinator process.
pub type Process = usize;
/// Index of a participant.
pub type Site = usize;

/// How long a fresh lease runs. The model has no clock: a lease runs, is over, or is absurd.
pub const LEASE_MS: i64 = 10_000;

/// What is still allowed to go wrong. Loss, duplication and reordering of messages are not
/// counted: the network does them as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Faults {
    /// Crashes of coordinator processes.
    pub coordinator_crashes: u8,
    /// Crashes of participants.
    pub participant_crashes: u8,
    /// Leases that run out although their owner is alive: it was stopped, or slow.
    pub lost_leases: u8,
    /// Times the database's clock is set back, which leaves a lease far in the future.
    pub clock_jumps: u8,
    /// Branches that an operator forces.
    pub forced: u8,
    /// Promises that a restored database no longer knows of, with their holds.
    pub lost_branches: u8,
    /// Rows of transactions that a restored database no longer has.
    pub lost_rows: u8,
}

impl Faults {
    pub const NONE: Self = Self {
        coordinator_crashes: 0,
        participant_crashes: 0,
        lost_leases: 0,
        clock_jumps: 0,
        forced: 0,
        lost_branches: 0,
        lost_rows: 0,
    };
}

/// One durable row in the coordinators' database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    pub status: Status,
    pub phase: Phase,
    pub epoch: u8,
    pub owner: Process,
    pub lease_remaining_ms: i64,
    /// How often the status was written; more than once would be the end of atomicity.
    pub decisions: u8,
    /// The row is gone; what it said is kept here for the properties alone.
    pub is_lost: bool,
    /// A participant asked about it when it was gone, and an alarm was raised.
    pub is_reported_unknown: bool,
}

/// What a process remembers about one transfer, until it crashes or has finished it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Work {
    /// The epoch it believes to own.
    pub epoch: u8,
    pub coordinator: Coordinator,
}

/// One coordinator process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Memory {
    pub up: bool,
    pub work: Vec<Option<Work>>,
}

/// One branch: durable, but for what was heard from peers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Branch {
    pub state: Option<BranchState>,
    /// How often the legs were booked.
    pub booked: u8,
    /// The holds were given back.
    pub released: bool,
    /// What an operator forced.
    pub forced: Option<Outcome>,
    /// No coordinator was needed.
    pub resolved_by_peers: bool,
    /// Lost in a crash. Empty unless in doubt.
    pub heard: BTreeMap<Site, Peer>,
}

/// One participant: its accounts, its branches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Participant {
    pub up: bool,
    pub accounts: Rows,
    pub branches: Vec<Branch>,
}

/// What may be under way. Who sent it does not matter to anybody, so it is not said: every
/// process can hear every vote, which is more than any network would do to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Message {
    Prepare(Transfer, Site),
    Voted(Transfer, Site, Vote),
    /// The compare-and-set under an epoch, on its way to the database.
    Decide(Transfer, u8, Outcome),
    Decision(Transfer, Site, Outcome),
    Acknowledged(Transfer, Site, Acknowledgement),
    /// "What became of it?", to any coordinator.
    Inquiry(Transfer),
    /// What a coordinator answered, to everybody in doubt.
    Answer(Transfer, Outcome),
    /// "What is your branch?", to one peer.
    PeerQuestion(Transfer, Site),
    /// What that peer answered, to everybody in doubt.
    PeerAnswer(Transfer, Site, BranchState),
}

/// A message that was sent stays for ever: it may be delivered now, later, again, or never. So
/// loss, delay, reordering and unlimited duplication are one and the same thing.
///
/// Kept under a hash, because votes have no order of their own and equal networks must be equal
/// however they came about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    messages: Arc<BTreeMap<u64, Message>>,
    /// The sum of the keys: they are hashes already, and most of a state is its network.
    digest: u64,
}

impl Hash for Network {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.digest.hash(hasher);
    }
}

fn key(message: Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    message.hash(&mut hasher);
    hasher.finish()
}

impl Network {
    pub fn send(&mut self, message: Message) {
        let key = key(message);
        if !self.messages.contains_key(&key) {
            Arc::make_mut(&mut self.messages).insert(key, message);
            self.digest = self.digest.wrapping_add(key);
        }
    }

    /// Whether it was ever sent: nothing that was is forgotten.
    pub fn has_seen(&self, message: Message) -> bool {
        self.messages.contains_key(&key(message))
    }

    pub fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        self.messages.values().copied()
    }
}

/// The whole bank. Shared where nothing changed: the checker keeps millions of these.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub rows: Vec<Row>,
    pub processes: Vec<Arc<Memory>>,
    pub participants: Vec<Arc<Participant>>,
    pub network: Network,
    /// What the client was told.
    pub told: Vec<Option<Outcome>>,
    /// A process was told two different outcomes of one transfer.
    pub outcome_changed: bool,
    pub faults: Faults,
}

impl State {
    pub fn process(&mut self, process: Process) -> &mut Memory {
        Arc::make_mut(&mut self.processes[process])
    }

    pub fn participant(&mut self, site: Site) -> &mut Participant {
        Arc::make_mut(&mut self.participants[site])
    }

    pub fn branch(&mut self, site: Site, transfer: Transfer) -> &mut Branch {
        &mut self.participant(site).branches[transfer]
    }
}

/// One thing that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A message reaches a coordinator process.
    ReachesCoordinator(Process, Message),
    /// A message reaches the participant it is for, or one in doubt.
    ReachesParticipant(Site, Message),
    /// A statement reaches the coordinators' database.
    ReachesDatabase(Message),
    /// A process reads the row it works on.
    Read(Process, Transfer),
    DeadlinePasses(Process, Transfer),
    LeaseRunsOut(Transfer),
    ClockIsSetBack(Transfer),
    Claim(Process, Transfer),
    /// A process has every acknowledgement and says so.
    Finish(Process, Transfer),
    CoordinatorCrashes(Process),
    CoordinatorRestarts(Process),
    ParticipantCrashes(Site),
    ParticipantRestarts(Site),
    /// A participant in doubt makes up its mind from what it has heard.
    Conclude(Site, Transfer),
    Force(Site, Transfer, Outcome),
    /// The participant's database is restored to before this promise.
    BranchIsLost(Site, Transfer),
    /// The coordinators' database is restored to before this transaction was begun.
    RowIsLost(Transfer),
}

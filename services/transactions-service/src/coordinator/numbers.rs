//! Has this database, or a participant's, lost its last commits?
//!
//! The race it survives: a database is put back to an earlier state, or fails over to a copy without
//! its last commits, behind the back of processes that go on. Then a coordinator would abort by
//! recovery what it had decided to commit, and a participant would acknowledge what it has
//! forgotten. So every list names the session of the last comparison of the two databases. The
//! statement that writes decisions writes none for a participant with whom this very database
//! (`incarnation()`) was not compared, and a participant refuses a list likewise; then the two are
//! compared ([`two_phase::numbers`]), and unless they are in step nothing moves between them.
//!
//! A coordinator whose database was not started anew has nothing to ask anybody: that its process
//! was killed costs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_kit::client::ServiceClient;
use sqlx::PgPool;
use two_phase::message::Numbers as Said;
use two_phase::numbers::Lanes;
use types::views::ParticipantState;
use types::{ParticipantId, SessionId};

use crate::store::numbers::{LANES, Statement};

/// Lists of one process that are written at once.
const OWN_LANES: usize = 4;

/// The numbers of all banks, as this process knows them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Numbers(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) pool: PgPool,
    free: Mutex<Vec<usize>>,
    first_lane: usize,
    pub(super) banks: BTreeMap<ParticipantId, Bank>,
}

pub(super) struct Bank {
    pub(super) client: ServiceClient,
    pub(super) known: Mutex<Known>,
    /// One comparison at a time.
    pub(super) comparing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub(super) struct Known {
    pub(super) state: ParticipantState,
    session: Option<SessionId>,
    /// What this database was when the session was agreed upon.
    incarnation: String,
    /// Durable numbers of ours; not those that other processes have raised since.
    own: Lanes,
    /// What the bank has said of its own.
    heard: Lanes,
    /// What of that is on record.
    recorded: Lanes,
    /// What the bank has seen of ours.
    they_saw: Lanes,
    /// Comparisons that were tried.
    pub(super) attempts: u64,
}

/// What a list has to write about participants, and where.
pub(crate) struct Touched {
    pub(crate) lane: usize,
    pub(crate) participants: Vec<String>,
    /// The numbers each has said of its own, as array literals: they are not equally long.
    pub(crate) heard: Vec<String>,
    /// The number each has seen of this lane.
    pub(crate) they_saw: Vec<i64>,
    /// Whether anything is decided about each; if not, what it has said is put on record.
    pub(crate) decides: Vec<bool>,
    said: Vec<(ParticipantId, Lanes)>,
    numbers: Numbers,
    taken: bool,
}

impl Drop for Touched {
    fn drop(&mut self) {
        if self.taken {
            lock(&self.numbers.0.free).push(self.lane);
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Numbers {
    /// The numbers of these banks. Processes of one database should differ in `name`: those that
    /// share lanes wait for each other.
    pub(crate) fn new(
        pool: PgPool,
        name: &str,
        banks: impl IntoIterator<Item = (ParticipantId, ServiceClient)>,
    ) -> Self {
        let blocks = LANES / OWN_LANES;
        let block = name.bytes().map(usize::from).sum::<usize>() % blocks;
        let first_lane = block * OWN_LANES;
        let bank = |(participant, client)| {
            let bank = Bank {
                client,
                known: Mutex::default(),
                comparing: tokio::sync::Mutex::default(),
            };
            (participant, bank)
        };
        Self(Arc::new(Inner {
            pool,
            free: Mutex::new((first_lane..first_lane + OWN_LANES).collect()),
            first_lane,
            banks: banks.into_iter().map(bank).collect(),
        }))
    }

    pub(super) fn bank(&self, participant: &ParticipantId) -> Option<&Bank> {
        self.0.banks.get(participant)
    }

    /// How this database and the bank's stand to each other, as far as this process knows.
    pub(crate) fn state(&self, participant: &ParticipantId) -> ParticipantState {
        self.bank(participant)
            .map_or_else(Default::default, |bank| lock(&bank.known).state)
    }

    /// What a list for a bank has to carry; `None` when nothing may be sent to it. Compares first
    /// where that is needed.
    pub(crate) async fn to_say(&self, participant: &ParticipantId) -> Option<Said> {
        if self.state(participant) == ParticipantState::NotCompared {
            // Rare, and many times as large as what it would otherwise be a part of.
            Box::pin(self.compare(participant)).await;
        }
        let known = lock(&self.bank(participant)?.known);
        (known.state == ParticipantState::InStep).then(|| Said {
            session: known.session,
            own: known.own.clone(),
            seen: known.heard.clone(),
        })
    }

    /// Remembers what a bank says of itself, to be put on record with the next list.
    pub(crate) fn heard(&self, participant: &ParticipantId, said: Option<&Said>) {
        let (Some(bank), Some(said)) = (self.bank(participant), said) else {
            return;
        };
        let mut known = lock(&bank.known);
        // What belongs to another session may be what a database has lost since.
        if said.session == known.session {
            known.heard.merge(&said.own);
            known.they_saw.merge(&said.seen);
        }
    }

    /// A bank, or our own database, no longer goes by this session.
    pub(crate) fn doubt(&self, participant: &ParticipantId, session: Option<SessionId>) {
        let Some(bank) = self.bank(participant) else {
            return;
        };
        let mut known = lock(&bank.known);
        if known.session == session && known.state == ParticipantState::InStep {
            *known = Known {
                attempts: known.attempts,
                ..Known::default()
            };
        }
    }

    /// This database is what `incarnation` says: sessions of what it was before no longer count.
    pub(crate) fn noticed(&self, incarnation: &str) {
        for (participant, bank) in &self.0.banks {
            let session = {
                let known = lock(&bank.known);
                (known.incarnation != incarnation).then_some(known.session)
            };
            if let Some(session) = session {
                self.doubt(participant, session);
            }
        }
    }

    /// Whether a bank that asks under this session may be answered, and what it is to be told.
    /// `None` when nothing may be said to it.
    pub(crate) async fn confirm(
        &self,
        participant: &ParticipantId,
        asked: Option<&Said>,
    ) -> Option<Said> {
        if let Some(asked) = asked {
            let session = self.bank(participant).map(|bank| lock(&bank.known).session);
            if session != Some(asked.session) {
                self.doubt(participant, session.flatten());
            }
        }
        self.to_say(participant).await
    }

    /// What a list that decides about these banks has to write about them, with a lane to itself.
    pub(crate) fn touched<'a>(
        &self,
        decided: impl IntoIterator<Item = &'a ParticipantId>,
    ) -> Touched {
        let decided = decided.into_iter().collect();
        self.touch(&decided, &decided)
    }

    /// As [`Numbers::touched`], for a list with ends: what a bank has said and is not on record is
    /// put there too.
    pub(crate) fn touched_and_heard<'a>(
        &self,
        decided: impl IntoIterator<Item = &'a ParticipantId>,
    ) -> Touched {
        let decided = decided.into_iter().collect();
        let news = |(_, bank): &(_, &Bank)| {
            let known = lock(&bank.known);
            !known.recorded.covers(&known.heard)
        };
        let news = self.0.banks.iter().filter(news);
        let mut touched: BTreeSet<_> = news.map(|(participant, _)| participant).collect();
        touched.extend(&decided);
        self.touch(&touched, &decided)
    }

    fn touch(
        &self,
        participants: &BTreeSet<&ParticipantId>,
        decided: &BTreeSet<&ParticipantId>,
    ) -> Touched {
        let needs_lane = !participants.is_empty();
        let taken = needs_lane.then(|| lock(&self.0.free).pop()).flatten();
        let lane = taken.unwrap_or(self.0.first_lane);
        let mut touched = Touched {
            lane,
            participants: Vec::new(),
            heard: Vec::new(),
            they_saw: Vec::new(),
            decides: Vec::new(),
            said: Vec::new(),
            numbers: self.clone(),
            taken: taken.is_some(),
        };
        for participant in participants {
            let Some(bank) = self.bank(participant) else {
                continue;
            };
            let known = lock(&bank.known);
            let texts: Vec<String> = known.heard.row().iter().map(i64::to_string).collect();
            touched.participants.push(participant.to_string());
            touched.heard.push(format!("{{{}}}", texts.join(",")));
            let they_saw = i64::try_from(known.they_saw.get(lane));
            touched.they_saw.push(they_saw.unwrap_or(i64::MAX));
            touched.decides.push(decided.contains(participant));
            let said = known.heard.clone();
            touched.said.push(((*participant).clone(), said));
        }
        touched
    }

    /// A list is written: its numbers may be said, and what was heard is on record. With whomever it
    /// did not raise a number this database has to be compared again.
    pub(crate) fn committed(&self, touched: &Touched, raised: &BTreeMap<String, u64>) {
        for ((participant, said), decides) in touched.said.iter().zip(&touched.decides) {
            let Some(bank) = self.bank(participant) else {
                continue;
            };
            let session = {
                let mut known = lock(&bank.known);
                let own = raised.get(participant.as_str());
                if let Some(own) = own {
                    known.own.raise(touched.lane, *own);
                }
                if own.is_some() || !decides {
                    known.recorded.merge(said);
                    continue;
                }
                known.session
            };
            self.doubt(participant, session);
        }
    }
}

/// The two are in step: further messages name this session.
pub(super) fn agree(bank: &Bank, statement: &Statement, session: SessionId) {
    let mut known = lock(&bank.known);
    if known.session == Some(session) && known.state == ParticipantState::InStep {
        return;
    }
    *known = Known {
        state: ParticipantState::InStep,
        session: Some(session),
        incarnation: statement.incarnation.clone(),
        own: statement.own.clone(),
        heard: statement.seen.clone(),
        recorded: statement.seen.clone(),
        they_saw: Lanes::default(),
        attempts: known.attempts,
    };
}

//! The coordinator: begins transactions, drives each to its end, and takes over what is left
//! behind.
//!
//! | step | file |
//! |---|---|
//! | one transaction from its first PREPARE to its last acknowledgement | [`drive`] |
//! | lists to and from the participants | [`participants`] |
//! | lists to the database | [`queues`] |
//! | transactions that another process left behind | [`recovery`] |
//! | has one of two databases lost its last commits? | [`numbers`], [`comparison`] |
//! | participants that ask | [`inquiries`], and what they may delete: [`unfinished`] |
//! | what is long finished, deleted | [`retention`] |
//! | what participants know, for operators | [`evidence`] |
//!
//! What is decided is decided in the crate `two_phase`; what is written is written in `store`.

pub(crate) mod alarm;
pub(crate) mod comparison;
pub(crate) mod drive;
pub(crate) mod evidence;
pub(crate) mod in_flight;
pub(crate) mod inquiries;
mod lines;
pub(crate) mod numbers;
pub(crate) mod participants;
mod questions;
pub(crate) mod queues;
pub(crate) mod recovery;
pub(crate) mod retention;
pub(crate) mod unfinished;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use saga_postgres::Lease;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::Instant;
use two_phase::message::Outcome;
use types::views::Protocol;
use types::{Code, TransactionId};
use uuid::Uuid;

use crate::config::Timings;
use crate::record::NewTransaction;
use crate::sagas::Sagas;
use crate::store::begin::Owner;
use in_flight::InFlight;
use numbers::Numbers;
use participants::Participants;
use queues::Queues;

/// How far a transaction has come, as its driver reports it to whoever waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Votes are being gathered.
    Undecided,
    /// The decision is durable.
    Decided(Decision),
    /// Every participant has acknowledged, at this time.
    Settled(Decision, DateTime<Utc>),
    /// This process no longer drives it; only the database tells.
    Elsewhere,
}

/// A durable decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) outcome: Outcome,
    pub(crate) reason: Option<Code>,
    pub(crate) decided_at: DateTime<Utc>,
}

/// One coordinator process.
pub(crate) struct Coordination {
    /// This process and start; the owner of what it begins.
    pub(crate) coordinator_id: Uuid,
    /// The process's name: a restarted one knows its former self by it.
    pub(crate) name: String,
    pub(crate) pool: PgPool,
    pub(crate) timings: Timings,
    pub(crate) queues: Queues,
    pub(crate) numbers: Numbers,
    pub(crate) participants: Participants,
    pub(crate) in_flight: InFlight,
    pub(crate) sagas: Sagas,
}

impl Coordination {
    pub(crate) fn new(
        name: String,
        pool: PgPool,
        timings: Timings,
        participants: Participants,
        numbers: Numbers,
        executor: Lease,
    ) -> Result<Arc<Self>, saga::DefinitionError> {
        let coordinator_id = Uuid::now_v7();
        let in_flight = InFlight::new(timings.max_in_flight);
        let owner = Owner {
            coordinator: coordinator_id,
            executor: executor.executor(),
        };
        let sagas = Sagas::new(
            executor,
            &pool,
            &timings,
            &participants,
            &numbers,
            &in_flight,
        )?;
        Ok(Arc::new(Self {
            coordinator_id,
            name,
            queues: Queues::new(&pool, owner, &numbers),
            numbers,
            participants,
            in_flight,
            sagas,
            timings,
            pool,
        }))
    }

    /// Starts driving a transaction whose begin is durable.
    ///
    /// The driver is a task of its own: a client that hangs up does not stop it.
    pub(crate) fn start(
        self: &Arc<Self>,
        transaction: NewTransaction,
    ) -> watch::Receiver<Progress> {
        if transaction.protocol == Protocol::Saga {
            return self.sagas.start(&transaction);
        }
        let (report, progress) = watch::channel(Progress::Undecided);
        let drive = drive::Drive::begun(transaction, self.timings.prepare_deadline(), report);
        self.spawn(drive);
        progress
    }

    /// Runs a driver to its end. What it logs belongs to the request that began the transaction,
    /// where there is one.
    pub(crate) fn spawn(self: &Arc<Self>, drive: drive::Drive) {
        let entry = self.in_flight.enter(drive.transaction_id());
        let coordination = Arc::clone(self);
        service_kit::context::spawn(async move {
            let transaction_id = drive.transaction_id();
            if let Err(error) = drive.run(&coordination, &entry).await {
                // Nothing is lost: recovery finds what nobody drives.
                tracing::warn!(
                    event = "TRANSACTION_LEFT_TO_RECOVERY",
                    %transaction_id,
                    %error
                );
            }
            drop(entry);
        });
    }

    /// Waits for the reply a client may be given.
    ///
    /// A commit is worth waiting for until every participant has applied it, so that the client
    /// reads its own write, but not for ever. Where this process does not drive the transaction,
    /// the database is asked again and again.
    pub(crate) async fn outcome(
        &self,
        transaction_id: TransactionId,
        mut progress: watch::Receiver<Progress>,
    ) -> Progress {
        let patience = Instant::now() + self.timings.reply_deadline();
        let decided = progress.wait_for(|reached| *reached != Progress::Undecided);
        let decided = match tokio::time::timeout_at(patience, decided).await {
            Ok(Ok(reached)) => *reached,
            Ok(Err(_)) => Progress::Elsewhere,
            Err(_) => return Progress::Undecided,
        };
        match decided {
            Progress::Elsewhere => self.outcome_elsewhere(transaction_id, patience).await,
            Progress::Decided(_) => {
                let settled = progress.wait_for(|reached| matches!(reached, Progress::Settled(..)));
                match tokio::time::timeout(self.timings.settle_patience(), settled).await {
                    Ok(Ok(settled)) => *settled,
                    // Decided for good; that it is not yet everywhere changes nothing of that.
                    Ok(Err(_)) | Err(_) => decided,
                }
            }
            reached => reached,
        }
    }

    async fn outcome_elsewhere(&self, id: TransactionId, patience: Instant) -> Progress {
        let mut latest = Progress::Undecided;
        let mut pause = Duration::from_millis(20);
        while Instant::now() < patience {
            if let Ok(records) = crate::store::transactions::read(&self.pool, &[id]).await
                && let Some(record) = records.get(&id)
            {
                latest = progress_of(record);
                if matches!(latest, Progress::Settled(..)) {
                    return latest;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(500));
        }
        latest
    }
}

fn progress_of(record: &crate::record::Record) -> Progress {
    let outcome = match record.status {
        types::views::Status::Pending => return Progress::Undecided,
        types::views::Status::Committed => Outcome::Commit,
        types::views::Status::Aborted => Outcome::Abort,
    };
    let Some(decided_at) = record.decided_at else {
        return Progress::Undecided;
    };
    let decision = Decision {
        outcome,
        reason: record.reason,
        decided_at,
    };
    match record.settled_at {
        Some(settled_at) => Progress::Settled(decision, settled_at),
        None => Progress::Decided(decision),
    }
}

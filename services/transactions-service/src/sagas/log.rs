//! The log of transfers by saga: each write in one database transaction with what it means for the
//! transfer's own row.
//!
//! The race it survives: this database, or a bank's, is put back to an earlier state. So a write is
//! made only while the two are in step, and raises the number that the bank compares, as decisions
//! by two-phase commit do.

use std::time::Duration;

use chrono::Utc;
use saga::machine::Event;
use saga::store::{Claimed, Interrupted, LogWrite, NewSaga, StoreError, WriteResult};
use saga::{SagaId, SagaStore};
use saga_postgres::{Lease, PgSagaLog, Wrote, store_error, write_in};

use service_kit::halving::{Part, halve};
use service_kit::lists::{Limits, ListQueue};
use sqlx::PgPool;
use two_phase::message::Outcome;
use two_phase::planted::{Bug, is_planted};
use types::views::{AuditAction, Status};

use super::definition::meaning;
use super::underway::Underway;
use crate::coordinator::Decision;
use crate::coordinator::numbers::Numbers;
use crate::store::audit::{self, NewEntry};
use crate::store::sagas::{Change, change, raise};

/// As for decisions.
const LIMITS: Limits = Limits {
    max_items: 500,
    max_waiting: 20_000,
    workers: 2,
};

/// How long a write waits until the databases are compared, before it is said not to be written.
const COMPARISON: Duration = Duration::from_secs(2);

/// What became of one write of a list.
type Written = Result<WriteResult, NotWritten>;

#[derive(Debug, Clone)]
enum NotWritten {
    /// This database has to be compared with a bank's first.
    NotInStep,
    /// Perhaps it is written after all.
    Unknown(String),
}

/// The log of one process.
pub(crate) struct TransferLog {
    rows: PgSagaLog,
    writes: ListQueue<LogWrite, Written>,
    underway: Underway,
    numbers: Numbers,
}

impl TransferLog {
    pub(super) fn new(lease: Lease, pool: &PgPool, numbers: &Numbers, underway: &Underway) -> Self {
        let lists = Lists {
            pool: pool.clone(),
            numbers: numbers.clone(),
            underway: underway.clone(),
        };
        Self {
            rows: PgSagaLog::new(lease),
            writes: ListQueue::new("saga_log", LIMITS, move |writes| {
                lists.clone().write(writes)
            }),
            underway: underway.clone(),
            numbers: numbers.clone(),
        }
    }

    /// The lease, for whoever stops the process.
    pub(crate) const fn lease(&self) -> &Lease {
        self.rows.lease()
    }
}

#[derive(Clone)]
struct Lists {
    pool: PgPool,
    numbers: Numbers,
    underway: Underway,
}

impl Lists {
    async fn write(self, writes: Vec<LogWrite>) -> Vec<Written> {
        let mut results = Vec::with_capacity(writes.len());
        let parts = halve(&writes, |writes| {
            let lists = self.clone();
            async move { lists.write_part(&writes).await }
        });
        for (length, part) in parts.await {
            match part {
                Part::Done(written) => results.extend(written),
                Part::Refused(error) | Part::Unknown(error) => {
                    let error = NotWritten::Unknown(error.to_string());
                    results.extend((0..length).map(|_| Err(error.clone())));
                }
            }
        }
        results
    }

    /// One database transaction. Durable when it returns: every write that is `Written`, with what
    /// it means for its transfer, and the numbers.
    async fn write_part(&self, writes: &[LogWrite]) -> Result<Vec<Written>, sqlx::Error> {
        let participants: Vec<_> = writes
            .iter()
            .map(|write| self.underway.participants(write.saga_id))
            .collect();
        let touched = self.numbers.touched(participants.iter().flatten());
        let mut database_transaction = self.pool.begin().await?;
        let raised = raise(&mut database_transaction, &touched).await?;
        let in_step: Vec<bool> = participants
            .iter()
            .map(|banks| banks.iter().all(|bank| raised.contains_key(bank.as_str())))
            .collect();
        let ready = writes.iter().zip(&in_step).filter(|(_, is)| **is);
        let ready: Vec<LogWrite> = ready.map(|(write, _)| write.clone()).collect();
        let wrote = write_in(&mut database_transaction, &ready).await?;
        let fresh = ready.iter().zip(&wrote);
        let fresh: Vec<_> = fresh.filter(|(_, wrote)| **wrote == Wrote::Now).collect();
        let changes: Vec<_> = fresh
            .iter()
            .filter_map(|(write, _)| self.change_by(write))
            .collect();
        change(&mut database_transaction, &changes).await?;
        for (write, _) in &fresh {
            self.note_order(&mut database_transaction, write).await?;
        }
        if is_planted(Bug::SagaLogWriteLost) {
            database_transaction.rollback().await?;
        } else {
            database_transaction.commit().await?;
        }
        self.numbers.committed(&touched, &raised);
        let mut wrote = wrote.into_iter();
        let result = |is_in_step| match is_in_step {
            true => wrote
                .next()
                .map(|wrote| Ok(wrote.into()))
                .unwrap_or_else(|| Err(NotWritten::Unknown("no result".to_owned()))),
            false => Err(NotWritten::NotInStep),
        };
        Ok(in_step.into_iter().map(result).collect())
    }

    fn change_by(&self, write: &LogWrite) -> Option<Change> {
        let meaning = meaning(write);
        let decided = meaning.decided.map(|(status, reason)| {
            let decision = self.underway.deciding(
                write.saga_id,
                Decision {
                    outcome: match status {
                        Status::Committed => Outcome::Commit,
                        Status::Aborted | Status::Pending => Outcome::Abort,
                    },
                    reason,
                    decided_at: Utc::now(),
                },
            );
            (status, reason, decision.decided_at)
        });
        let settled_at = meaning
            .settled
            .then(|| self.underway.settling(write.saga_id));
        (decided.is_some() || meaning.settled).then(|| Change {
            transaction_id: write.saga_id.uuid().into(),
            decided,
            settled_at,
        })
    }

    /// What an operator has ordered stands in the audit trail of every bank that it concerns.
    async fn note_order(
        &self,
        connection: &mut sqlx::PgConnection,
        write: &LogWrite,
    ) -> Result<(), sqlx::Error> {
        let action = match write.entries.first().map(|entry| &entry.event) {
            Some(Event::Retried { .. }) => AuditAction::SagaRetried,
            Some(Event::Skipped { .. }) => AuditAction::SagaSkipped,
            _ => return Ok(()),
        };
        let Some(ordered) = self.underway.ordered(write.saga_id) else {
            return Ok(());
        };
        for participant in self.underway.participants(write.saga_id) {
            let entry = NewEntry {
                actor: Some(ordered.actor),
                reason: Some(&ordered.reason),
                ..NewEntry::of(action, write.saga_id.uuid().into(), &participant)
            };
            audit::append(connection, &entry).await?;
        }
        Ok(())
    }
}

impl SagaStore for TransferLog {
    async fn begin(&self, sagas: Vec<NewSaga>) -> Result<Vec<Option<i32>>, StoreError> {
        self.rows.begin(sagas).await
    }

    async fn write(&self, writes: Vec<LogWrite>) -> Vec<Result<WriteResult, StoreError>> {
        let ids: Vec<_> = writes.iter().map(|write| write.saga_id).collect();
        let answers = self.writes.submit_all(writes).await;
        let mut results = Vec::with_capacity(answers.len());
        for (id, answer) in ids.into_iter().zip(answers) {
            results.push(match answer {
                Ok(Ok(written)) => Ok(written),
                Ok(Err(NotWritten::Unknown(error))) => Err(StoreError(error)),
                Ok(Err(NotWritten::NotInStep)) => {
                    let banks = self.underway.participants(id);
                    let compared = self.numbers.in_step(&banks);
                    // The executor writes once more, however this ends.
                    tokio::time::timeout(COMPARISON, compared).await.ok();
                    Err(StoreError("the databases are not in step".to_owned()))
                }
                Err(error) => Err(store_error(error)),
            });
        }
        results
    }

    async fn claim(
        &self,
        kind: &str,
        driven: Vec<SagaId>,
        limit: usize,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.rows.claim(kind, driven, limit).await
    }

    async fn take_stuck(&self, kind: &str, saga_id: SagaId) -> Result<Option<Claimed>, StoreError> {
        self.rows.take_stuck(kind, saga_id).await
    }

    async fn before_log(&self, write: &LogWrite) -> Result<(), Interrupted> {
        self.rows.before_log(write).await
    }

    async fn after_log(&self, write: &LogWrite) -> Result<(), Interrupted> {
        self.rows.after_log(write).await?;
        let meaning = meaning(write);
        if meaning.decided.is_some() {
            self.underway.decided(write.saga_id);
        }
        if meaning.settled {
            self.underway.settled(write.saga_id);
        }
        Ok(())
    }
}

//! Transfers by saga. The engine decides ([`saga`]), this has it done.
//!
//! | where is … | file |
//! |---|---|
//! | the steps, and what several answers come to | `definition.rs` |
//! | the banks asked | `banks.rs` |
//! | the log, and the transfer's row beside it | `log.rs` |
//! | who waits for what | `underway.rs` |

pub(crate) mod banks;
pub(crate) mod definition;
pub(crate) mod log;
pub(crate) mod underway;

use std::sync::Arc;

use saga::operator::CommandError;
use saga::recovery::{self, Pace};
use saga::{Backoff, Command, Executor, Finished, Options, Owned, Reason, SagaId, Stopped};
use saga_postgres::{Lease, StepNames};
use sqlx::PgPool;
use tokio::sync::watch;
use types::TransactionId;

use crate::config::Timings;
use crate::coordinator::Progress;
use crate::coordinator::in_flight::InFlight;
use crate::coordinator::numbers::Numbers;
use crate::coordinator::participants::Participants;
use crate::record::NewTransaction;
use banks::Banks;
use definition::Transfer;
use log::TransferLog;
use underway::{Live, Ordered, Underway};

/// Transfers by saga, as one process drives them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sagas {
    executor: Executor<Transfer, TransferLog>,
    underway: Underway,
    in_flight: InFlight,
    pool: PgPool,
}

impl Sagas {
    pub(crate) fn new(
        lease: Lease,
        pool: &PgPool,
        timings: &Timings,
        participants: &Participants,
        numbers: &Numbers,
        in_flight: &InFlight,
    ) -> Result<Self, saga::DefinitionError> {
        let underway = Underway::default();
        let banks = Arc::new(Banks {
            participants: participants.clone(),
            underway: underway.clone(),
            pool: pool.clone(),
        });
        let definition = definition::definition(options(timings), &banks)?;
        let log = TransferLog::new(lease, pool, numbers, &underway);
        Ok(Self {
            executor: Executor::new(definition, Arc::new(log)),
            underway,
            in_flight: in_flight.clone(),
            pool: pool.clone(),
        })
    }

    pub(crate) fn lease(&self) -> &Lease {
        self.executor.store().lease()
    }

    pub(crate) fn names(&self) -> StepNames {
        StepNames::of(self.executor.definition())
    }

    /// Starts driving a transfer whose begin is durable.
    pub(crate) fn start(&self, transaction: &NewTransaction) -> watch::Receiver<Progress> {
        let (report, progress) = watch::channel(Progress::Undecided);
        let saga_id = SagaId::from_uuid(transaction.transaction_id.uuid());
        match definition::begin(transaction) {
            Ok(saga) => {
                let owned = self.executor.begun(self.executor.enter(saga_id), saga, 1);
                self.spawn(owned, report, None);
            }
            // It began just so: recovery finds it if this should ever be.
            Err(error) => {
                tracing::error!(event = "SAGA_NOT_STARTED", %saga_id, error);
                report.send_replace(Progress::Elsewhere);
            }
        }
        progress
    }

    /// Drives a saga in a task of its own: a client that hangs up does not stop it.
    fn spawn(&self, owned: Owned, report: watch::Sender<Progress>, ordered: Option<Ordered>) {
        self.enter(&owned, report, ordered);
        let sagas = self.clone();
        service_kit::context::spawn(async move {
            let saga_id = owned.saga_id();
            let result = sagas.executor.drive(owned).await;
            sagas.underway.leave(saga_id);
            sagas.tell(saga_id, result).await;
        });
    }

    fn enter(&self, owned: &Owned, report: watch::Sender<Progress>, ordered: Option<Ordered>) {
        let saga_id = owned.saga_id();
        let state = serde_json::from_str::<Transfer>(owned.state());
        let live = Live {
            participants: state.map(|state| state.participants()).unwrap_or_default(),
            report,
            entry: self.in_flight.enter(transaction(saga_id)),
            ordered,
            decision: None,
            settled_at: None,
        };
        self.underway.enter(saga_id, live);
    }

    async fn tell(&self, saga_id: SagaId, result: Result<Finished<Transfer>, Stopped>) {
        match result {
            Ok(finished) if finished.status == saga::Status::Stuck => {
                let reason = finished.reason.as_ref().map_or("", Reason::as_str);
                metrics::counter!("bank_sagas_stuck_total").increment(1);
                tracing::error!(
                    event = "MANUAL_INTERVENTION_REQUIRED",
                    hazard = "saga_stuck",
                    transaction_id = %saga_id,
                    reason,
                );
                count(&self.pool).await;
            }
            Ok(finished) => {
                let outcome = finished.status.as_str();
                metrics::counter!("bank_sagas_total", "outcome" => outcome).increment(1);
                tracing::info!(event = "SAGA_FINISHED", transaction_id = %saga_id, outcome);
            }
            // Nothing is lost: recovery finds what nobody drives.
            Err(error) => {
                tracing::warn!(event = "SAGA_LEFT_TO_RECOVERY", transaction_id = %saga_id, %error);
            }
        }
    }

    /// Takes over what nobody drives, until `stop` says so.
    pub(crate) async fn recover(self, timings: Timings, stop: watch::Receiver<bool>) {
        let pace = Pace {
            tick: timings.recovery_tick,
            ..Pace::default()
        };
        let spawn = |owned: Owned| {
            tracing::info!(event = "SAGA_RECOVERED", transaction_id = %owned.saga_id());
            metrics::counter!("bank_recovered_total").increment(1);
            let (report, _) = watch::channel(Progress::Undecided);
            self.spawn(owned, report, None);
        };
        let report = |error| tracing::warn!(event = "SAGA_RECOVERY_FAILED", %error);
        recovery::run(&self.executor, pace, spawn, report, stop).await;
    }

    /// Carries out an operator's order on a saga that is stuck, and drives it on. Durable when it
    /// returns: the order, in the log and in the audit trail.
    pub(crate) async fn order(
        &self,
        id: TransactionId,
        command: &Command,
        ordered: Ordered,
        participants: Vec<types::ParticipantId>,
    ) -> Result<(), CommandError> {
        let saga_id = SagaId::from_uuid(id.uuid());
        let (report, _) = watch::channel(Progress::Undecided);
        let live = Live {
            participants,
            report,
            entry: self.in_flight.enter(id),
            ordered: Some(ordered.clone()),
            decision: None,
            settled_at: None,
        };
        self.underway.enter(saga_id, live);
        let reason = Reason::new(format!("{}: {}", ordered.actor, ordered.reason));
        let owned = self.executor.command(saga_id, command, reason).await;
        self.underway.leave(saga_id);
        let (report, _) = watch::channel(Progress::Undecided);
        self.spawn(owned?, report, None);
        count(&self.pool).await;
        Ok(())
    }
}

fn transaction(saga_id: SagaId) -> TransactionId {
    saga_id.uuid().into()
}

/// Shows how many sagas wait for a person.
async fn count(pool: &PgPool) {
    if let Err(error) = crate::coordinator::recovery::count_interventions(pool).await {
        tracing::warn!(event = "INTERVENTIONS_NOT_COUNTED", %error);
    }
}

/// Attempts are bounded by time and not by number, except where there is no way back: what is
/// undone is tried for as long as an operator would wait before looking.
fn options(timings: &Timings) -> Options {
    Options {
        timeout: timings.saga_timeout,
        compensate_on_timeout: true,
        attempt_timeout: timings.call_timeout,
        retries: u32::MAX,
        compensation_retries: timings.saga_compensation_retries,
        backoff: Backoff {
            first: timings.saga_first_pause(),
            cap: timings.saga_longest_pause(),
        },
    }
}

//! Comparing this database with a bank's, and reconciling the two.
//!
//! The race it survives: while the bank's answer is on its way, other lists are written here, other
//! processes compare too, or this database fails over. What the bank says it has seen is judged by
//! the numbers that stand here after its answer, in the database transaction that writes what was
//! found; what it says of its own, by what was on record here before it was asked. If this database
//! is another one by then, nothing is written.

use std::time::Duration;

use service_kit::client::CallError;
use service_kit::database::spawned;
use two_phase::message::{Comparison, ComparisonReply, Reconciliation};
use two_phase::numbers::{Standing, compare};
use types::ParticipantId;
use types::views::ParticipantState;

use super::numbers::{Numbers, agree, lock};
use crate::store::numbers::{self as store, Found, Statement};

/// Between two looks at whether a bank is in step by now.
const PAUSE: Duration = Duration::from_millis(100);

impl Numbers {
    /// Waits until this database is in step with all of these banks'.
    pub(crate) async fn in_step(&self, participants: &[ParticipantId]) {
        let mut pause = PAUSE;
        loop {
            for participant in participants {
                if self.state(participant) == ParticipantState::NotCompared {
                    self.compare(participant).await;
                }
            }
            let all = participants
                .iter()
                .all(|participant| self.state(participant) == ParticipantState::InStep);
            if all {
                return;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Compares with every bank that is not known to be in step, beside what else goes on: it may
    /// be so again, or another process may have found out.
    pub(crate) fn look(&self) {
        for participant in self.0.banks.keys() {
            if self.state(participant) != ParticipantState::InStep {
                let (numbers, participant) = (self.clone(), participant.clone());
                tokio::spawn(async move { numbers.compare(&participant).await });
            }
        }
    }

    /// Compares this database with a bank's. What it finds is durable on both sides when it
    /// returns; a bank that does not answer changes nothing.
    pub(crate) async fn compare(&self, participant: &ParticipantId) {
        let Some(bank) = self.bank(participant) else {
            return;
        };
        let before = lock(&bank.known).attempts;
        let _one_at_a_time = bank.comparing.lock().await;
        if lock(&bank.known).attempts != before {
            // Somebody else has just tried.
            return;
        }
        let numbers = self.clone();
        let of = participant.clone();
        let compared = spawned(async move { numbers.compare_once(&of).await }).await;
        lock(&bank.known).attempts += 1;
        if let Err(error) = compared {
            tracing::warn!(event = "NOT_COMPARED", %participant, %error);
        }
    }

    async fn compare_once(&self, participant: &ParticipantId) -> Result<(), NotCompared> {
        let Some(bank) = self.bank(participant) else {
            return Ok(());
        };
        let (database_id, before) = store::statement(&self.0.pool, participant).await?;
        let first = lock(&bank.known).attempts == 0;
        if let Some(session) = before.session.filter(|_| first) {
            // A process that starts finds its database as it was when the two were compared.
            agree(bank, &before, session);
            return Ok(());
        }
        let question = Comparison {
            participant: participant.clone(),
            database_id,
            incarnation: before.incarnation.clone(),
            own: before.own.clone(),
            seen: before.seen.clone(),
        };
        let reply: ComparisonReply = bank.client.post("/internal/numbers", &question).await?;
        if reply.participant != *participant
            || (reply.state == ParticipantState::InStep) != reply.session.is_some()
        {
            return Err(NotCompared::Nonsense);
        }
        let concluded = store::conclude(
            &self.0.pool,
            participant,
            &before.incarnation,
            |now: &Statement| judge(now, &before, &reply),
        );
        let Some((found, state_before)) = concluded.await? else {
            return Err(NotCompared::Meanwhile);
        };
        if let Some(session) = found.session {
            agree(bank, &before, session);
        } else {
            lock(&bank.known).state = found.state;
        }
        if state_before != Some(found.state) {
            announce(participant, found.state);
        }
        Ok(())
    }

    /// Carries out what two operators agreed upon: both databases take their numbers from whoever
    /// has the higher ones, and are compared again. Durable on both sides when it returns; the same
    /// order again changes nothing.
    pub(crate) async fn reconcile(
        &self,
        participant: &ParticipantId,
        order: impl FnOnce(Comparison) -> Reconciliation + Send,
    ) -> Result<ParticipantState, NotCompared> {
        let Some(bank) = self.bank(participant) else {
            return Err(NotCompared::Nonsense);
        };
        let (database_id, ours) = store::statement(&self.0.pool, participant).await?;
        let order = order(Comparison {
            participant: participant.clone(),
            database_id,
            incarnation: ours.incarnation,
            own: ours.own,
            seen: ours.seen,
        });
        let path = "/internal/numbers/reconciliations";
        let reply: ComparisonReply = bank.client.post(path, &order).await?;
        store::accept(&self.0.pool, participant, &reply.seen, &reply.own).await?;
        // The first may have been under way before all this.
        for _ in 0..2 {
            if self.state(participant) != ParticipantState::InStep {
                self.compare(participant).await;
            }
        }
        Ok(self.state(participant))
    }
}

/// Why two databases could not be compared. They count as not compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCompared {
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    #[error("{0}")]
    Call(#[from] CallError),
    #[error("what answered is not that bank")]
    Nonsense,
    #[error("this database is another one than a moment ago")]
    Meanwhile,
}

impl From<service_kit::database::JoinFailed> for NotCompared {
    fn from(error: service_kit::database::JoinFailed) -> Self {
        Self::Database(error.into())
    }
}

/// What is to be believed: the bank's own judgement, and ours on what stood here before it was
/// asked and what stands here now.
fn judge(now: &Statement, before: &Statement, reply: &ComparisonReply) -> Found {
    let ours = match compare(&now.own, &reply.seen, &reply.own, &before.seen) {
        Standing::WeAreBehind => ParticipantState::CoordinatorBehind,
        Standing::TheyAreBehind => ParticipantState::Behind,
        Standing::InStep => ParticipantState::InStep,
    };
    let state = if ours == ParticipantState::InStep {
        reply.state
    } else {
        ours
    };
    let session = reply.session.filter(|_| state == ParticipantState::InStep);
    Found { state, session }
}

fn announce(participant: &ParticipantId, state: ParticipantState) {
    if state.is_parked() {
        tracing::error!(
            event = "MANUAL_INTERVENTION_REQUIRED",
            %participant,
            hazard = "databases_not_in_step",
            state = state.as_str(),
        );
    } else {
        tracing::info!(event = "DATABASES_IN_STEP", %participant, state = state.as_str());
    }
}

//! What a person can do about a saga that is stuck.

use crate::answer::Reason;
use crate::decide::{Command, command};
use crate::definition::State;
use crate::executor::{Executor, Owned, Stopped};
use crate::ids::SagaId;
use crate::machine::IllegalEvent;
use crate::store::{Entry, LogWrite, SagaStore, StoreError};

/// The command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such saga of this kind, or it is not stuck.
    #[error("no saga of that id is stuck")]
    NotStuck,
    /// It would break what a saga promises, such as going back behind the pivot. It stays stuck.
    #[error(transparent)]
    Illegal(#[from] IllegalEvent),
    /// Whether it was carried out is unknown.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// It was not written, or whether it was is unknown: look at the saga again.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl<S: State, L: SagaStore> Executor<S, L> {
    /// Carries out an operator's command on a stuck saga. `reason` says who, and why; it stands in
    /// the log. Durable when it returns: the command, and with it what is asked for next. The saga
    /// then has to be driven.
    ///
    /// Skipping leaves one step as it is and goes on behind it: the other steps are still done or
    /// undone. What the step should have done is for the operator to do by hand, once it is
    /// certain that no late message will.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn command(
        &self,
        saga_id: SagaId,
        what: &Command,
        reason: Reason,
    ) -> Result<Owned, CommandError> {
        let kind = self.definition.kind();
        let taken = self.store.take_stuck(kind, saga_id).await?;
        let mut owned = self.taken(taken.ok_or(CommandError::NotStuck)?);
        let record = &mut owned.claimed.record;
        let written = command(self.definition.shape(), &record.snapshot, what, reason)?;
        let write = LogWrite {
            saga_id,
            epoch: owned.claimed.epoch,
            after: record.sequence,
            snapshot: written.snapshot,
            state: None,
            attempts: 0,
            entries: Entry::number(record.sequence + 1, written.events),
        };
        self.write(&write).await?;
        record.sequence = write.sequence();
        record.snapshot = write.snapshot;
        Ok(owned)
    }
}

//! The process that something happens to, and the others that have to play along.

use std::time::Duration;

use client::{AccountsService, Endpoint, Error, Failpoint, FailpointAction, TransactionsService};

use super::process::{self, LocalBank};
use super::stage::Stage;
use crate::cli::args::Side;
use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// A supervisor restarts what exits within 2 s, at most 5 s when it keeps exiting.
const FOR_A_SUPERVISOR: Duration = Duration::from_secs(6);

/// Migrations are checked and a port is bound.
const TO_START: Duration = Duration::from_secs(30);

/// One service, as an admin reaches its failpoints.
pub enum Victim {
    Coordinator(TransactionsService),
    Bank(AccountsService),
}

impl Victim {
    /// The service on this side.
    pub async fn on(side: Side, admin: &Context, stage: &Stage) -> Result<Self, Failure> {
        let banks = admin.bank.banks().await?;
        let bank = match side {
            Side::Coordinator => {
                return Ok(Self::Coordinator(admin.bank.transactions().clone()));
            }
            Side::Bank => banks.first(),
            Side::OtherBank if stage.banks().await?.len() > 1 => banks.get(1),
            Side::OtherBank => {
                return Err(Failure::Refused(
                    "This point is at the second bank, and there is only one. Start two with \
                     ./scripts/start --detach --banks 2."
                        .into(),
                ));
            }
        };
        let bank = bank.ok_or_else(|| Failure::Refused("There is no bank.".into()))?;
        Ok(Self::Bank(bank.clone()))
    }

    pub const fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Coordinator(service) => service.endpoint(),
            Self::Bank(service) => service.endpoint(),
        }
    }

    /// Its name in state.json, and its process.
    pub fn process(&self, local: &LocalBank) -> Result<(String, i32), Failure> {
        let (name, pid) = local.process_at(self.endpoint().url())?;
        let pid = pid.ok_or_else(|| Failure::Refused(format!("{name} is not running.")))?;
        Ok((name, pid))
    }

    pub async fn arm(&self, point: &str, action: FailpointAction, count: u32) -> Result<(), Error> {
        let failpoint = Failpoint { action, count };
        match self {
            Self::Coordinator(service) => service.set_failpoint(point, &failpoint).await,
            Self::Bank(service) => service.set_failpoint(point, &failpoint).await,
        }
    }

    /// Disarms a point, and lets whoever waits there go on. Best effort: a process that died has
    /// forgotten its failpoints.
    pub async fn disarm(&self, point: &str) {
        let _ = match self {
            Self::Coordinator(service) => service.clear_failpoint(point).await,
            Self::Bank(service) => service.clear_failpoint(point).await,
        };
    }

    /// Whether what was to happen at a point has happened, to a process that lives.
    async fn has_happened(&self, point: &str, action: FailpointAction) -> bool {
        let state = match self {
            Self::Coordinator(service) => service.failpoint(point).await,
            Self::Bank(service) => service.failpoint(point).await,
        };
        state.is_ok_and(|state| match action {
            FailpointAction::Pause => state.paused > 0,
            FailpointAction::Abort | FailpointAction::Fail => state.action.is_none(),
        })
    }

    /// Waits for a supervisor to start it again, and otherwise does so. The command then.
    pub async fn back_again(
        &self,
        local: &LocalBank,
        name: &str,
    ) -> Result<Option<String>, Failure> {
        let answers = || async { self.endpoint().health().await.is_ok() };
        if process::until(FOR_A_SUPERVISOR, answers).await {
            return Ok(None);
        }
        let typed = process::start_again(local, name).await?;
        if process::until(TO_START, answers).await {
            return Ok(Some(typed));
        }
        Err(Failure::Incomplete(format!(
            "{name} does not answer. By hand: {typed}"
        )))
    }

    /// Waits until it has happened: the process is gone, waits, or has failed.
    pub async fn struck(
        &self,
        point: &str,
        action: FailpointAction,
        pid: i32,
        patience: std::time::Duration,
    ) -> bool {
        match action {
            FailpointAction::Abort => process::gone(pid, patience).await,
            FailpointAction::Pause | FailpointAction::Fail => {
                process::until(patience, || self.has_happened(point, action)).await
            }
        }
    }
}

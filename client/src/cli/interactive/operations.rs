//! What operators do, and the demonstrations.

use std::fmt;

use client::ListQuery;
use types::views::{Force, InDoubt, ResolutionAccepted, ResolutionOutcome};
use types::{ParticipantId, Text};

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::args::{AdminCommand, FAILPOINTS, Failpoint};
use crate::cli::commands;
use crate::cli::demo::{self, Demo};
use crate::cli::render;

/// What can be done about a transaction in doubt.
enum Remedy {
    Wait,
    Propose(ParticipantId, ResolutionOutcome),
    Confirm(Box<ResolutionAccepted>),
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait => f.write_str("Wait: it finishes when everyone is back"),
            Self::Propose(bank, ResolutionOutcome::Commit) => {
                write!(f, "Propose to force COMMIT at {bank}")
            }
            Self::Propose(bank, ResolutionOutcome::Abort) => {
                write!(f, "Propose to force ABORT at {bank}")
            }
            Self::Confirm(proposal) => {
                write!(f, "Confirm what {} proposed", proposal.proposed_by)
            }
        }
    }
}

struct Line(InDoubt);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.0.status.map_or("unknown", |status| status.as_str());
        write!(
            f,
            "{} {status}, {} s",
            self.0.transaction_id, self.0.age_seconds
        )
    }
}

struct Point(Failpoint);

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<21}{}", self.0.name, self.0.means)
    }
}

impl Desk {
    pub(super) async fn in_doubt(&mut self) -> Result<(), Step> {
        let service = self.context.bank.transactions();
        let page = service.in_doubt(&ListQuery::default()).await?;
        let out = &self.context.out;
        out.sheet(render::in_doubt(&page.items))?;
        out.line("")?;
        if page.items.is_empty() {
            return Ok(());
        }
        let lines = page.items.into_iter().map(Line).collect();
        let Line(item) = prompt::choose("Which one?", lines)?;
        let waiting = item.proposed.iter().filter(|p| p.confirmed_by.is_none());
        let mut remedies = vec![Remedy::Wait];
        remedies.extend(waiting.map(|proposal| Remedy::Confirm(Box::new(proposal.clone()))));
        for branch in &item.branches {
            for outcome in [ResolutionOutcome::Commit, ResolutionOutcome::Abort] {
                remedies.push(Remedy::Propose(branch.participant.clone(), outcome));
            }
        }
        let remedy = prompt::choose("What is to be done?", remedies)?;
        match &remedy {
            Remedy::Wait => {}
            Remedy::Confirm(proposal) => {
                prompt::confirm(&format!("Carry it out ({})?", proposal.reason))?;
                let id = proposal.resolution_id;
                let accepted = service.confirm(item.transaction_id, id).await?;
                out.sheet(render::resolution(&accepted))?;
            }
            Remedy::Propose(bank, outcome) => {
                let reason = prompt::text(
                    "Why? It is kept for the audit.",
                    "Esc goes back",
                    prompt::parsed::<Text<500>>,
                )?;
                prompt::confirm(&format!("{remedy}?"))?;
                let force = Force {
                    participant: bank.clone(),
                    outcome: *outcome,
                    reason,
                };
                let resolution = service.resolve(item.transaction_id, &force).await?;
                out.line(&format!(
                    "Proposed as {resolution}. Another admin has to confirm it."
                ))?;
            }
        }
        out.line("")?;
        Ok(())
    }

    pub(super) async fn ledger_check(&mut self) -> Result<(), Step> {
        let result = commands::admin(&self.context, AdminCommand::LedgerCheck).await;
        self.context.out.line("")?;
        Ok(result?)
    }

    pub(super) async fn rotate_keys(&mut self) -> Result<(), Step> {
        prompt::confirm("Sign new tokens with a new key from now on?")?;
        Ok(commands::admin(&self.context, AdminCommand::RotateKeys).await?)
    }

    pub(super) async fn demonstrate(&mut self, demo: Demo) -> Result<(), Step> {
        let point = match demo {
            Demo::Crash => {
                let points = FAILPOINTS.map(Point).into_iter().collect();
                Some(prompt::choose("Where is it to die?", points)?.0)
            }
            Demo::Race | Demo::Concurrent | Demo::Protocol => None,
        };
        demo::run_one(&self.context, demo, point).await?;
        self.context.out.line("")?;
        Ok(())
    }
}

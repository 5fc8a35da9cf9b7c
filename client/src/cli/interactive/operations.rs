//! What operators do, and the demonstrations.

use std::fmt;

use types::views::{
    Acknowledge, Choice, ChoiceAction, Force, InDoubt, ResolutionAccepted, ResolutionOutcome,
};
use types::{Text, TransactionId};

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::args::{AdminCommand, At};
use crate::cli::commands;
use crate::cli::demo::{self, Demo};
use crate::cli::render;

/// What can be done about a transaction in doubt.
enum Remedy {
    Do(Choice),
    Confirm(Box<ResolutionAccepted>),
    Audit,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Do(choice) if choice.action == ChoiceAction::Wait => {
                f.write_str("Wait, and do nothing")
            }
            Self::Do(choice) => {
                let words = render::label(choice).replace('\n', " ");
                let mut words = words.chars();
                let first = words.next().map(|first| first.to_ascii_uppercase());
                let words: String = first.into_iter().chain(words).collect();
                f.write_str(&words)
            }
            Self::Confirm(proposal) => {
                write!(f, "Confirm what {} proposed", proposal.proposed_by)
            }
            Self::Audit => f.write_str("Show what was done about it"),
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

fn why() -> Result<Text<500>, Step> {
    prompt::text(
        "Why? It is kept for the audit.",
        "Esc goes back",
        prompt::parsed::<Text<500>>,
    )
}

fn lower(remedy: &Remedy) -> String {
    remedy.to_string().to_lowercase()
}

impl Desk {
    pub(super) async fn in_doubt(&mut self) -> Result<(), Step> {
        let service = self.context.bank.transactions();
        let page = service.in_doubt(false).await?;
        let out = &self.context.out;
        out.sheet(render::in_doubt(&page.items))?;
        out.line("")?;
        if page.items.is_empty() {
            return Ok(());
        }
        let lines = page.items.into_iter().map(Line).collect();
        let Line(item) = prompt::choose("Which one?", lines)?;
        let waiting = item.proposed.iter().filter(|p| p.confirmed_by.is_none());
        let confirm = waiting.map(|proposal| Remedy::Confirm(Box::new(proposal.clone())));
        let remedies = item.choices.iter().cloned().map(Remedy::Do);
        let remedies = remedies.chain(confirm).chain([Remedy::Audit]).collect();
        let remedy = prompt::choose("What is to be done?", remedies)?;
        self.remedy(item.transaction_id, &remedy).await?;
        self.context.out.line("")?;
        Ok(())
    }

    async fn remedy(&self, id: TransactionId, remedy: &Remedy) -> Result<(), Step> {
        let (service, out) = (self.context.bank.transactions(), &self.context.out);
        match remedy {
            Remedy::Audit => {
                let at = At {
                    at_participant: None,
                };
                let command = AdminCommand::Audit {
                    transaction: id,
                    at,
                };
                commands::admin(&self.context, command).await?;
            }
            Remedy::Confirm(proposal) => {
                prompt::confirm(&format!("Carry it out ({})?", proposal.reason))?;
                let accepted = service.confirm(id, proposal.resolution_id).await?;
                out.sheet(render::resolution(&accepted))?;
            }
            Remedy::Do(choice) => {
                out.line(&choice.means)?;
                let Some(participant) = choice.participant.clone() else {
                    return Ok(());
                };
                let outcome = match choice.action {
                    ChoiceAction::ForceCommit => ResolutionOutcome::Commit,
                    ChoiceAction::ForceAbort => ResolutionOutcome::Abort,
                    ChoiceAction::Acknowledge => {
                        let wish = Acknowledge {
                            participant,
                            hazard: choice.hazard.clone().unwrap_or_default(),
                            reason: why()?,
                        };
                        prompt::confirm(&format!("{remedy}?"))?;
                        service.acknowledge(id, &wish).await?;
                        return Ok(out.line("Acknowledged.")?);
                    }
                    ChoiceAction::Wait | ChoiceAction::Correct => return Ok(()),
                };
                let force = Force {
                    participant,
                    outcome,
                    reason: why()?,
                };
                prompt::confirm(&format!("Propose to {}?", lower(remedy)))?;
                let resolution = service.resolve(id, &force).await?;
                out.line(&format!(
                    "Proposed as {resolution}. Another admin has to confirm it."
                ))?;
            }
        }
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
        let crash = match demo {
            Demo::Crash => Some(demo::choose(None)?),
            Demo::Race
            | Demo::Concurrent
            | Demo::Protocol
            | Demo::Comparison
            | Demo::SagaFailure => None,
        };
        demo::run_one(&self.context, demo, crash).await?;
        self.context.out.line("")?;
        Ok(())
    }
}

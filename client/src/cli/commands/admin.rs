//! What operators do.

use client::ListQuery;
use futures_util::future::join_all;
use serde::Serialize;
use types::ParticipantId;
use types::views::{LedgerCheck, Reconcile, SagaOrder};

use super::Listed;
use super::in_doubt::{self, Seen, Wish};
use crate::cli::args::AdminCommand;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Sheet;
use crate::cli::render;
use crate::cli::table::Record;

#[derive(Debug, Serialize)]
struct Checked {
    participant_id: ParticipantId,
    #[serde(flatten)]
    check: LedgerCheck,
}

#[derive(Debug, Serialize)]
struct AllChecked {
    ok: bool,
    banks: Vec<Checked>,
}

pub async fn execute(context: &Context, command: AdminCommand) -> Result<(), Failure> {
    context.require_login()?;
    let transactions = context.bank.transactions();
    match command {
        AdminCommand::InDoubt { acknowledged, at } => {
            in_doubt::list(context, acknowledged, at.at_participant).await
        }
        AdminCommand::Resolve {
            transaction,
            participant,
            outcome,
            reason,
            at,
        } => {
            let wish = Wish {
                transaction,
                participant,
                outcome: outcome.into(),
                reason,
            };
            in_doubt::resolve(context, wish, at.at_participant).await
        }
        AdminCommand::Confirm {
            transaction,
            resolution,
            at,
        } => in_doubt::confirm(context, transaction, resolution, at.at_participant).await,
        AdminCommand::Audit { transaction, at } => {
            in_doubt::audit(context, transaction, at.at_participant).await
        }
        AdminCommand::Acknowledge {
            transaction,
            participant,
            hazard,
            reason,
            at,
        } => {
            let seen = Seen {
                transaction,
                participant,
                hazard,
                reason,
            };
            in_doubt::acknowledge(context, seen, at.at_participant).await
        }
        AdminCommand::Sagas {
            saga: Some(saga), ..
        } => {
            let saga = transactions.saga(saga).await?;
            context.out.show(&saga, render::saga(&saga))
        }
        AdminCommand::Sagas {
            saga: None,
            status,
            limit,
            cursor,
        } => {
            let list = ListQuery { limit, cursor };
            let page = transactions.sagas(status, &list).await?;
            context.out.show(&page, render::sagas(&page.items))
        }
        AdminCommand::SagaRetry { saga, reason } => {
            let saga = transactions.retry_saga(saga, &SagaOrder { reason }).await?;
            context.out.show(&saga, render::saga(&saga))?;
            context.out.note("It tries again.");
            Ok(())
        }
        AdminCommand::SagaSkip { saga, reason } => {
            let saga = transactions.skip_saga(saga, &SagaOrder { reason }).await?;
            context.out.show(&saga, render::saga(&saga))?;
            context
                .out
                .note("It goes on. What the step should have done is to be done by hand.");
            Ok(())
        }
        AdminCommand::Participants => {
            let banks = transactions.participants().await?;
            let table = render::participants(&banks);
            context.out.show(&Listed::whole(banks), table)
        }
        AdminCommand::Reconcile {
            participant,
            reason,
        } => {
            let request = Reconcile { reason };
            let proposed = transactions.reconcile(&participant, &request).await?;
            let id = proposed.reconciliation_id;
            context
                .out
                .show(&proposed, render::reconciliation(&proposed))?;
            context.out.note(&format!(
                "Proposed; nothing has happened yet. Another admin carries it out with\n  \
                 banking-cli admin confirm-reconciliation {participant} \\\n      {id}"
            ));
            Ok(())
        }
        AdminCommand::ConfirmReconciliation {
            participant,
            reconciliation,
        } => {
            let done = transactions.confirm_reconciliation(&participant, reconciliation);
            let done = done.await?;
            context.out.show(&done, render::reconciliation(&done))
        }
        AdminCommand::LedgerCheck => ledger_check(context).await,
        AdminCommand::RotateKeys => {
            let answer = context.bank.customers().rotate_keys().await?;
            let mut record = Record::new();
            if let Some(kid) = answer.get("kid").and_then(|kid| kid.as_str()) {
                record = record.field("New key", kid);
            }
            context.out.show(&answer, record)?;
            context
                .out
                .note("Tokens are signed with a new key. Those signed before stay valid.");
            Ok(())
        }
    }
}

async fn ledger_check(context: &Context) -> Result<(), Failure> {
    let banks = context.bank.banks().await?;
    let answers = join_all(banks.iter().map(client::AccountsService::ledger_check)).await;
    let mut checked = Vec::new();
    let mut missing = Vec::new();
    for (bank, answer) in banks.iter().zip(answers) {
        match answer {
            Ok(check) => checked.push(Checked {
                participant_id: bank.participant().clone(),
                check,
            }),
            Err(refusal @ client::Error::Refused(_)) => return Err(refusal.into()),
            Err(error) => missing.push(error),
        }
    }
    let wrong: Vec<_> = checked
        .iter()
        .filter(|bank| !bank.check.ok)
        .map(|bank| bank.participant_id.to_string())
        .collect();
    let sheets = checked
        .iter()
        .map(|bank| render::ledger(&bank.participant_id, &bank.check));
    let sheet = Sheet::All(sheets.collect());
    let value = AllChecked {
        ok: wrong.is_empty() && missing.is_empty(),
        banks: checked,
    };
    context.out.show(&value, sheet)?;
    if !wrong.is_empty() {
        let banks = wrong.join(", ");
        return Err(Failure::Refused(format!(
            "The ledger is not in order: {banks}."
        )));
    }
    match missing.first() {
        None => Ok(()),
        Some(error) => Err(Failure::Incomplete(format!(
            "Not every bank was checked: {error}."
        ))),
    }
}

//! Transactions in doubt: looked at, forced under four eyes, acknowledged, and what was done.

use client::{AccountsService, Error, ListQuery, Place};
use futures_util::future::join_all;
use serde::Serialize;
use types::views::{
    Acknowledge, AcknowledgeHere, AuditEntry, Force, ForceHere, ResolutionOutcome, SagaStatus,
};
use types::{ParticipantId, ResolutionId, Text, TransactionId};

use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Sheet;
use crate::cli::render;
use crate::cli::table::Record;

const DIRECTLY: &str = "When the coordinator is what is lost, ask a bank directly: \
                        --at-participant BANK or its URL.";

/// The bank that is asked instead of the coordinator.
async fn bank_at(context: &Context, place: &Place) -> Result<AccountsService, Failure> {
    let found = context.bank.at(place).await;
    let found = found.inspect_err(|error| {
        if matches!(error, Error::Unreachable { .. }) {
            context.out.note(&format!(
                "Where {place} is only the coordinator knows, and it does not answer: name the \
                 bank by its URL."
            ));
        }
    })?;
    found.ok_or_else(|| Failure::Refused(format!("There is no bank {place}.")))
}

/// Says what to do when the coordinator does not answer.
fn hinted<T>(context: &Context, answer: Result<T, Error>) -> Result<T, Failure> {
    if let Err(Error::Unreachable { .. }) = &answer {
        context.out.note(DIRECTLY);
    }
    Ok(answer?)
}

pub async fn list(context: &Context, acknowledged: bool, at: Option<Place>) -> Result<(), Failure> {
    if let Some(place) = at {
        let page = bank_at(context, &place)
            .await?
            .in_doubt(acknowledged)
            .await?;
        let sheet = render::in_doubt_at(&page.items, &place.to_string());
        return context.out.show(&page, sheet);
    }
    let transactions = context.bank.transactions();
    let answer = transactions.in_doubt(acknowledged).await;
    let page = hinted(context, answer)?;
    context.out.show(&page, render::in_doubt(&page.items))?;
    let first = ListQuery {
        limit: Some(1),
        cursor: None,
    };
    let stuck = transactions.sagas(Some(SagaStatus::Stuck), &first).await?;
    if !stuck.items.is_empty() {
        context.out.note(
            "There are transfers by saga that are stuck: banking-cli admin sagas --status STUCK",
        );
    }
    Ok(())
}

/// What is to be forced.
pub struct Wish {
    pub transaction: TransactionId,
    pub participant: Option<ParticipantId>,
    pub outcome: ResolutionOutcome,
    pub reason: Text<500>,
}

pub async fn resolve(context: &Context, wish: Wish, at: Option<Place>) -> Result<(), Failure> {
    let Wish {
        transaction,
        outcome,
        reason,
        ..
    } = wish;
    let (resolution, suffix) = match (at, wish.participant) {
        (Some(place), _) => {
            let bank = bank_at(context, &place).await?;
            let proposed = bank
                .resolve(transaction, &ForceHere { outcome, reason })
                .await?;
            let suffix = format!(" \\\n      --at-participant {place}");
            (proposed.resolution_id, suffix)
        }
        (None, Some(participant)) => {
            let force = Force {
                participant,
                outcome,
                reason,
            };
            let answer = context
                .bank
                .transactions()
                .resolve(transaction, &force)
                .await;
            (hinted(context, answer)?, String::new())
        }
        (None, None) => return Err(Failure::Usage("At which bank? --participant P".into())),
    };
    let value = serde_json::json!({
        "resolution_id": resolution,
        "transaction_id": transaction,
    });
    let record = Record::new()
        .field("Resolution", resolution)
        .field("Transaction", transaction);
    context.out.show(&value, record)?;
    context.out.note(&format!(
        "Proposed; nothing has happened yet. Another admin carries it out with\n  \
         banking-cli admin confirm {transaction} \\\n      {resolution}{suffix}"
    ));
    Ok(())
}

pub async fn confirm(
    context: &Context,
    transaction: TransactionId,
    resolution: ResolutionId,
    at: Option<Place>,
) -> Result<(), Failure> {
    let accepted = match at {
        Some(place) => {
            let bank = bank_at(context, &place).await?;
            bank.confirm(transaction, resolution).await?
        }
        None => {
            let service = context.bank.transactions();
            hinted(context, service.confirm(transaction, resolution).await)?
        }
    };
    context.out.show(&accepted, render::resolution(&accepted))
}

#[derive(Debug, Serialize)]
struct Trail {
    transaction_id: TransactionId,
    items: Vec<AuditEntry>,
}

/// The trail of the coordinator and of every bank that answers, or of one bank.
pub async fn audit(
    context: &Context,
    transaction: TransactionId,
    at: Option<Place>,
) -> Result<(), Failure> {
    let mut missing = None;
    let mut items = match at {
        Some(place) => {
            bank_at(context, &place)
                .await?
                .audit(transaction)
                .await?
                .items
        }
        None => {
            let service = context.bank.transactions();
            let mut items = hinted(context, service.audit(transaction).await)?.items;
            let banks = context.bank.banks().await?;
            for trail in join_all(banks.iter().map(|bank| bank.audit(transaction))).await {
                match trail {
                    Ok(page) => items.extend(page.items),
                    Err(error) => missing = Some(error),
                }
            }
            items
        }
    };
    items.sort_by_key(|entry| entry.recorded_at);
    let trail = Trail {
        transaction_id: transaction,
        items,
    };
    context.out.show(&trail, render::audit(&trail.items))?;
    match missing {
        None => Ok(()),
        Some(error) => Err(Failure::Incomplete(format!(
            "Not every bank's own trail is shown: {error}."
        ))),
    }
}

/// What is acknowledged.
pub struct Seen {
    pub transaction: TransactionId,
    pub participant: Option<ParticipantId>,
    pub hazard: String,
    pub reason: Text<500>,
}

pub async fn acknowledge(context: &Context, seen: Seen, at: Option<Place>) -> Result<(), Failure> {
    let Seen {
        transaction,
        hazard,
        reason,
        ..
    } = seen;
    let done = match (at, seen.participant) {
        (Some(place), _) => {
            let bank = bank_at(context, &place).await?;
            let wish = AcknowledgeHere { hazard, reason };
            bank.acknowledge(transaction, &wish).await?
        }
        (None, Some(participant)) => {
            let wish = Acknowledge {
                participant,
                hazard,
                reason,
            };
            let service = context.bank.transactions();
            hinted(context, service.acknowledge(transaction, &wish).await)?
        }
        (None, None) => return Err(Failure::Usage("At which bank? --participant P".into())),
    };
    let place = match (done.at_coordinator, done.at_participant) {
        (true, true) => format!("by the coordinator and by {}", done.participant),
        (true, false) => "by the coordinator".to_owned(),
        (false, _) => format!("by {}", done.participant),
    };
    let words = format!("{} is no longer shown as open {place}.", done.hazard);
    context.out.show(&done, Sheet::Text(words))?;
    if let Some(error) = &done.not_told {
        context.out.warn(&format!(
            "{} could not be told ({error}) and goes on showing what it has on record. Acknowledge \
             it again when it is back.",
            done.participant
        ));
    }
    Ok(())
}

//! Moving money.

use serde::Serialize;
use types::IdempotencyKey;
use types::views::{Cash, TransferRequest, TransferView};

use super::{insist, own_key};
use crate::cli::args::CashArguments;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render;

/// A transfer as programs see it: what the service answers, and under which key.
#[derive(Debug, Serialize)]
struct Carried {
    #[serde(flatten)]
    transfer: TransferView,
    idempotency_key: String,
    replayed: bool,
}

pub async fn transfer(
    context: &Context,
    transfer: &TransferRequest,
    key: Option<IdempotencyKey>,
) -> Result<(), Failure> {
    context.require_login()?;
    let key = key.unwrap_or_else(own_key);
    let service = context.bank.transactions();
    let sent = insist(&key, || service.transfer(transfer, Some(&key))).await?;
    let record = render::transfer(&sent.body);
    let settled = sent.body.settled;
    let carried = Carried {
        transfer: sent.body,
        idempotency_key: key.as_str().to_owned(),
        replayed: sent.replayed,
    };
    context.out.show(&carried, record)?;
    if carried.replayed {
        context
            .out
            .note("This key was used before: the earlier result is shown.");
    } else if !settled {
        context
            .out
            .note("Committed. A bank has yet to acknowledge; that finishes by itself.");
    }
    Ok(())
}

pub async fn deposit(context: &Context, arguments: CashArguments) -> Result<(), Failure> {
    cash(context, arguments, true).await
}

pub async fn withdraw(context: &Context, arguments: CashArguments) -> Result<(), Failure> {
    cash(context, arguments, false).await
}

async fn cash(context: &Context, arguments: CashArguments, paid_in: bool) -> Result<(), Failure> {
    context.require_login()?;
    let key = arguments.idempotency_key.unwrap_or_else(own_key);
    let cash = Cash {
        amount: arguments.amount,
        description: arguments.description,
    };
    let id = arguments.account;
    let bank = context.bank.account(id).await?.bank;
    let receipt = if paid_in {
        insist(&key, || bank.deposit(id, &cash, Some(&key))).await?
    } else {
        insist(&key, || bank.withdraw(id, &cash, Some(&key))).await?
    };
    context.out.show(&receipt, render::receipt(&receipt))
}

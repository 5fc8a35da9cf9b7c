//! Looking at transfers.

use client::{ListQuery, TransferFilter};
use types::TransactionId;

use super::Listed;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render;

/// The largest page the service gives.
const PAGE: u32 = 200;

pub async fn history(
    context: &Context,
    filter: &TransferFilter,
    limit: u32,
) -> Result<(), Failure> {
    context.require_login()?;
    let mut listed = Listed::whole(Vec::new());
    let mut left = limit;
    while left > 0 {
        let list = ListQuery {
            limit: Some(left.min(PAGE)),
            cursor: listed.next_cursor.take(),
        };
        let page = context.bank.transactions().list(filter, &list).await?;
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(left));
        listed.items.extend(page.items);
        listed.next_cursor = page.next_cursor;
        if listed.next_cursor.is_none() {
            break;
        }
    }
    context
        .out
        .show(&listed, render::transfers(&listed.items))?;
    if listed.next_cursor.is_some() {
        context.out.note("There are older ones: --limit.");
    }
    Ok(())
}

pub async fn status(context: &Context, id: TransactionId) -> Result<(), Failure> {
    context.require_login()?;
    let transfer = context.bank.transactions().show(id).await?;
    context.out.show(&transfer, render::transfer(&transfer))
}

pub async fn timeline(context: &Context, id: TransactionId) -> Result<(), Failure> {
    context.require_login()?;
    let timeline = context.bank.transactions().timeline(id).await?;
    context.out.show(&timeline, render::timeline(&timeline))
}

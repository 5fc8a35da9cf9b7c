//! Transfers, and what happened to each.

use std::fmt;

use client::{ListQuery, TransferFilter};
use types::views::TransferView;

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::render;

/// How many of the newest are offered.
const NEWEST: u32 = 50;

/// A transfer as one line of 77 columns.
struct Line(TransferView);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transfer = &self.0;
        let at = transfer.created_at.date_time().format("%m-%d %H:%M:%S");
        write!(f, "{at} {:>12} {:<9}", transfer.amount, transfer.status)?;
        match (transfer.source_account_id, transfer.destination_account_id) {
            (Some(from), Some(to)) => {
                write!(f, " {} → {}", render::tail(from), render::tail(to))?;
            }
            _ => write!(f, " {} legs", transfer.legs.len())?,
        }
        let words = match (&transfer.reason, &transfer.description) {
            (Some(reason), _) => reason.as_str().to_owned(),
            (None, Some(description)) => description.clone(),
            (None, None) => String::new(),
        };
        let short: String = words.chars().take(18).collect();
        write!(f, " {short}")
    }
}

impl Desk {
    pub(super) async fn history(&mut self) -> Result<(), Step> {
        let list = ListQuery {
            limit: Some(NEWEST),
            cursor: None,
        };
        loop {
            let service = self.context.bank.transactions();
            let page = service.list(&TransferFilter::default(), &list).await?;
            if page.items.is_empty() {
                self.context.out.line("No transfers.\n")?;
                return Ok(());
            }
            let lines = page.items.into_iter().map(Line).collect();
            let Line(transfer) = prompt::choose("Which transfer?", lines)?;
            let timeline = service.timeline(transfer.transaction_id).await?;
            let out = &self.context.out;
            out.sheet(render::transfer(&transfer))?;
            out.line("")?;
            out.sheet(render::timeline(&timeline))?;
            out.line("")?;
        }
    }
}

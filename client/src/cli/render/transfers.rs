//! Transfers.

use types::AccountId;
use types::views::TransferView;

use super::{moment, stacked, status};
use crate::cli::table::{Record, Table};

/// The end of an id, by which people tell accounts apart at a glance.
pub fn tail(account: AccountId) -> String {
    let text = account.to_string();
    format!("…{}", &text[text.len() - 6..])
}

pub fn transfers(transfers: &[TransferView]) -> Table {
    let mut table = Table::new("No transfers.")
        .rigid("When (UTC)")
        .text("Transfer")
        .number("Amount")
        .text("Status");
    for transfer in transfers {
        let mut what = format!("{}\n{}", transfer.transaction_id, route(transfer));
        if let Some(description) = &transfer.description {
            what = format!("{what}  {description}");
        }
        let mut outcome = transfer.status.to_string();
        if let Some(reason) = transfer.reason {
            outcome = format!("{outcome}\n{}", reason.as_str().replace('_', " "));
        } else if !transfer.settled {
            outcome.push_str("\nnot settled");
        }
        table.row(vec![
            stacked(transfer.created_at).into(),
            what.into(),
            transfer.amount.into(),
            outcome.into(),
        ]);
    }
    table
}

fn route(transfer: &TransferView) -> String {
    match (transfer.source_account_id, transfer.destination_account_id) {
        (Some(from), Some(to)) => format!("{} → {}", tail(from), tail(to)),
        _ => format!("{} legs", transfer.legs.len()),
    }
}

pub fn transfer(transfer: &TransferView) -> Record {
    let mut record = Record::new()
        .field("Transaction", transfer.transaction_id)
        .field("Status", status(transfer.status))
        .maybe("Reason", transfer.reason)
        .field("Settled", if transfer.settled { "yes" } else { "not yet" })
        .field("Amount", transfer.amount);
    match (transfer.source_account_id, transfer.destination_account_id) {
        (Some(from), Some(to)) => record = record.field("From", from).field("To", to),
        _ => {
            for leg in &transfer.legs {
                record = record.field("Leg", format!("{}  {}", leg.account_id, leg.amount));
            }
        }
    }
    record
        .maybe("Description", transfer.description.clone())
        .field("Protocol", transfer.protocol)
        .field("Begun", moment(transfer.created_at))
        .maybe("Decided", transfer.decided_at.map(moment))
        .maybe("Settled at", transfer.settled_at.map(moment))
}

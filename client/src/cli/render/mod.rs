//! What people see of the bank's views.

mod accounts;
mod customers;
mod in_doubt;
mod operations;
mod orders;
mod sagas;
mod service;
mod timeline;
mod transfers;

use types::Timestamp;
use types::views::{AccountStatus, Status};

use super::table::{Cell, Tone};

pub use accounts::{account, accounts, balance, receipt, statement};
pub use customers::{customer, customers, login};
pub use in_doubt::{audit, in_doubt, in_doubt_at, label, resolution};
pub use operations::{ledger, participants, reconciliation};
pub use orders::{order, order_line, orders, products};
pub use sagas::{saga, sagas};
pub use service::{ServiceHealth, services, token};
pub use timeline::timeline;
pub use transfers::{tail, transfer, transfers};

/// A moment to the second, UTC, on two lines of ten characters at most.
fn stacked(at: Timestamp) -> String {
    at.date_time().format("%Y-%m-%d\n%H:%M:%S").to_string()
}

/// A moment to the second, UTC.
pub fn moment(at: Timestamp) -> String {
    at.date_time().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn status(status: Status) -> Cell {
    let tone = match status {
        Status::Committed => Tone::Good,
        Status::Aborted => Tone::Bad,
        Status::Pending => Tone::Warning,
    };
    Cell::toned(status, tone)
}

fn account_status(status: AccountStatus) -> Cell {
    let tone = match status {
        AccountStatus::Active => Tone::Good,
        AccountStatus::Frozen => Tone::Warning,
        AccountStatus::Closed => Tone::Plain,
    };
    Cell::toned(status, tone)
}

fn yes_no(yes: bool, good: &str, bad: &str) -> Cell {
    if yes {
        Cell::toned(good, Tone::Good)
    } else {
        Cell::toned(bad, Tone::Bad)
    }
}

#[cfg(test)]
mod tests;

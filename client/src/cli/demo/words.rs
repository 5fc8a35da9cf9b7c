//! What the demonstration of a crash says.

use client::{Error, FailpointAction};
use types::views::Account;

use crate::cli::args::{Failpoint, Side};

/// How a bank says that it has asked nobody about a branch yet.
pub const NOT_ASKED: &str = "not asked yet";

/// What an action is, to choose from.
pub const fn action(action: FailpointAction) -> &'static str {
    match action {
        FailpointAction::Abort => "abort: the process ends at once, as if the power had gone",
        FailpointAction::Pause => "pause: whoever comes by waits, and the process lives",
        FailpointAction::Fail => "fail: the step fails, and the process lives",
    }
}

pub fn title(point: Failpoint, action: FailpointAction) -> String {
    let what = match action {
        FailpointAction::Abort => "Crash",
        FailpointAction::Pause => "Pause",
        FailpointAction::Fail => "Failure",
    };
    format!("{what} of the {} at {}", point.side.words(), point.name)
}

pub fn order(point: Failpoint, action: FailpointAction, name: &str, pid: i32) -> String {
    let told = match action {
        FailpointAction::Abort => "to die",
        FailpointAction::Pause => "to wait",
        FailpointAction::Fail => "to fail",
    };
    format!(
        "{name} (process {pid}) is told {told} when it comes to {}: {}. Then a transfer of 100.00 \
         from an account with 150.00.",
        point.name, point.means
    )
}

pub fn beforehand(side: Side, point: &str, action: FailpointAction) -> String {
    let what = match action {
        FailpointAction::Abort => "dies",
        FailpointAction::Pause => "waits",
        FailpointAction::Fail => "fails",
    };
    format!(
        "So that a transfer comes this way, the {} {what} at {point} first.",
        side.words()
    )
}

pub const fn expectation(point: Failpoint, action: FailpointAction) -> &'static str {
    if point.by_saga {
        return "Its steps are in a log, so whoever comes back goes on with it: it commits, or what \
                it had done is booked back; the same everywhere.";
    }
    match (point.commits_after(action), action, point.side) {
        (Some(true), _, Side::Coordinator) => {
            "The decision is durable, so it is carried out, by recovery if need be: committed."
        }
        (Some(true), ..) => {
            "The decision is durable and is delivered until the bank acknowledges: committed, and \
             booked once."
        }
        (Some(false), ..) => {
            "Nothing is decided, so nothing may happen: recovery aborts, and what is held is \
             released."
        }
        (None, FailpointAction::Pause, _) => {
            "Nothing is lost, only late: it commits when it goes on in time, and aborts when the \
             deadline for votes is over by then; the same everywhere."
        }
        (None, ..) => {
            "The bank is asked again until the deadline for votes: it commits when the bank is \
             back by then, and aborts when it is not; the same everywhere."
        }
    }
}

pub fn struck(action: FailpointAction, name: &str, pid: i32, happened: bool) -> String {
    match (action, happened) {
        (FailpointAction::Abort, true) => format!("Process {pid} is gone."),
        (FailpointAction::Pause, true) => format!("Process {pid} waits at {name}."),
        (FailpointAction::Fail, true) => format!("Process {pid} has failed at {name}, and lives."),
        (_, false) => format!("Nothing: process {pid} did not come to {name}."),
    }
}

pub fn said(error: &Error) -> String {
    match error {
        Error::Unreachable { reason, .. } => format!("none ({reason})."),
        other => format!("{other}."),
    }
}

/// What the accounts show while the transfer stands still.
pub fn standing(from: Option<&Account>, to: Option<&Account>) -> String {
    let figures = |name: &str, account: Option<&Account>| match account {
        Some(account) => format!(
            "{name}: balance {}, held {}, announced {}, available {}.",
            account.balance,
            account.pending_debits,
            account.pending_credits,
            account.available_balance
        ),
        None => format!("{name}: its bank does not answer."),
    };
    let words = match from {
        None => "",
        Some(from) if !from.pending_debits.is_zero() => {
            " The bank has promised and may not decide alone: the money is neither here nor there."
        }
        Some(from) if from.balance.to_string() == "150.00" => {
            " The bank holds nothing: it had not promised yet, or has been told already."
        }
        Some(_) if to.is_some_and(|to| to.balance.is_zero()) => {
            " The money is in transit: taken from the one and not given to the other yet."
        }
        Some(_) => " The bank has booked the transfer: it had been told.",
    };
    format!(
        "{} {}{words}",
        figures("Source", from),
        figures("Destination", to)
    )
}

/// Why a saga ended as it did.
pub const fn why_saga(committed: bool) -> &'static str {
    if committed {
        "What is asked for is in the saga's log before it is asked, and a bank remembers each \
         operation under its id: what is asked again has no second effect. What was credited could \
         not be spent until the saga was decided, and then it was released."
    } else {
        "A step that nobody is sure about is undone as if it had happened: where it has, the money \
         is booked back, and where it has not, the bank closes it, so that it never can. No entry \
         is deleted; the refund stands on the statement."
    }
}

pub const fn why(side: Side, committed: bool, held: bool) -> &'static str {
    match (side, committed, held) {
        (Side::Coordinator, true, true) => {
            "A decision is written down before anyone is told. A coordinator that comes back finds \
             it, and tells the banks until each has acknowledged. The client's repetition found \
             the stored result instead of moving the money a second time."
        }
        (Side::Coordinator, true, false) => {
            "The banks had applied it when it happened; only the last line in the coordinator's \
             own book, or the reply, was missing. Telling a bank twice does no harm: it \
             acknowledges again. The client's repetition found the stored result."
        }
        (Side::Coordinator, false, true) => {
            "Without a decision on disk nobody can have been told to commit, so aborting is safe. \
             The bank had promised and could not release the money by itself: that is the price \
             of two-phase commit, and it is paid only until the coordinator is back."
        }
        (Side::Coordinator, false, false) => {
            "The begin row is written before anyone is asked, so the coordinator that comes back \
             knows of a transfer that nobody else may know of. No vote, no decision: it aborts, \
             and the client's repetition is told so."
        }
        (Side::Bank | Side::OtherBank, true, _) => {
            "A promise and a booking are each one database transaction, and holds are data: a bank \
             that comes back has them, or never had them. The coordinator repeats what was not \
             answered, and a bank that has done it already acknowledges and books nothing twice."
        }
        (Side::Bank | Side::OtherBank, false, _) => {
            "A vote that never came is not a yes. Nothing was decided, so the transfer is aborted; \
             a bank that had promised releases its holds once it is told, and one that had not \
             writes down that it never will."
        }
    }
}

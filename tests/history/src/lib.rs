//! Compares what the clients of a bank saw with what its ledgers say.
//!
//! Totals alone do not see everything: a bank may add up and still have shown somebody a balance
//! that never was, forgotten an answer, or let a read fall back behind a write that had been
//! confirmed. So clients write down every request when they send it and what came back, and when
//! the bank is at rest the ledgers of all banks and the coordinator's records are added. The whole
//! is a [`History`]; [`check`] says what in it cannot be.
//!
//! A missing answer is *unknown*: it may have happened or not. Everything else has to fit: see
//! [`Reason`] for the list. Because every account has a version that counts its entries, the order
//! of its writes is known, and no search for an order is needed: versions and real time give the
//! edges of a graph, and a cycle in it is a contradiction. All of it takes time proportional to
//! the length of the history, but for sorting.
//!
//! The idea of deciding by versions and real time is that of Elle (Kingsbury and Alvaro, VLDB 2020);
//! linearizability is meant as by Herlihy and Wing (1990), for each account and within each bank.
//! Between banks only the outcome of a transfer is one; there is no moment at which it becomes
//! visible everywhere, so a transfer counts as one write *at each bank*.

mod checks;
mod digest;
mod finding;
mod format;
mod graph;
mod read;
mod units;
mod write;

pub use checks::check;
pub use finding::{Finding, Reason, Verdict};
pub use format::{
    Entry, Event, FORMAT, FinalAccount, Header, History, ItemResult, KeyRecord, Leg, Line, Record,
    Reply, Request, Seen, StartAccount, What,
};
pub use read::{ReadError, read};
pub use write::{Finals, Writer};

#[cfg(test)]
mod tests;

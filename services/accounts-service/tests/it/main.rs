//! accounts-service on a real PostgreSQL: the participant's side of the protocol, and every route
//! over HTTP on a real port.

mod accounts;
mod actor;
mod bank;
mod cash;
mod clearing;
mod concurrency;
mod decisions;
mod force;
mod in_doubt;
mod issuers;
mod ledger_check;
mod linked;
mod messages;
mod numbers;
#[cfg(feature = "failpoints")]
mod planted;
mod poison;
mod prepare;
mod race;
mod remembered;
mod reserved;
mod retention;
mod sagas;
mod sequences;
mod statement;
mod steps;
mod steps_at_once;
mod steps_sequences;
mod terms;
mod transfers;

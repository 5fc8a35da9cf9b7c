//! All SQL of this service, one file per group of tables. Rows are checked again when they are
//! read: a value no state machine knows is an error, never a guess.

pub(crate) mod audit;
pub(crate) mod begin;
pub(crate) mod closing;
pub(crate) mod decisions;
pub(crate) mod directory;
pub(crate) mod hazards;
pub(crate) mod keys;
pub(crate) mod leases;
pub(crate) mod numbers;
pub(crate) mod owners;
pub(crate) mod reconciliations;
pub(crate) mod resolutions;
pub(crate) mod retention;
pub(crate) mod sagas;
pub(crate) mod steps;
pub(crate) mod transactions;
mod written;

/// A row says something that cannot be.
pub(crate) fn damaged(what: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("damaged row: {what}").into())
}

/// `pending`, `committed` and `aborted` as the database spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "transaction_status", rename_all = "lowercase")]
pub(crate) enum StatusRow {
    Pending,
    Committed,
    Aborted,
}

impl From<StatusRow> for types::views::Status {
    fn from(row: StatusRow) -> Self {
        match row {
            StatusRow::Pending => Self::Pending,
            StatusRow::Committed => Self::Committed,
            StatusRow::Aborted => Self::Aborted,
        }
    }
}

impl From<types::views::Status> for StatusRow {
    fn from(status: types::views::Status) -> Self {
        match status {
            types::views::Status::Pending => Self::Pending,
            types::views::Status::Committed => Self::Committed,
            types::views::Status::Aborted => Self::Aborted,
        }
    }
}

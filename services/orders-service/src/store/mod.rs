//! All SQL of the service, one file per group of tables.

pub(crate) mod failures;
pub(crate) mod operations;
pub(crate) mod orders;
pub(crate) mod products;

//! All SQL of the service, one file per group of tables.

pub(crate) mod cancelling;
pub(crate) mod facts;
pub(crate) mod failures;
pub(crate) mod keys;
pub(crate) mod operations;
pub(crate) mod orders;
pub(crate) mod placed;
pub(crate) mod products;
pub(crate) mod reading;
pub(crate) mod repairs;
pub(crate) mod retention;

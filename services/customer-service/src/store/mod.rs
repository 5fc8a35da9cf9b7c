//! All SQL of the service, one file per group of tables.

pub(crate) mod customers;
pub(crate) mod failures;
pub(crate) mod logins;
pub(crate) mod sessions;

//! One file per endpoint: its parameters, its documentation and its handler.

pub(crate) mod create_customer;
pub(crate) mod create_login;
mod etag;
pub(crate) mod list_customers;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod patch_customer;
pub(crate) mod refresh;
pub(crate) mod revocations;
pub(crate) mod rotate_keys;
pub(crate) mod show_customer;

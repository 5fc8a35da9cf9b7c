//! Options of every command.

use std::path::PathBuf;

use clap::Args;
use client::Addresses;

use crate::cli::failure::Failure;
use crate::cli::output::Format;

const EVERYWHERE: &str = "Options of every command";

/// How data is written, and where the bank is.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How data is written: table (the default) or json
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "table",
        value_name = "FORMAT",
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = EVERYWHERE
    )]
    pub output: Format,

    /// Only data and errors, no notes
    #[arg(short, long, global = true, help_heading = EVERYWHERE)]
    pub quiet: bool,

    /// Where customer-service is, if not on 127.0.0.1:3001
    #[arg(
        long,
        global = true,
        env = "BANKING_URL_CUSTOMER",
        value_name = "URL",
        hide_env = true,
        help_heading = EVERYWHERE
    )]
    pub url_customer: Option<String>,

    /// Where accounts-service is; more banks: URL,bank-2=URL
    #[arg(
        long,
        global = true,
        env = "BANKING_URL_ACCOUNTS",
        value_name = "URL",
        hide_env = true,
        help_heading = EVERYWHERE
    )]
    pub url_accounts: Option<String>,

    /// Where transactions-service is
    #[arg(
        long,
        global = true,
        env = "BANKING_URL_TRANSACTIONS",
        value_name = "URL",
        hide_env = true,
        help_heading = EVERYWHERE
    )]
    pub url_transactions: Option<String>,

    /// Where orders-service is
    #[arg(
        long,
        global = true,
        env = "BANKING_URL_ORDERS",
        value_name = "URL",
        hide_env = true,
        help_heading = EVERYWHERE
    )]
    pub url_orders: Option<String>,

    /// Added to the default ports
    #[arg(
        long,
        global = true,
        env = "BANK_PORT_OFFSET",
        value_name = "N",
        hide = true,
        default_value_t = 0,
        value_parser = offset
    )]
    pub port_offset: u16,

    /// Access token instead of a session
    #[arg(
        long,
        global = true,
        env = "BANKING_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    pub token: Option<String>,

    /// Session file
    #[arg(
        long,
        global = true,
        env = "BANKING_SESSION",
        value_name = "FILE",
        hide = true
    )]
    pub session: Option<PathBuf>,
}

impl Options {
    /// Where the services are. An empty variable counts as unset.
    pub fn addresses(&self) -> Result<Addresses, Failure> {
        let given = |value: &Option<String>| value.clone().filter(|text| !text.trim().is_empty());
        let usage = |error: client::InvalidAddress| Failure::Usage(format!("{error}."));
        let mut addresses = Addresses::local(self.port_offset);
        if let Some(url) = given(&self.url_customer) {
            addresses = addresses.with_customers(&url).map_err(usage)?;
        }
        if let Some(list) = given(&self.url_accounts) {
            addresses = addresses.with_accounts(&list).map_err(usage)?;
        }
        if let Some(url) = given(&self.url_transactions) {
            addresses = addresses.with_transactions(&url).map_err(usage)?;
        }
        if let Some(url) = given(&self.url_orders) {
            addresses = addresses.with_orders(&url).map_err(usage)?;
        }
        Ok(addresses)
    }
}

/// An empty variable counts as unset here too.
fn offset(text: &str) -> Result<u16, std::num::ParseIntError> {
    match text.trim() {
        "" => Ok(0),
        text => text.parse(),
    }
}

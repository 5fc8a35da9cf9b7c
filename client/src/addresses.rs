//! Where the services are.

use std::collections::BTreeMap;
use std::str::FromStr;

use reqwest::Url;
use types::ParticipantId;

/// The text is not an address a service can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an http:// or https:// address")]
pub struct InvalidAddress(String);

/// The addresses of the bank's services, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    customers: String,
    accounts: String,
    transactions: String,
    orders: String,
    banks: BTreeMap<ParticipantId, String>,
}

impl Addresses {
    /// A bank on this machine, its ports shifted by `offset` (`BANK_PORT_OFFSET`).
    #[must_use]
    pub fn local(offset: u16) -> Self {
        let at = |port: u16| format!("http://127.0.0.1:{}", u32::from(port) + u32::from(offset));
        Self {
            customers: at(3001),
            accounts: at(3002),
            transactions: at(3003),
            orders: at(3004),
            banks: BTreeMap::new(),
        }
    }

    /// Takes customer-service to be at `url`.
    ///
    /// # Errors
    /// When `url` is not an HTTP address.
    pub fn with_customers(mut self, url: &str) -> Result<Self, InvalidAddress> {
        self.customers = checked(url)?;
        Ok(self)
    }

    /// Takes transactions-service to be at `url`.
    ///
    /// # Errors
    /// When `url` is not an HTTP address.
    pub fn with_transactions(mut self, url: &str) -> Result<Self, InvalidAddress> {
        self.transactions = checked(url)?;
        Ok(self)
    }

    /// Takes orders-service to be at `url`.
    ///
    /// # Errors
    /// When `url` is not an HTTP address.
    pub fn with_orders(mut self, url: &str) -> Result<Self, InvalidAddress> {
        self.orders = checked(url)?;
        Ok(self)
    }

    /// Takes the accounts-services to be where `list` says: `URL`, or `URL,bank-2=URL,...`.
    ///
    /// A URL without a name is the first bank's. A bank that is not named here is where
    /// transactions-service says it is.
    ///
    /// # Errors
    /// When one of them is not an HTTP address or not a bank's name.
    pub fn with_accounts(mut self, list: &str) -> Result<Self, InvalidAddress> {
        for item in list
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let named = item.split_once('=').filter(|(name, _)| !name.contains('/'));
            match named {
                None => self.accounts = checked(item)?,
                Some((name, url)) => {
                    let name = ParticipantId::from_str(name)
                        .map_err(|_| InvalidAddress(item.to_owned()))?;
                    self.banks.insert(name, checked(url)?);
                }
            }
        }
        Ok(self)
    }

    /// Whether any of them needs TLS.
    pub(crate) fn any_secure(&self) -> bool {
        let fixed = [
            &self.customers,
            &self.accounts,
            &self.transactions,
            &self.orders,
        ];
        let mut all = fixed.into_iter().chain(self.banks.values());
        all.any(|url| url.starts_with("https:"))
    }

    /// Where customer-service is.
    #[must_use]
    pub fn customers(&self) -> &str {
        &self.customers
    }

    /// Where the first bank's accounts-service is.
    #[must_use]
    pub fn accounts(&self) -> &str {
        &self.accounts
    }

    /// Where transactions-service is.
    #[must_use]
    pub fn transactions(&self) -> &str {
        &self.transactions
    }

    /// Where orders-service is.
    #[must_use]
    pub fn orders(&self) -> &str {
        &self.orders
    }

    /// Where the bank `name` is, when the caller said so.
    #[must_use]
    pub fn bank(&self, name: &ParticipantId) -> Option<&str> {
        self.banks.get(name).map(String::as_str)
    }
}

pub(crate) fn checked(url: &str) -> Result<String, InvalidAddress> {
    let invalid = || InvalidAddress(url.to_owned());
    let parsed = Url::parse(url).map_err(|_| invalid())?;
    let is_http = matches!(parsed.scheme(), "http" | "https") && parsed.host_str().is_some();
    if !is_http || parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(invalid());
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_shifts_every_port() {
        let addresses = Addresses::local(2000);
        assert_eq!(addresses.customers(), "http://127.0.0.1:5001");
        assert_eq!(addresses.accounts(), "http://127.0.0.1:5002");
        assert_eq!(addresses.transactions(), "http://127.0.0.1:5003");
        assert_eq!(addresses.orders(), "http://127.0.0.1:5004");
    }

    #[test]
    fn accounts_may_be_named_bank_by_bank() {
        let addresses = Addresses::local(0)
            .with_accounts("http://one:1/,bank-2=https://two:2")
            .unwrap();
        assert_eq!(addresses.accounts(), "http://one:1");
        let second = "bank-2".parse().unwrap();
        assert_eq!(addresses.bank(&second), Some("https://two:2"));
    }

    #[test]
    fn what_is_not_an_http_address_is_refused() {
        for text in ["", "localhost:3001", "ftp://a", "http://", "http://a/?b"] {
            assert!(Addresses::local(0).with_customers(text).is_err(), "{text}");
        }
    }
}

//! Configuration of this service: table `[orders]`, variables `ORDERS_…`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use service_kit::config::{BankConfig, DatabaseUrl, ServiceConfig};
use service_kit::retention::Pace;
use types::{AccountId, Currency};

use crate::stock::forgetting::Forgetting;

/// What is this service's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrdersConfig {
    /// Its database.
    pub database_url: DatabaseUrl,
    /// Its documents, where no document server is named: a PostgreSQL database apart.
    pub documents_database_url: DatabaseUrl,
    /// A document server that speaks MongoDB's protocol.
    pub mongodb_url: Option<MongoUrl>,
    /// Its port, before the offset.
    pub port: u16,
    /// Where customer-service publishes its keys.
    pub customer_url: Option<String>,
    /// Where coordinators listen, separated by commas; any of them can take a payment.
    pub transactions_urls: Option<String>,
    /// The accounts that are paid into: `USD=ACCOUNT,…`. What has another currency is not sold.
    pub sales_accounts: SalesAccounts,
    /// Milliseconds a process may be silent before others take over what it began.
    pub lease_ms: u64,
    /// Milliseconds between two looks for sagas that nobody drives.
    pub recovery_tick_ms: u64,
    /// Milliseconds a step has for one attempt; what is not answered by then is unknown.
    pub step_timeout_ms: u64,
    /// Milliseconds a payment has for one attempt. Longer than a transfer takes to be given up.
    pub payment_timeout_ms: u64,
    /// Milliseconds an order may take until it is confirmed; one that takes longer is undone.
    pub order_timeout_ms: u64,
    /// How often a step is tried again before it counts as failing.
    pub step_retries: u32,
    /// How often undoing a step is tried again before an operator is needed: many times, at most 5 s
    /// apart, because what is down may come back without one.
    pub undo_retries: u32,
    /// Milliseconds a client waits for the end of its order before it is answered 202.
    pub reply_patience_ms: u64,
    /// So many orders stay listed in a product's document; older ones that are over are forgotten
    /// there, so that it does not grow for ever.
    pub keep_orders: u32,
    /// Milliseconds for which an order stays listed in any case.
    pub forget_after_ms: u64,
    /// Milliseconds between two looks for orders to forget.
    pub forget_tick_ms: u64,
    /// Days that a key is kept, and what was recorded of the steps of a saga that is over.
    pub retention_days: u16,
    /// Milliseconds between two looks for what may be deleted.
    pub retention_tick_ms: u64,
    /// Milliseconds between two batches that are deleted.
    pub retention_pause_ms: u64,
}

/// As long as transactions-service keeps the keys of its clients, and no process sleeps as long.
const LEAST_RETENTION_DAYS: u16 = 7;

impl Default for OrdersConfig {
    fn default() -> Self {
        Self {
            database_url: default_database("orders_service", "orders_db"),
            documents_database_url: default_database("documents_service", "documents_db"),
            mongodb_url: None,
            port: 3004,
            customer_url: None,
            transactions_urls: None,
            sales_accounts: SalesAccounts::default(),
            lease_ms: 10_000,
            recovery_tick_ms: 1_000,
            step_timeout_ms: 3_000,
            payment_timeout_ms: 8_000,
            order_timeout_ms: 30_000,
            step_retries: 3,
            undo_retries: 100,
            reply_patience_ms: 10_000,
            keep_orders: 500,
            forget_after_ms: 300_000,
            forget_tick_ms: 60_000,
            retention_days: LEAST_RETENTION_DAYS,
            retention_tick_ms: 3_600_000,
            retention_pause_ms: 200,
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant")]
fn default_database(role: &str, database: &str) -> DatabaseUrl {
    format!("postgres://{role}@127.0.0.1:5432/{database}")
        .parse()
        .expect("a database URL")
}

impl ServiceConfig for OrdersConfig {
    const PREFIX: &'static str = "ORDERS_";

    fn database_url(&self) -> &DatabaseUrl {
        &self.database_url
    }

    fn validate(&self, bank: &BankConfig) -> Result<(), String> {
        if self.recovery_tick_ms.saturating_mul(2) > self.lease_ms {
            return Err("the lease must last for at least two recovery ticks".to_owned());
        }
        if self.forget_tick_ms == 0 {
            return Err("forget_tick_ms must be above 0".to_owned());
        }
        if self.retention_days < LEAST_RETENTION_DAYS {
            return Err(format!(
                "retention_days must be at least {LEAST_RETENTION_DAYS}: so long a request may be \
                 sent again"
            ));
        }
        if self.retention_tick_ms == 0 {
            return Err("retention_tick_ms must be above 0".to_owned());
        }
        if bank.is_development() {
            return Ok(());
        }
        let inherited = std::env::var("PGPASSWORD").ok();
        let unfit = match &self.mongodb_url {
            Some(url) => url.unfit_for_production(),
            None => self
                .documents_database_url
                .unfit_for_production(inherited.as_deref()),
        };
        unfit.map_or(Ok(()), |why| Err(format!("the documents: {why}")))
    }
}

impl OrdersConfig {
    /// Where customer-service publishes its keys.
    #[must_use]
    pub fn customers(&self, bank: &BankConfig) -> String {
        let url = self.customer_url.clone();
        url.unwrap_or_else(|| bank.local_url(3001))
    }

    /// The bounds of a saga.
    #[must_use]
    pub fn saga_options(&self) -> saga::Options {
        saga::Options {
            timeout: Duration::from_millis(self.order_timeout_ms),
            attempt_timeout: Duration::from_millis(self.step_timeout_ms),
            retries: self.step_retries,
            compensation_retries: self.undo_retries,
            ..saga::Options::default()
        }
    }

    /// When documents forget orders.
    pub(crate) fn forgetting(&self) -> Forgetting {
        Forgetting {
            keep: usize::try_from(self.keep_orders).unwrap_or(usize::MAX),
            after: Duration::from_millis(self.forget_after_ms),
            tick: Duration::from_millis(self.forget_tick_ms),
        }
    }

    /// How long what is finished is kept.
    pub(crate) fn kept_for(&self) -> Duration {
        Duration::from_secs(24 * 60 * 60) * u32::from(self.retention_days)
    }

    /// When what is long finished is deleted.
    pub(crate) const fn retention_pace(&self) -> Pace {
        Pace {
            tick: Duration::from_millis(self.retention_tick_ms),
            pause: Duration::from_millis(self.retention_pause_ms),
        }
    }

    /// How long a payment has for one attempt.
    #[must_use]
    pub const fn payment_timeout(&self) -> Duration {
        Duration::from_millis(self.payment_timeout_ms)
    }

    /// Where coordinators listen.
    #[must_use]
    pub fn coordinators(&self, bank: &BankConfig) -> Vec<String> {
        let listed: Vec<String> = self
            .transactions_urls
            .iter()
            .flat_map(|list| list.split(','))
            .map(|url| url.trim().trim_end_matches('/').to_owned())
            .filter(|url| !url.is_empty())
            .collect();
        if listed.is_empty() {
            vec![bank.local_url(3003)]
        } else {
            listed
        }
    }
}

/// Where a document server is and how to get in. Shown without its password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MongoUrl(String);

/// The text is no URL of a document server. Says nothing of the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a document server's URL: expected mongodb://user:password@host:port/database")]
pub struct MongoUrlError;

impl MongoUrl {
    /// The whole URL, password included. Never log it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Scheme, what stands before the host, and the rest.
    fn parts(&self) -> (&str, Option<&str>, &str) {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", &self.0));
        match rest.rsplit_once('@') {
            Some((user, rest)) => (scheme, Some(user), rest),
            None => (scheme, None, rest),
        }
    }

    fn unfit_for_production(&self) -> Option<&'static str> {
        let (scheme, _, rest) = self.parts();
        let hosts = rest.split(['/', '?']).next().unwrap_or_default();
        let local = hosts.split(',').all(|host| {
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            matches!(name, "127.0.0.1" | "localhost" | "[::1]")
        });
        let encrypted =
            scheme == "mongodb+srv" || rest.contains("tls=true") || rest.contains("ssl=true");
        (!local && !encrypted).then_some("the server is on another host and TLS is not asked for")
    }
}

impl TryFrom<String> for MongoUrl {
    type Error = MongoUrlError;

    fn try_from(text: String) -> Result<Self, MongoUrlError> {
        if text.starts_with("mongodb://") || text.starts_with("mongodb+srv://") {
            Ok(Self(text))
        } else {
            Err(MongoUrlError)
        }
    }
}

impl fmt::Debug for MongoUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, user, rest) = self.parts();
        // Parameters may hold secrets too.
        let place = rest.split('?').next().unwrap_or_default();
        match user {
            Some(user) => {
                let name = user.split(':').next().unwrap_or_default();
                write!(f, "{scheme}://{name}:***@{place}")
            }
            None => write!(f, "{scheme}://{place}"),
        }
    }
}

impl Serialize for MongoUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
    }
}

/// One account for each currency in which something is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SalesAccounts(Vec<(Currency, AccountId)>);

/// The text is no list of sales accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a list of accounts: expected USD=ACCOUNT_ID,EUR=ACCOUNT_ID,…")]
pub struct SalesAccountsError;

impl SalesAccounts {
    /// The account for a currency.
    #[must_use]
    pub fn of(&self, currency: Currency) -> Option<AccountId> {
        let mut all = self.0.iter();
        all.find(|(of, _)| *of == currency)
            .map(|(_, account)| *account)
    }
}

impl FromStr for SalesAccounts {
    type Err = SalesAccountsError;

    fn from_str(text: &str) -> Result<Self, SalesAccountsError> {
        let listed = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        let mut accounts: Vec<(Currency, AccountId)> = Vec::new();
        for one in listed {
            let (currency, account) = one.split_once('=').ok_or(SalesAccountsError)?;
            let currency = currency.trim().parse().map_err(|_| SalesAccountsError)?;
            let account = account.trim().parse().map_err(|_| SalesAccountsError)?;
            if accounts.iter().any(|(other, _)| *other == currency) {
                return Err(SalesAccountsError);
            }
            accounts.push((currency, account));
        }
        Ok(Self(accounts))
    }
}

impl TryFrom<String> for SalesAccounts {
    type Error = SalesAccountsError;

    fn try_from(text: String) -> Result<Self, SalesAccountsError> {
        text.parse()
    }
}

impl From<SalesAccounts> for String {
    fn from(accounts: SalesAccounts) -> Self {
        let listed = accounts.0.iter();
        let listed: Vec<_> = listed.map(|(of, id)| format!("{of}={id}")).collect();
        listed.join(",")
    }
}

impl Default for SalesAccounts {
    /// The sales account of the seed data.
    #[expect(clippy::expect_used, reason = "a constant")]
    fn default() -> Self {
        "USD=660e8400-e29b-41d4-a716-446655440009"
            .parse()
            .expect("an account")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_server_is_shown_without_its_password() {
        let url = |text: &str| MongoUrl::try_from(text.to_owned()).expect("a URL");
        let shown = format!("{:?}", url("mongodb://me:s3cret@h:1/d?x=s3cret"));
        assert_eq!(shown, "mongodb://me:***@h:1/d");
        assert_eq!(format!("{:?}", url("mongodb://h/d")), "mongodb://h/d");
        assert!(MongoUrl::try_from("http://h".to_owned()).is_err());
        assert_eq!(url("mongodb://127.0.0.1:1/d").unfit_for_production(), None);
        assert!(
            url("mongodb://u:p@db.example/d")
                .unfit_for_production()
                .is_some()
        );
        assert_eq!(
            url("mongodb://u:p@db.example/d?tls=true").unfit_for_production(),
            None
        );
    }

    #[test]
    fn each_currency_has_one_sales_account() {
        let usd = "USD=660e8400-e29b-41d4-a716-446655440009";
        let accounts: SalesAccounts = usd.parse().expect("a list");
        assert_eq!(String::from(accounts.clone()), usd);
        assert!(accounts.of("USD".parse().expect("a code")).is_some());
        assert!(accounts.of("EUR".parse().expect("a code")).is_none());
        for bad in ["USD", "usd=1", &format!("{usd},{usd}")] {
            assert!(bad.parse::<SalesAccounts>().is_err(), "{bad}");
        }
    }
}

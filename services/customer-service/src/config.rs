//! Settings of customer-service: table `[customer]`, variables `CUSTOMER_…`.

use serde::{Deserialize, Serialize};
use service_kit::config::{BankConfig, DatabaseUrl, ServiceConfig};

/// Settings of customer-service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerConfig {
    /// Where its database is.
    pub database_url: DatabaseUrl,
    /// Where it listens, before the offset.
    pub port: u16,
    /// How long an access token is good, in seconds. The other services cannot be told at once that
    /// it is not, so not long.
    pub access_token_seconds: u32,
    /// How long a login lasts however often it is refreshed, in seconds.
    pub session_seconds: u32,
    /// Failed logins per user name and minute; further ones wait.
    pub failed_logins_per_minute: u32,
    /// Logins per second and address.
    pub logins_per_second: u32,
    /// How many passwords are hashed at the same time; each takes 19 MiB and a core for some tens
    /// of milliseconds. 0: as many as there are cores.
    pub password_threads: usize,
}

impl Default for CustomerConfig {
    fn default() -> Self {
        Self {
            database_url: "postgres://customer_service@127.0.0.1:5432/customer_db"
                .parse()
                .expect("a literal that is a database URL"),
            port: 3001,
            access_token_seconds: 15 * 60,
            session_seconds: 30 * 24 * 60 * 60,
            failed_logins_per_minute: 5,
            logins_per_second: 100,
            password_threads: 0,
        }
    }
}

impl ServiceConfig for CustomerConfig {
    const PREFIX: &'static str = "CUSTOMER_";

    fn database_url(&self) -> &DatabaseUrl {
        &self.database_url
    }

    fn validate(&self, _: &BankConfig) -> Result<(), String> {
        let all = [
            self.access_token_seconds,
            self.session_seconds,
            self.failed_logins_per_minute,
            self.logins_per_second,
        ];
        if all.contains(&0) {
            return Err("the durations and limits of [customer] must be at least 1".to_owned());
        }
        // A retired key is published for an hour.
        if self.access_token_seconds > 3_000 {
            return Err("customer.access_token_seconds must be at most 3000".to_owned());
        }
        Ok(())
    }
}

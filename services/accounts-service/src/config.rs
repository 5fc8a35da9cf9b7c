//! Configuration of this service: table `[accounts]`, variables `ACCOUNTS_…`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_kit::config::{BankConfig, DatabaseUrl, Endpoints, ServiceConfig};
use service_kit::retention::Pace;
use two_phase::retention::DAY;
use types::ParticipantId;

/// What is this service's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountsConfig {
    /// Its database.
    pub database_url: DatabaseUrl,
    /// Its port, before the offset.
    pub port: u16,
    /// The process's name in logs.
    pub service_name: String,
    /// Which bank this is: its name in the protocol, and the issuer of its tokens.
    pub participant_id: ParticipantId,
    /// Where customer-service publishes its keys.
    pub customer_url: Option<String>,
    /// Where coordinators listen, separated by commas; any of them can answer.
    pub coordinator_urls: Option<String>,
    /// The other banks, asked when no coordinator can be reached.
    pub peers: Endpoints,
    /// Milliseconds after its YES before a branch asks what became of it. Longer than a transfer
    /// takes when nothing is wrong, so that the coordinator is not asked about what is under way.
    pub in_doubt_after_ms: u64,
    /// Milliseconds between two looks for branches in doubt, when all is well.
    pub in_doubt_tick_ms: u64,
    /// Milliseconds between two looks at most, when nobody answers.
    pub in_doubt_backoff_ms: u64,
    /// Milliseconds another service has to answer one call.
    pub call_timeout_ms: u64,
    /// Days that a branch is kept after it is finished, and a request after it was answered: at least
    /// one day more than a coordinator keeps its decisions.
    pub retention_days: u16,
    /// Milliseconds between two looks for what may be deleted.
    pub retention_tick_ms: u64,
    /// Milliseconds between two batches that are deleted.
    pub retention_pause_ms: u64,
    /// A deliberate mistake to switch on; for the tests of the tests.
    pub planted_bug: Option<String>,
}

/// A coordinator keeps its decisions for 7 days at least, and branches have to outlive them.
const LEAST_RETENTION_DAYS: u16 = 8;

impl Default for AccountsConfig {
    fn default() -> Self {
        Self {
            database_url: default_database(),
            port: 3002,
            service_name: "accounts-service".to_owned(),
            participant_id: default_participant(),
            customer_url: None,
            coordinator_urls: None,
            peers: Endpoints::default(),
            in_doubt_after_ms: 3_000,
            in_doubt_tick_ms: 500,
            in_doubt_backoff_ms: 5_000,
            call_timeout_ms: 2_000,
            retention_days: LEAST_RETENTION_DAYS,
            retention_tick_ms: 3_600_000,
            retention_pause_ms: 200,
            planted_bug: None,
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant")]
fn default_database() -> DatabaseUrl {
    "postgres://accounts_service@127.0.0.1:5432/accounts_db"
        .parse()
        .expect("a database URL")
}

#[expect(clippy::expect_used, reason = "a constant")]
fn default_participant() -> ParticipantId {
    "bank-1".parse().expect("a participant")
}

impl ServiceConfig for AccountsConfig {
    const PREFIX: &'static str = "ACCOUNTS_";

    fn database_url(&self) -> &DatabaseUrl {
        &self.database_url
    }

    fn validate(&self, bank: &BankConfig) -> Result<(), String> {
        for peer in self.peers.iter() {
            let name = peer.name.parse::<ParticipantId>();
            let name = name.map_err(|error| format!("ACCOUNTS_PEERS: {}: {error}", peer.name))?;
            if name == self.participant_id {
                return Err("ACCOUNTS_PEERS: a bank is not its own peer".to_owned());
            }
        }
        if self.in_doubt_tick_ms == 0 || self.in_doubt_backoff_ms < self.in_doubt_tick_ms {
            return Err(
                "in_doubt_backoff_ms must be at least in_doubt_tick_ms, above 0".to_owned(),
            );
        }
        if self.retention_days < LEAST_RETENTION_DAYS {
            return Err(format!(
                "retention_days must be at least {LEAST_RETENTION_DAYS}: a branch is kept for a day \
                 longer than its decision"
            ));
        }
        if self.retention_tick_ms == 0 {
            return Err("retention_tick_ms must be above 0".to_owned());
        }
        if self.planted_bug.is_some() && !bank.is_development() {
            return Err("planted bugs are for development only".to_owned());
        }
        Ok(())
    }
}

impl AccountsConfig {
    /// Where customer-service publishes its keys.
    #[must_use]
    pub fn customers(&self, bank: &BankConfig) -> String {
        let url = self.customer_url.clone();
        url.unwrap_or_else(|| bank.local_url(3001))
    }

    /// Where coordinators listen.
    #[must_use]
    pub fn coordinators(&self, bank: &BankConfig) -> Vec<String> {
        let listed: Vec<String> = self
            .coordinator_urls
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

    /// The other banks.
    #[must_use]
    pub fn peers(&self) -> Vec<(ParticipantId, String)> {
        self.peers
            .iter()
            .filter_map(|peer| Some((peer.name.parse().ok()?, peer.url.clone())))
            .collect()
    }

    /// How long what is finished is kept.
    #[must_use]
    pub fn kept_for(&self) -> Duration {
        DAY * u32::from(self.retention_days)
    }

    /// When what is finished is deleted.
    #[must_use]
    pub const fn retention_pace(&self) -> Pace {
        Pace {
            tick: Duration::from_millis(self.retention_tick_ms),
            pause: Duration::from_millis(self.retention_pause_ms),
        }
    }

    /// How long another service has to answer one call.
    #[must_use]
    pub const fn call_timeout(&self) -> Duration {
        Duration::from_millis(self.call_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_kept_for_longer_than_the_protocol_keeps_its_decision() {
        use two_phase::retention::{FORGOTTEN_AFTER, LONGER};

        let days = |retention_days| AccountsConfig {
            retention_days,
            ..AccountsConfig::default()
        };
        let bank = BankConfig::default();
        assert_eq!(days(8).kept_for(), FORGOTTEN_AFTER + LONGER);
        assert_eq!(days(8).validate(&bank), Ok(()));
        assert_eq!(days(90).validate(&bank), Ok(()));
        let refused = days(7).validate(&bank).unwrap_err();
        assert!(
            refused.contains("retention_days must be at least 8"),
            "{refused}"
        );
    }

    #[test]
    fn production_refuses_a_planted_bug() {
        use service_kit::config::Environment;

        let config = AccountsConfig {
            planted_bug: Some("no_tombstone".to_owned()),
            ..AccountsConfig::default()
        };
        let bank = |env| BankConfig {
            env,
            ..BankConfig::default()
        };
        assert_eq!(config.validate(&bank(Environment::Development)), Ok(()));
        let refused = config.validate(&bank(Environment::Production));
        assert_eq!(
            refused.unwrap_err(),
            "planted bugs are for development only"
        );
        let none = AccountsConfig::default();
        assert_eq!(none.validate(&bank(Environment::Production)), Ok(()));
    }
}

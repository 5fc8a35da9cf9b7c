//! Configuration of this service: table `[transactions]`, variables `TRANSACTIONS_…`.

use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};
use service_kit::config::{BankConfig, DatabaseUrl, Endpoints, ServiceConfig};
use service_kit::retention::Pace;
use types::ParticipantId;

/// What is this service's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransactionsConfig {
    /// Its database.
    pub database_url: DatabaseUrl,
    /// Its port, before the offset.
    pub port: u16,
    /// The process's name in logs; a process that starts again takes over from its former self by
    /// it, so no two of one database may share it.
    pub service_name: String,
    /// The banks, by participant id. One on this machine unless said otherwise.
    pub participants: Endpoints,
    /// Where clients reach the banks that they cannot reach at the addresses above, by participant
    /// id: what `GET /participants` shows. A bank that is not listed is shown where we reach it.
    pub public_urls: Endpoints,
    /// Where customer-service publishes its keys.
    pub customer_url: Option<String>,
    /// Where orders-service publishes its keys. Outside development nobody is it unless this is said.
    pub orders_url: Option<String>,
    /// Milliseconds a process may be silent before others take over what it began.
    pub lease_ms: u64,
    /// Milliseconds until a transaction without all votes is aborted.
    pub prepare_deadline_ms: u64,
    /// Milliseconds a participant has to answer one call.
    pub call_timeout_ms: u64,
    /// Milliseconds between two looks for transactions that nobody drives.
    pub recovery_tick_ms: u64,
    /// Milliseconds a client waits for the acknowledgements of a decided transfer before it is
    /// answered 202.
    pub settle_patience_ms: u64,
    /// Milliseconds until a transfer by saga that is not decided is undone.
    pub saga_timeout_ms: u64,
    /// How often a bank is asked again to undo its part of one before an operator is called.
    pub saga_compensation_retries: u32,
    /// Milliseconds after which an open transaction is listed as in doubt.
    pub in_doubt_after_ms: u64,
    /// Transactions in flight at once; further ones are answered `overloaded`.
    pub max_in_flight: usize,
    /// Days that a transaction is kept after it is done, with the key it was asked for under.
    pub retention_days: u16,
    /// Milliseconds between two looks for what may be deleted.
    pub retention_tick_ms: u64,
    /// Milliseconds between two batches that are deleted.
    pub retention_pause_ms: u64,
    /// A deliberate mistake to switch on; for the tests of the tests.
    pub planted_bug: Option<String>,
}

/// A participant answers NO to what is absent and older than this, as if it had been deleted.
const LEAST_RETENTION_DAYS: u16 = 7;

impl Default for TransactionsConfig {
    fn default() -> Self {
        Self {
            database_url: default_database(),
            port: 3003,
            service_name: "transactions-service".to_owned(),
            participants: Endpoints::default(),
            public_urls: Endpoints::default(),
            customer_url: None,
            orders_url: None,
            lease_ms: 10_000,
            prepare_deadline_ms: 5_000,
            call_timeout_ms: 2_000,
            recovery_tick_ms: 1_000,
            settle_patience_ms: 2_000,
            saga_timeout_ms: 5_000,
            saga_compensation_retries: 60,
            in_doubt_after_ms: 60_000,
            max_in_flight: 20_000,
            retention_days: LEAST_RETENTION_DAYS,
            retention_tick_ms: 3_600_000,
            retention_pause_ms: 200,
            planted_bug: None,
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant")]
fn default_database() -> DatabaseUrl {
    "postgres://transactions_service@127.0.0.1:5432/transactions_db"
        .parse()
        .expect("a database URL")
}

impl ServiceConfig for TransactionsConfig {
    const PREFIX: &'static str = "TRANSACTIONS_";

    fn database_url(&self) -> &DatabaseUrl {
        &self.database_url
    }

    fn validate(&self, bank: &BankConfig) -> Result<(), String> {
        for endpoint in self.participants.iter() {
            endpoint.name.parse::<ParticipantId>().map_err(|error| {
                format!("TRANSACTIONS_PARTICIPANTS: {}: {error}", endpoint.name)
            })?;
        }
        let banks = self.banks(bank);
        for endpoint in self.public_urls.iter() {
            if !banks.iter().any(|(name, _)| name.as_str() == endpoint.name) {
                return Err(format!(
                    "TRANSACTIONS_PUBLIC_URLS: there is no bank {}",
                    endpoint.name
                ));
            }
        }
        if self.recovery_tick_ms.saturating_mul(2) > self.lease_ms {
            return Err("the lease must last for at least two recovery ticks".to_owned());
        }
        if self.retention_days < LEAST_RETENTION_DAYS {
            return Err(format!(
                "retention_days must be at least {LEAST_RETENTION_DAYS}: so long a decision may be \
                 asked for after its transaction is done"
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

impl TransactionsConfig {
    /// The banks and where they listen.
    #[must_use]
    pub fn banks(&self, bank: &BankConfig) -> Vec<(ParticipantId, String)> {
        let listed: Vec<_> = self
            .participants
            .iter()
            .filter_map(|endpoint| Some((endpoint.name.parse().ok()?, endpoint.url.clone())))
            .collect();
        if !listed.is_empty() {
            return listed;
        }
        "bank-1"
            .parse()
            .map(|name| vec![(name, bank.local_url(3002))])
            .unwrap_or_default()
    }

    /// The banks and where clients reach them.
    #[must_use]
    pub fn public_banks(&self, bank: &BankConfig) -> Vec<(ParticipantId, String)> {
        let banks = self.banks(bank).into_iter();
        let public = |name: &ParticipantId| self.public_urls.url(name.as_str());
        banks
            .map(|(name, url)| {
                let shown = public(&name).map_or(url, str::to_owned);
                (name, shown)
            })
            .collect()
    }

    /// Where customer-service publishes its keys.
    #[must_use]
    pub fn customers(&self, bank: &BankConfig) -> String {
        self.customer_url
            .clone()
            .unwrap_or_else(|| bank.local_url(3001))
    }

    /// Where orders-service publishes its keys, if there is one.
    #[must_use]
    pub fn orders(&self, bank: &BankConfig) -> Option<String> {
        let local = bank.is_development().then(|| bank.local_url(3004));
        self.orders_url.clone().or(local)
    }

    /// When what is long finished is deleted.
    #[must_use]
    pub const fn retention_pace(&self) -> Pace {
        Pace {
            tick: Duration::from_millis(self.retention_tick_ms),
            pause: Duration::from_millis(self.retention_pause_ms),
        }
    }

    /// The durations, in one place.
    #[must_use]
    pub const fn timings(&self) -> Timings {
        Timings {
            lease: Duration::from_millis(self.lease_ms),
            prepare_deadline: Duration::from_millis(self.prepare_deadline_ms),
            call_timeout: Duration::from_millis(self.call_timeout_ms),
            recovery_tick: Duration::from_millis(self.recovery_tick_ms),
            settle_patience: Duration::from_millis(self.settle_patience_ms),
            saga_timeout: Duration::from_millis(self.saga_timeout_ms),
            saga_compensation_retries: self.saga_compensation_retries,
            in_doubt_after: Duration::from_millis(self.in_doubt_after_ms),
            max_in_flight: self.max_in_flight,
            kept_for: Duration::from_secs(self.retention_days as u64 * 24 * 60 * 60),
        }
    }
}

/// Every duration of the coordinator.
#[derive(Debug, Clone, Copy)]
pub struct Timings {
    /// How long a process may be silent.
    pub lease: Duration,
    prepare_deadline: Duration,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// How often recovery looks.
    pub recovery_tick: Duration,
    settle_patience: Duration,
    /// How long a transfer by saga may be undecided.
    pub saga_timeout: Duration,
    /// How often one is asked to be undone again, before an operator is called.
    pub saga_compensation_retries: u32,
    /// When an open transaction is listed.
    pub in_doubt_after: Duration,
    /// How many transactions at once.
    pub max_in_flight: usize,
    /// How long a transaction is kept after it is done.
    pub kept_for: Duration,
}

/// Every backoff stays below this, so that everything ends soon after the last fault is healed.
const BACKOFF_CAP: Duration = Duration::from_secs(5);

impl Timings {
    /// Until when votes are gathered.
    pub(crate) const fn prepare_deadline(&self) -> Duration {
        self.prepare_deadline
    }

    /// How long a client waits for a decision.
    pub(crate) fn reply_deadline(&self) -> Duration {
        self.prepare_deadline.max(self.saga_timeout) + self.call_timeout + self.settle_patience
    }

    /// The first pause before a step of a saga is asked for again: a lock is held for milliseconds.
    pub(crate) const fn saga_first_pause(&self) -> Duration {
        Duration::from_millis(5)
    }

    /// No pause between two attempts at a step is longer: what is decided ends soon after the last
    /// fault is healed.
    pub(crate) const fn saga_longest_pause(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// How long a client waits for the acknowledgements of what is decided.
    pub(crate) const fn settle_patience(&self) -> Duration {
        self.settle_patience
    }

    /// The pause before a decision is delivered again: doubling, random, capped.
    pub(crate) fn backoff(&self, attempts: u32) -> Duration {
        jittered(Duration::from_millis(50), attempts, BACKOFF_CAP)
    }

    /// The pause before a PREPARE is sent again: short, because a lock is held for milliseconds.
    pub(crate) fn prepare_pause(&self, attempts: u32) -> Duration {
        jittered(
            Duration::from_millis(2),
            attempts,
            Duration::from_millis(200),
        )
    }
}

fn jittered(first: Duration, attempts: u32, cap: Duration) -> Duration {
    let most = first
        .saturating_mul(2_u32.saturating_pow(attempts.min(16)))
        .min(cap);
    let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(rand::thread_rng().gen_range(micros / 2..=micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_where_they_reach_a_bank_and_not_where_we_do() {
        let config = |public: &str| TransactionsConfig {
            participants: "bank-1=http://accounts:3002,bank-2=http://other:3012"
                .parse()
                .expect("two banks"),
            public_urls: public.parse().expect("a list"),
            ..TransactionsConfig::default()
        };
        let bank = BankConfig::default();
        let shown = config("bank-1=https://bank.example").public_banks(&bank);
        let urls: Vec<_> = shown.iter().map(|(_, url)| url.as_str()).collect();
        assert_eq!(urls, ["https://bank.example", "http://other:3012"]);
        assert!(config("").validate(&bank).is_ok());
        assert!(
            config("bank-3=https://bank.example")
                .validate(&bank)
                .is_err()
        );
    }

    #[test]
    fn a_decision_is_kept_for_as_long_as_the_protocol_asks() {
        use two_phase::retention::FORGOTTEN_AFTER;

        let days = |retention_days| TransactionsConfig {
            retention_days,
            ..TransactionsConfig::default()
        };
        let bank = BankConfig::default();
        assert_eq!(days(7).timings().kept_for, FORGOTTEN_AFTER);
        assert_eq!(days(7).validate(&bank), Ok(()));
        let refused = days(6).validate(&bank).unwrap_err();
        assert!(
            refused.contains("retention_days must be at least 7"),
            "{refused}"
        );
    }

    #[test]
    fn production_refuses_a_planted_bug() {
        use service_kit::config::Environment;

        let config = TransactionsConfig {
            planted_bug: Some("no_tombstone".to_owned()),
            ..TransactionsConfig::default()
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
        let none = TransactionsConfig::default();
        assert_eq!(none.validate(&bank(Environment::Production)), Ok(()));
    }
}

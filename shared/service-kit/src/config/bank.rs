//! What all services have in common.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::TrustedProxies;

/// Where the bank runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// On somebody's machine: seed data and demo routes are allowed.
    #[default]
    Development,
    /// Anywhere else: a service refuses to start with anything that is only for development.
    Production,
}

/// Table `[bank]`, variables `BANK_…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BankConfig {
    /// Where the bank runs.
    pub env: Environment,
    /// Address to listen on.
    pub host: IpAddr,
    /// Added to every port, so that several banks fit on one machine.
    pub port_offset: u16,
    /// Folder of the log files; standard output only when absent.
    pub log_dir: Option<PathBuf>,
    /// Which events are logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// Database connections of this process. Two cores are busy with about this many.
    pub database_connections: u32,
    /// Requests per second and caller.
    pub requests_per_second: u32,
    /// Proxies in front of us, by address, separated by commas: only what they say in
    /// `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Failpoints that are on from the start: `name=action[:count],…`.
    pub failpoints: String,
}

impl Default for BankConfig {
    fn default() -> Self {
        Self {
            env: Environment::default(),
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port_offset: 0,
            log_dir: None,
            log: "info".to_owned(),
            database_connections: 10,
            requests_per_second: 20_000,
            trusted_proxies: TrustedProxies::default(),
            failpoints: String::new(),
        }
    }
}

impl BankConfig {
    /// Whether things that are only for development are allowed.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.env == Environment::Development
    }

    /// A port, shifted by the offset.
    #[must_use]
    pub const fn port(&self, port: u16) -> u16 {
        port.wrapping_add(self.port_offset)
    }

    /// The URL of a service on this machine, its port shifted by the offset.
    #[must_use]
    pub fn local_url(&self, port: u16) -> String {
        format!("http://127.0.0.1:{}", self.port(port))
    }
}

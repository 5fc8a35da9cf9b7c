//! Reading the configuration.

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::Dict;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Arguments, BankConfig, ServiceConfig};

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is unknown or a value has the wrong type.
    #[error("configuration: {0}")]
    Invalid(#[from] Box<figment::Error>),
    /// The file that was named cannot be found.
    #[error("configuration: there is no file {0}")]
    NoFile(String),
    /// The values do not fit together, or not this environment.
    #[error("configuration: {0}")]
    Refused(String),
}

/// What is in force.
#[derive(Debug, Clone, Serialize)]
pub struct Loaded<C> {
    /// What all services have in common.
    pub bank: BankConfig,
    /// This service's own part.
    pub service: C,
}

/// Tables that one file may hold for several services; each service reads its own.
const TABLES: [&str; 6] = [
    "bank",
    "customer",
    "accounts",
    "transactions",
    "orders",
    "query",
];

/// The variable that names the database the queries are checked against while building; it shares
/// the prefix of the service and is none of its settings.
const BUILD_ONLY: &str = "query_check_url";

/// Reads the configuration from defaults, the file named by `arguments`, and the environment.
///
/// # Errors
/// When a key is unknown, a value is not what its field expects, or production is asked for with
/// something that is only for development.
pub fn load<C: ServiceConfig>(arguments: &Arguments) -> Result<Loaded<C>, ConfigError> {
    let table = C::PREFIX.trim_end_matches('_').to_ascii_lowercase();
    let mut figment = Figment::new()
        .merge(Serialized::default("bank", Dict::new()))
        .merge(Serialized::default(&table, Dict::new()));
    if let Some(path) = &arguments.config {
        if !path.is_file() {
            return Err(ConfigError::NoFile(path.display().to_string()));
        }
        figment = figment.merge(Toml::file_exact(path));
    }
    let environment = |prefix: &str, table: &str| {
        let table = table.to_owned();
        Env::prefixed(prefix)
            .ignore(&[BUILD_ONLY])
            .map(move |key| format!("{table}.{key}").into())
            .split(".")
    };
    figment = figment
        .merge(environment("BANK_", "bank"))
        .merge(environment(C::PREFIX, &table));
    refuse_unknown_tables(&figment)?;
    let loaded = Loaded {
        bank: section(&figment, "bank")?,
        service: section::<C>(&figment, &table)?,
    };
    check(&loaded, arguments)?;
    Ok(loaded)
}

fn section<T: DeserializeOwned>(figment: &Figment, table: &str) -> Result<T, ConfigError> {
    figment
        .extract_inner(table)
        .map_err(|error| ConfigError::Invalid(Box::new(error)))
}

fn refuse_unknown_tables(figment: &Figment) -> Result<(), ConfigError> {
    let all: Dict = figment
        .extract()
        .map_err(|error| ConfigError::Invalid(Box::new(error)))?;
    match all.keys().find(|key| !TABLES.contains(&key.as_str())) {
        Some(key) => Err(ConfigError::Refused(format!("there is no table [{key}]"))),
        None => Ok(()),
    }
}

fn check<C: ServiceConfig>(loaded: &Loaded<C>, arguments: &Arguments) -> Result<(), ConfigError> {
    let Loaded { bank, service } = loaded;
    let refuse = |why: &str| Err(ConfigError::Refused(why.to_owned()));
    if bank.database_connections == 0 || bank.requests_per_second == 0 {
        return refuse("database_connections and requests_per_second must be at least 1");
    }
    service.validate(bank).map_err(ConfigError::Refused)?;
    if bank.is_development() {
        return Ok(());
    }
    if arguments.seed {
        return refuse("seed data is for development only");
    }
    if !bank.failpoints.is_empty() {
        return refuse("failpoints are for development only");
    }
    // Where the URL has no password, the driver takes this one.
    let inherited = std::env::var("PGPASSWORD").ok();
    match service
        .database_url()
        .unfit_for_production(inherited.as_deref())
    {
        Some(why) => refuse(why),
        None => Ok(()),
    }
}

impl<C: Serialize> Loaded<C> {
    /// What is in force, as JSON, secrets hidden.
    #[must_use]
    pub fn shown(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

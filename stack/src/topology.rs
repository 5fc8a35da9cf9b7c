//! Which processes a bank consists of, where each listens, and what it is told: plain data, decided
//! here and done elsewhere.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// The database of documents, as in state.json.
pub const DOCUMENTS: &str = "documents";

const DOCUMENTS_VARIABLE: &str = "ORDERS_DOCUMENTS_DATABASE_URL";

/// Environment variables, by name.
pub type Environment = BTreeMap<String, String>;

/// What a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Profiles, logins, tokens.
    Customer,
    /// One bank: balances and ledger.
    Accounts,
    /// A coordinator of transfers.
    Transactions,
    /// Orders at the cash desk.
    Orders,
}

impl Kind {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Kind; 4] = [
        Kind::Customer,
        Kind::Accounts,
        Kind::Transactions,
        Kind::Orders,
    ];

    /// The program, which is also the name of the first process of this kind.
    pub fn binary(self) -> &'static str {
        match self {
            Kind::Customer => "customer-service",
            Kind::Accounts => "accounts-service",
            Kind::Transactions => "transactions-service",
            Kind::Orders => "orders-service",
        }
    }

    /// What the names of its settings begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Customer => "CUSTOMER_",
            Kind::Accounts => "ACCOUNTS_",
            Kind::Transactions => "TRANSACTIONS_",
            Kind::Orders => "ORDERS_",
        }
    }

    fn port(self) -> u16 {
        match self {
            Kind::Customer => 3001,
            Kind::Accounts => 3002,
            Kind::Transactions => 3003,
            Kind::Orders => 3004,
        }
    }

    fn stem(self) -> &'static str {
        match self {
            Kind::Customer => "customer",
            Kind::Accounts => "accounts",
            Kind::Transactions => "transactions",
            Kind::Orders => "orders",
        }
    }

    fn log_stem(self) -> &'static str {
        match self {
            Kind::Customer => "customers",
            other => other.stem(),
        }
    }
}

/// One service process of a bank.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name in state.json: `accounts-service`, `accounts-service-2`, …
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// 1 for the first of its kind.
    pub number: u16,
    /// Where it listens, the offset included.
    pub port: u16,
    /// Its own log file.
    pub log: PathBuf,
    /// The name its database goes by in state.json; several coordinators share one.
    pub database: String,
    /// Databases it has beside that one: the variable that tells it, and the name in state.json.
    pub beside: Vec<(String, String)>,
    /// Its settings, without the databases.
    pub environment: Environment,
}

impl Service {
    /// Where it answers.
    pub fn url(&self) -> String {
        local(self.port)
    }

    /// The variable that tells it its database.
    pub fn database_variable(&self) -> String {
        format!("{}DATABASE_URL", self.kind.prefix())
    }
}

/// One database of a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// The service that owns it, as in state.json.
    pub name: String,
    /// Its name in the cluster.
    pub database: String,
    /// The one role that may connect.
    pub role: String,
    /// The variable by which somebody can give a database of their own: `ACCOUNTS_DATABASE_URL`, for
    /// the second bank `ACCOUNTS_2_DATABASE_URL`.
    pub variable: String,
}

/// The size of a bank and the settings it is started with.
#[derive(Debug, Clone)]
pub struct Topology {
    /// How many accounts-services.
    pub banks: u16,
    /// How many transactions-services.
    pub coordinators: u16,
    /// Whether there is an orders-service.
    pub orders: bool,
    /// Added to every port.
    pub port_offset: u16,
    /// `BANK_…`, `CUSTOMER_…`, `ACCOUNTS_…`, `TRANSACTIONS_…`, `ORDERS_…` and `MONGODB_URL` as the
    /// user has them. A number after the prefix (`ACCOUNTS_2_…`) addresses one process of a kind.
    pub settings: Environment,
}

impl Topology {
    /// The processes, in the order in which they are listed and started.
    ///
    /// # Errors
    /// When a port is not a number or does not fit in 16 bits.
    pub fn services(&self, logs: &Path) -> Result<Vec<Service>> {
        let mut services = Vec::new();
        for kind in Kind::ALL {
            for number in 1..=self.count(kind) {
                let port = self.port(kind, number)?;
                services.push(Service {
                    name: name(kind, number),
                    kind,
                    number,
                    port,
                    log: logs.join(format!("{}.log", numbered(kind.log_stem(), number))),
                    database: name(
                        kind,
                        if kind == Kind::Transactions {
                            1
                        } else {
                            number
                        },
                    ),
                    beside: if kind == Kind::Orders && self.mongodb().is_none() {
                        vec![(DOCUMENTS_VARIABLE.into(), DOCUMENTS.into())]
                    } else {
                        Vec::new()
                    },
                    environment: self.environment(kind, number, logs)?,
                });
            }
        }
        Ok(services)
    }

    /// The databases the processes need.
    pub fn databases(&self) -> Vec<Database> {
        let banks = (1..=self.banks).map(|number| database(Kind::Accounts, number));
        [database(Kind::Customer, 1)]
            .into_iter()
            .chain(banks)
            .chain([database(Kind::Transactions, 1)])
            .chain(self.orders.then(|| database(Kind::Orders, 1)))
            .chain((self.orders && self.mongodb().is_none()).then(documents))
            .collect()
    }

    /// The document server that somebody gave.
    fn mongodb(&self) -> Option<&String> {
        ["ORDERS_MONGODB_URL", "MONGODB_URL"]
            .into_iter()
            .filter_map(|variable| self.settings.get(variable))
            .find(|url| !url.is_empty())
    }

    fn count(&self, kind: Kind) -> u16 {
        match kind {
            Kind::Customer => 1,
            Kind::Accounts => self.banks,
            Kind::Transactions => self.coordinators,
            Kind::Orders => u16::from(self.orders),
        }
    }

    fn base_port(&self, kind: Kind, number: u16) -> Result<u16> {
        let own = format!("{}{number}_PORT", kind.prefix());
        let first = format!("{}PORT", kind.prefix());
        let read = |name: &str| {
            self.settings.get(name).map(|text| {
                text.trim()
                    .parse::<u16>()
                    .map_err(|_| Error::Refused(format!("{name}={text} is not a port")))
            })
        };
        if number > 1
            && let Some(port) = read(&own)
        {
            return port;
        }
        let first = read(&first).transpose()?.unwrap_or(kind.port());
        10u16
            .checked_mul(number - 1)
            .and_then(|step| first.checked_add(step))
            .ok_or_else(|| Error::Refused(format!("no port is left for {}", name(kind, number))))
    }

    fn port(&self, kind: Kind, number: u16) -> Result<u16> {
        self.base_port(kind, number)?
            .checked_add(self.port_offset)
            .ok_or_else(|| {
                Error::Refused(format!(
                    "BANK_PORT_OFFSET={} is too large for {}",
                    self.port_offset,
                    name(kind, number)
                ))
            })
    }

    fn environment(&self, kind: Kind, number: u16, logs: &Path) -> Result<Environment> {
        let mut own = Environment::new();
        own.insert("BANK_PORT_OFFSET".into(), self.port_offset.to_string());
        own.insert("BANK_LOG_DIR".into(), logs.display().to_string());
        let prefix = kind.prefix();
        let mut set = |name: &str, value: String| own.insert(format!("{prefix}{name}"), value);
        set("PORT", self.base_port(kind, number)?.to_string());
        let customer = local(self.port(Kind::Customer, 1)?);
        let coordinators: Result<Vec<_>> = (1..=self.coordinators)
            .map(|other| self.port(Kind::Transactions, other).map(local))
            .collect();
        let coordinators = coordinators?.join(",");
        match kind {
            Kind::Customer => {}
            Kind::Accounts => {
                set("SERVICE_NAME", name(kind, number));
                set("PARTICIPANT_ID", participant(number));
                set("CUSTOMER_URL", customer);
                set("COORDINATOR_URLS", coordinators);
                set("PEERS", self.participants(|other| other != number)?);
            }
            Kind::Transactions => {
                set("SERVICE_NAME", name(kind, number));
                set("CUSTOMER_URL", customer);
                set("PARTICIPANTS", self.participants(|_| true)?);
            }
            Kind::Orders => {
                set("CUSTOMER_URL", customer);
                set("TRANSACTIONS_URLS", coordinators);
                if let Some(url) = self.mongodb() {
                    set("MONGODB_URL", url.clone());
                }
            }
        }
        own.extend(self.given(kind, number));
        Ok(own)
    }

    /// What the user set for this process: `BANK_…` and `ACCOUNTS_…` for all, `ACCOUNTS_2_…` for one.
    /// A port was reckoned with before; a database is asked for by [`Database::variable`].
    fn given(&self, kind: Kind, number: u16) -> Environment {
        let prefix = kind.prefix();
        let mut for_all = Environment::new();
        let mut for_this = Environment::new();
        for (variable, value) in &self.settings {
            if variable.starts_with("BANK_") {
                for_all.insert(variable.clone(), value.clone());
                continue;
            }
            let Some(rest) = variable.strip_prefix(prefix) else {
                continue;
            };
            let numbered = rest.split_once('_').and_then(|(digits, field)| {
                digits.parse::<u16>().ok().map(|one| (Some(one), field))
            });
            let (one, field) = numbered.unwrap_or((None, rest));
            let reckoned = matches!(
                field,
                "PORT" | "DATABASE_URL" | "DOCUMENTS_DATABASE_URL" | "QUERY_CHECK_URL"
            );
            // One name for two processes would make two of them answer for the same accounts.
            let identity = matches!(field, "SERVICE_NAME" | "PARTICIPANT_ID" | "PEERS");
            match one {
                _ if reckoned => {}
                Some(one) if one == number => {
                    for_this.insert(format!("{prefix}{field}"), value.clone());
                }
                None if number == 1 || !identity => {
                    for_all.insert(format!("{prefix}{field}"), value.clone());
                }
                _ => {}
            }
        }
        // The first two were reckoned with, the third is ours.
        for own in ["BANK_PORT_OFFSET", "BANK_LOG_DIR", "BANK_DATA_DIR"] {
            for_all.remove(own);
        }
        for_all.extend(for_this);
        for_all
    }

    fn participants(&self, wanted: impl Fn(u16) -> bool) -> Result<String> {
        let named: Result<Vec<_>> = (1..=self.banks)
            .filter(|number| wanted(*number))
            .map(|number| {
                let url = local(self.port(Kind::Accounts, number)?);
                Ok(format!("{}={url}", participant(number)))
            })
            .collect();
        Ok(named?.join(","))
    }
}

/// Whether a variable is a setting of some service, and so must not leak from one to another.
pub fn is_setting(variable: &str) -> bool {
    variable.starts_with("BANK_")
        || variable == "MONGODB_URL"
        || Kind::ALL
            .iter()
            .any(|kind| variable.starts_with(kind.prefix()))
}

fn participant(number: u16) -> String {
    format!("bank-{number}")
}

fn numbered(stem: &str, number: u16) -> String {
    if number == 1 {
        stem.to_owned()
    } else {
        format!("{stem}-{number}")
    }
}

fn name(kind: Kind, number: u16) -> String {
    numbered(kind.binary(), number)
}

fn local(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Documents of orders-service, where there is no document server: a PostgreSQL database apart.
fn documents() -> Database {
    Database {
        name: DOCUMENTS.into(),
        variable: DOCUMENTS_VARIABLE.into(),
        role: "documents_service".into(),
        database: "documents_db".into(),
    }
}

fn database(kind: Kind, number: u16) -> Database {
    let stem = numbered(kind.stem(), number).replace('-', "_");
    Database {
        name: name(kind, number),
        variable: format!("{}_DATABASE_URL", stem.to_uppercase()),
        role: format!("{stem}_service"),
        database: format!("{stem}_db"),
    }
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;

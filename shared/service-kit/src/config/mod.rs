//! Configuration: defaults, then a file, then the environment. Unknown keys are errors.

mod arguments;
mod bank;
mod database_url;
mod endpoints;
mod load;
mod proxies;

pub use arguments::Arguments;
pub use bank::{BankConfig, Environment};
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use endpoints::{Endpoint, Endpoints, EndpointsError};
pub use load::{ConfigError, Loaded, load};
pub use proxies::{TrustedProxies, TrustedProxiesError};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The part of the configuration that is one service's own.
///
/// Must be read with `#[serde(deny_unknown_fields, default)]`: the first makes a misspelt variable
/// an error, the second takes the defaults from `Default`. Fields are flat; the variable of a field
/// is the prefix and the field's name in capitals.
pub trait ServiceConfig: Serialize + DeserializeOwned + Default {
    /// The prefix of its environment variables, such as `ACCOUNTS_`. In lower case and without the
    /// underscore it is the name of its table in a configuration file.
    const PREFIX: &'static str;

    /// Where its database is.
    fn database_url(&self) -> &DatabaseUrl;

    /// What is wrong with the values, beyond their types.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn validate(&self, _bank: &BankConfig) -> Result<(), String> {
        Ok(())
    }
}

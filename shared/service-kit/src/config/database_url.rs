//! The URL of a database: a secret.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The text is not the URL of a PostgreSQL database. Says nothing of the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a database URL: expected postgres://user:password@host:port/database")]
pub struct DatabaseUrlError;

/// Where a database is and how to get in. Shown without its password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl(String);

/// Passwords that stand in examples and in our own development set-up.
const WELL_KNOWN: [&str; 4] = ["banking-dev", "password", "postgres", "changeme"];

/// Shorter ones can be guessed.
const SHORTEST_PASSWORD: usize = 12;

impl DatabaseUrl {
    /// The whole URL, password included. Never log it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The password as it is written before the host, where there is one.
    fn password(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let (user, _) = authority.rsplit_once('@')?;
        user.split_once(':').map(|(_, password)| password)
    }

    /// Every password that is in it, readable: before the host and among the parameters, where the
    /// driver looks too.
    fn passwords(&self) -> Vec<String> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        let parameters = query.split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (unescaped(name) == "password").then_some(value)
        });
        let written = self.password().into_iter().chain(parameters);
        written.map(unescaped).collect()
    }

    /// What forbids using it outside development, if anything does. `inherited` is the password
    /// that the driver takes where the URL has none.
    #[must_use]
    pub fn unfit_for_production(&self, inherited: Option<&str>) -> Option<&'static str> {
        let weak = |password: &String| {
            password.chars().count() < SHORTEST_PASSWORD || WELL_KNOWN.contains(&password.as_str())
        };
        let mut passwords = self.passwords();
        if passwords.is_empty() {
            passwords.extend(inherited.map(str::to_owned));
        }
        if passwords.iter().any(weak) {
            return Some("the database password is a default one or shorter than 12 characters");
        }
        let Ok(options) = self.0.parse::<PgConnectOptions>() else {
            return Some("the database URL cannot be read");
        };
        let host = options.get_host();
        let local = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback());
        let encrypted = matches!(
            options.get_ssl_mode(),
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
        );
        (!local && !encrypted)
            .then_some("the database is on another host and sslmode is not require or stricter")
    }
}

/// Text of a URL without its escapes.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let escaped = digits.and_then(|two| u8::from_str_radix(str::from_utf8(two).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = escaped.map_or(after, |_| &after[2..]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        let postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        if postgres && text.parse::<PgConnectOptions>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(DatabaseUrlError)
        }
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;

    fn try_from(text: String) -> Result<Self, DatabaseUrlError> {
        text.parse()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Parameters may hold a password too, so none are shown.
        let plain = self.0.split('?').next().unwrap_or_default();
        match self.password() {
            Some(password) => {
                f.write_str(&plain.replacen(&format!(":{password}@"), ":[hidden]@", 1))
            }
            None => f.write_str(plain),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        text.parse().expect("a database URL")
    }

    #[test]
    fn a_password_is_never_shown() {
        let secret = url("postgres://bank:s3cret-and-long@db/bank?sslpassword=s3cret-and-long");
        for shown in [
            secret.to_string(),
            format!("{secret:?}"),
            serde_json::to_string(&secret).expect("JSON"),
        ] {
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("bank:[hidden]@db"), "{shown}");
        }
        assert!(!format!("{:?}", "mysql://u:s3cret@h/d".parse::<DatabaseUrl>()).contains("s3cret"));
    }

    #[test]
    fn production_wants_a_long_secret_and_encryption_between_hosts() {
        for bad in [
            "postgres://bank:short@127.0.0.1/bank",
            "postgres://bank:banking-dev@127.0.0.1/bank",
            "postgres://bank:%62anking%2Ddev@127.0.0.1/bank",
            "postgres://bank:%73%68%6f%72%74@127.0.0.1/bank",
            "postgres://bank@127.0.0.1/bank?password=short",
            "postgres://bank:a-long-password-9@127.0.0.1/bank?pass%77ord=changeme",
            "postgres://bank:a-long-password-9@db.example/bank",
            "postgres://bank:a-long-password-9@db.example/bank?sslmode=prefer",
        ] {
            assert!(url(bad).unfit_for_production(None).is_some(), "{bad}");
        }
        let bare = url("postgres://bank@127.0.0.1/bank");
        assert!(bare.unfit_for_production(Some("short")).is_some());
        assert_eq!(bare.unfit_for_production(Some("a-long-password-9")), None);
        for good in [
            "postgres://bank:a-long-password-9@127.0.0.1/bank",
            "postgres://bank:a-long-password-9@db.example/bank?sslmode=verify-full",
        ] {
            assert_eq!(url(good).unfit_for_production(None), None, "{good}");
        }
    }
}

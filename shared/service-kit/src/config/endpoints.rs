//! Named URLs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// One service and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, such as `bank-2`.
    pub name: String,
    /// Its URL without a slash at the end.
    pub url: String,
}

/// Why a list of endpoints cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    /// A part is not `name=url`.
    #[error("expected name=http://host:port, separated by commas")]
    Malformed,
    /// A name stands twice.
    #[error("{0} is named twice")]
    Duplicate(String),
}

/// Services by name: `bank-1=http://127.0.0.1:3002,bank-2=http://127.0.0.1:3012`. May be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoints(pub Vec<Endpoint>);

impl Endpoints {
    /// The URL of a service, if it is listed.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<&str> {
        let endpoint = self.0.iter().find(|endpoint| endpoint.name == name)?;
        Some(&endpoint.url)
    }

    /// All of them, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Endpoints {
    type Err = EndpointsError;

    fn from_str(text: &str) -> Result<Self, EndpointsError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (name, url) = part.split_once('=').ok_or(EndpointsError::Malformed)?;
            let (name, url) = (name.trim(), url.trim().trim_end_matches('/'));
            let http = url.starts_with("http://") || url.starts_with("https://");
            if name.is_empty() || !http {
                return Err(EndpointsError::Malformed);
            }
            if endpoints.iter().any(|endpoint| endpoint.name == name) {
                return Err(EndpointsError::Duplicate(name.to_owned()));
            }
            endpoints.push(Endpoint {
                name: name.to_owned(),
                url: url.to_owned(),
            });
        }
        Ok(Self(endpoints))
    }
}

impl TryFrom<String> for Endpoints {
    type Error = EndpointsError;

    fn try_from(text: String) -> Result<Self, EndpointsError> {
        text.parse()
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, endpoint) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}={}", endpoint.name, endpoint.url)?;
        }
        Ok(())
    }
}

impl Serialize for Endpoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_urls_are_read_and_written_alike() {
        let text = "bank-1=http://127.0.0.1:3002,bank-2=http://127.0.0.1:3012";
        let read: Endpoints = text.parse().expect("endpoints");
        assert_eq!(read.to_string(), text);
        assert_eq!(read.url("bank-2"), Some("http://127.0.0.1:3012"));
        assert_eq!("".parse(), Ok(Endpoints::default()));
    }

    #[test]
    fn a_list_that_is_not_one_is_refused() {
        for bad in [
            "bank-1",
            "=http://x",
            "bank-1=ftp://x",
            "a=http://x,a=http://y",
        ] {
            assert!(bad.parse::<Endpoints>().is_err(), "{bad}");
        }
    }
}

//! Proxies whose word is taken for who is calling.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize, Serializer};

/// The list holds something that is not an IP address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected IP addresses, separated by commas")]
pub struct TrustedProxiesError;

/// Addresses of proxies, such as `10.0.0.7,10.0.0.8`. None unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxies(Vec<IpAddr>);

impl TrustedProxies {
    /// Who sent a request that arrived from `peer`.
    ///
    /// `X-Forwarded-For` grows to the right: each proxy adds whom it heard it from. So it is read
    /// from the right, for as long as the speaker is trusted; what stands further left was written
    /// by a stranger. Something that is no address ends the reading too.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.0.contains(&peer) {
            return peer;
        }
        let values: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        let named = values.iter().rev().flat_map(|value| {
            let text = value.to_str().unwrap_or_default();
            text.rsplit(',').map(|part| part.trim().parse::<IpAddr>())
        });
        let mut speaker = peer;
        for address in named {
            let Ok(address) = address else { break };
            speaker = address.to_canonical();
            if !self.0.contains(&speaker) {
                break;
            }
        }
        speaker
    }
}

impl FromStr for TrustedProxies {
    type Err = TrustedProxiesError;

    fn from_str(text: &str) -> Result<Self, TrustedProxiesError> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let addresses = parts.map(|part| part.parse::<IpAddr>().map(|ip| ip.to_canonical()));
        let addresses: Result<_, _> = addresses.collect();
        addresses.map(Self).map_err(|_| TrustedProxiesError)
    }
}

impl TryFrom<String> for TrustedProxies {
    type Error = TrustedProxiesError;

    fn try_from(text: String) -> Result<Self, TrustedProxiesError> {
        text.parse()
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(","))
    }
}

impl Serialize for TrustedProxies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a header value"));
        }
        let trusted: TrustedProxies = trusted.parse().expect("addresses");
        trusted.client(ip(peer), &headers)
    }

    #[test]
    fn only_what_a_trusted_proxy_says_is_believed() {
        for (trusted, peer, forwarded, expected) in [
            ("", "1.1.1.1", &["9.9.9.9"] as &[_], "1.1.1.1"),
            ("2.2.2.2", "1.1.1.1", &["9.9.9.9"], "1.1.1.1"),
            ("1.1.1.1", "1.1.1.1", &["9.9.9.9"], "9.9.9.9"),
            ("1.1.1.1", "1.1.1.1", &[], "1.1.1.1"),
            // The stranger's own words stand on the left.
            ("1.1.1.1", "1.1.1.1", &["7.7.7.7, 9.9.9.9"], "9.9.9.9"),
            ("1.1.1.1", "1.1.1.1", &["7.7.7.7", "9.9.9.9"], "9.9.9.9"),
            (
                "1.1.1.1,2.2.2.2",
                "1.1.1.1",
                &["7.7.7.7, 9.9.9.9, 2.2.2.2"],
                "9.9.9.9",
            ),
            ("1.1.1.1", "1.1.1.1", &["9.9.9.9, unknown"], "1.1.1.1"),
            ("1.1.1.1", "::ffff:1.1.1.1", &["9.9.9.9"], "9.9.9.9"),
            ("::1", "::1", &["2001:db8::7"], "2001:db8::7"),
        ] {
            let found = client(trusted, peer, forwarded);
            assert_eq!(found, ip(expected), "{trusted} {peer} {forwarded:?}");
        }
        assert!("10.0.0.0/8".parse::<TrustedProxies>().is_err());
    }
}

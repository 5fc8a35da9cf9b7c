//! The outer form of a token: three parts, and a header that says nothing but what ours say.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::ACCESS_TOKEN_TYPE;

/// The header of a token. Unknown members are refused: `jku`, `x5u`, `jwk` and `crit` would have
/// a careless reader fetch or believe the attacker's own key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Deserialize)]
struct IssuerOnly {
    iss: String,
}

/// What has to be known to choose the key a token is checked with. None of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) kid: String,
    pub(super) issuer: String,
}

/// A key's name: as we make them, so that nothing else ever reaches a query or a log.
pub(super) fn is_kid(kid: &str) -> bool {
    (1..=64).contains(&kid.len())
        && kid
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Reads who claims to have signed the token with which key; nothing when it is none of ours.
pub(super) fn claimed(token: &str) -> Option<Claimed> {
    let mut parts = token.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
    let ours = header.alg == "EdDSA" && header.typ == ACCESS_TOKEN_TYPE && is_kid(&header.kid);
    let claims: IssuerOnly = serde_json::from_slice(&decode(claims)?).ok()?;
    ours.then_some(Claimed {
        kid: header.kid,
        issuer: claims.iss,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2ln", encode(header), encode(claims))
    }

    #[test]
    fn only_the_header_we_write_ourselves_is_read() {
        let claims = r#"{"iss":"customer-service"}"#;
        let good = token(r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k-1"}"#, claims);
        assert!(claimed(&good).is_some());
        for header in [
            r#"{"alg":"none","typ":"at+jwt","kid":"k-1"}"#,
            r#"{"alg":"None","typ":"at+jwt","kid":"k-1"}"#,
            r#"{"alg":"nOnE","typ":"at+jwt","kid":"k-1"}"#,
            r#"{"alg":"HS256","typ":"at+jwt","kid":"k-1"}"#,
            r#"{"alg":"eddsa","typ":"at+jwt","kid":"k-1"}"#,
            r#"{"alg":"EdDSA","typ":"JWT","kid":"k-1"}"#,
            r#"{"alg":"EdDSA","typ":"rt+jwt","kid":"k-1"}"#,
            r#"{"alg":"EdDSA","kid":"k-1"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":""}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"../../etc/passwd"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"' OR 1=1 --"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k-1","jku":"http://evil/jwks"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k-1","x5u":"http://evil/x"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k-1","jwk":{}}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k-1","crit":["exp"]}"#,
            r#"{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"k-1"}"#,
            "[]",
        ] {
            assert_eq!(claimed(&token(header, claims)), None, "{header}");
        }
    }

    #[test]
    fn what_is_not_three_parts_is_no_token() {
        let good = token(
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"k-1"}"#,
            r#"{"iss":"customer-service"}"#,
        );
        let unsigned = good.trim_end_matches("c2ln").to_owned();
        for bad in [
            "",
            "a",
            "a.b",
            "..",
            "a.b.c",
            &unsigned,
            &format!("{good}.x"),
        ] {
            assert_eq!(claimed(bad), None, "{bad}");
        }
    }
}

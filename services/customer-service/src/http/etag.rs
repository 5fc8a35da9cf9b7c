//! `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1): a customer's version.

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use service_kit::Problem;

pub(super) fn header(version: i64) -> (HeaderName, HeaderValue) {
    let quoted = format!("\"{version}\"");
    // Digits in quotes are a header value.
    let value = HeaderValue::from_str(&quoted).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    (ETAG, value)
}

/// Extractor: the versions `If-Match` allows; none when there is no such header or it is `*`.
///
/// A tag that is none of ours matches nothing, as the RFC has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<Vec<i64>>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values: Vec<_> = parts.headers.get_all(IF_MATCH).iter().collect();
        if values.is_empty() || values.iter().any(|value| value.as_bytes() == b"*") {
            return Ok(Self(None));
        }
        let tags = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        Ok(Self(Some(tags.filter_map(version).collect())))
    }
}

/// The version in a tag; weak tags match nothing, because the comparison is strong.
fn version(tag: &str) -> Option<i64> {
    let digits = tag.trim().strip_prefix('"')?.strip_suffix('"')?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn only_a_strong_tag_of_ours_has_a_version() {
        assert_eq!(version(" \"12\""), Some(12));
        for bad in ["12", "W/\"12\"", "\"\"", "\"x\"", "\"-1\"", "\"+1\""] {
            assert_eq!(version(bad), None, "{bad}");
        }
    }
}

//! Entity tags of accounts (RFC 9110, section 8.8.3): the same as long as the same is shown.

use axum::http::header::{ETAG, HeaderMap, IF_MATCH};
use axum::http::{HeaderName, HeaderValue};
use service_kit::Problem;
use sha2::{Digest, Sha256};
use types::Code;
use types::views::Account;

/// The tag of what is shown of an account.
#[must_use]
pub fn of(account: &Account) -> String {
    let shown = serde_json::to_vec(account).unwrap_or_default();
    let digest = Sha256::digest(shown);
    let hex: String = digest[..16].iter().map(|b| format!("{b:02x}")).collect();
    format!("\"{hex}\"")
}

/// The tag as a header.
#[must_use]
pub fn header(account: &Account) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&of(account));
    [(ETAG, value.unwrap_or(HeaderValue::from_static("\"\"")))]
}

/// Refuses with 412 what was decided on another representation than the current one. A request
/// without `If-Match` is not conditional.
///
/// # Errors
/// 412 `precondition_failed`; 400 `invalid_header` for what is no list of tags.
pub fn check(headers: &HeaderMap, current: &Account) -> Result<(), Problem> {
    let current = of(current);
    let mut conditional = false;
    for value in headers.get_all(IF_MATCH) {
        conditional = true;
        let text = value.to_str().map_err(|_| Code::InvalidHeader)?;
        // Strong comparison: a weak tag never matches.
        if text
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag == current)
        {
            return Ok(());
        }
    }
    if conditional {
        Err(Problem::new(Code::PreconditionFailed).detail("The account changed since you read it."))
    } else {
        Ok(())
    }
}

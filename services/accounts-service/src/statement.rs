//! Statements: pages of entries, or all of them as a file.

use std::fmt::Write;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use service_kit::database::spawned;
use sqlx::PgPool;
use types::AccountId;
use types::views::{Account, Entry};

use crate::store::{StoreError, entries};

/// Entries of a file that are in memory at once.
const CHUNK: i64 = 1_000;

const HEAD: &str = "entry_id,account_id,version,transaction_id,kind,change,balance_after,description,created_at\r\n";

/// The entries of an account below a version, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn page(
    pool: &PgPool,
    account: AccountId,
    below: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let pool = pool.clone();
    spawned(async move {
        let mut connection = pool.acquire().await?;
        entries::page(&mut connection, account, below, limit).await
    })
    .await
}

/// All entries of an account up to its version now, newest first, as a CSV file (RFC 4180) that is
/// read from the database while it is sent. Entries never change, so the file is consistent.
#[must_use]
pub fn csv(pool: &PgPool, account: &Account) -> Response {
    let id = account.account_id;
    let chunks = stream::try_unfold(
        (pool.clone(), account.version.saturating_add(1), true),
        move |(pool, below, is_first)| async move {
            if below <= 1 && !is_first {
                return Ok::<_, StoreError>(None);
            }
            let mut text = String::from(if is_first { HEAD } else { "" });
            let lines = page(&pool, id, below, CHUNK).await?;
            lines.iter().for_each(|entry| write_line(&mut text, entry));
            let below = lines.last().map_or(0, |entry| entry.version);
            Ok(Some((Bytes::from(text), (pool, below, false))))
        },
    );
    let name = format!("attachment; filename=\"statement-{id}.csv\"");
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        ),
        (
            CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment")),
        ),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

fn write_line(text: &mut String, entry: &Entry) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{},{},{},{},{},{},{},{},{}\r\n",
        entry.entry_id,
        entry.account_id,
        entry.version,
        entry.transaction_id,
        entry.kind,
        entry.change,
        entry.balance_after,
        entry.description.as_deref().map(quote).unwrap_or_default(),
        entry.created_at,
    );
}

/// A text as a CSV field that no spreadsheet takes for a formula.
fn quote(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_never_becomes_a_formula_or_a_second_field() {
        for (text, field) in [
            ("rent", "\"rent\""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("+49 30", "\"'+49 30\""),
            ("-5", "\"'-5\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
        ] {
            assert_eq!(quote(text), field);
        }
    }
}

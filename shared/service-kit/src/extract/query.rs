//! Query parameters.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use types::{Code, IdError};

use crate::Problem;

/// The query string as `T`, which should say `#[serde(deny_unknown_fields)]`.
///
/// Refuses with 400 `invalid_id` an unreadable id, and with 422 `invalid_parameter` everything else
/// that `T` does not accept, a parameter that stands twice included.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if !is_text(parts.uri.query().unwrap_or_default()) {
            return Err(Problem::new(Code::InvalidParameter).detail("The query is not UTF-8."));
        }
        match axum::extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(query) => Ok(Self(query.0)),
            Err(rejection) => {
                let words = rejection.body_text();
                let code = if words.contains(&IdError.to_string()) {
                    Code::InvalidId
                } else {
                    Code::InvalidParameter
                };
                Err(Problem::new(code).detail(words))
            }
        }
    }
}

/// Whether the escapes of a query spell UTF-8. Where they do not, the parser would put replacement
/// characters in their place and answer a question that nobody asked.
fn is_text(query: &str) -> bool {
    let mut bytes = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    str::from_utf8(&bytes).is_ok()
}

/// How many items a page holds: 1 to 200, 50 unless said otherwise.
///
/// A route with parameters of its own puts `#[serde(default)] limit: Limit` and
/// `cursor: Option<String>` beside them; serde's `flatten` would hide unknown parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = u32, minimum = 1, maximum = 200, default = 50)]
pub struct Limit(u32);

impl Limit {
    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// One more than the page holds: reading that many tells whether there is a next page.
    #[must_use]
    pub const fn one_more(self) -> i64 {
        self.0 as i64 + 1
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(limit @ 1..=200) if digits => Ok(Self(limit)),
            _ => Err(D::Error::custom("limit must be a number from 1 to 200")),
        }
    }
}

/// The parameters of a list that has no others.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items, at most 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Limit,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(query: &str) -> Result<PageQuery, Code> {
        let request = axum::http::Request::get(format!("/list?{query}"))
            .body(())
            .expect("a request");
        Query::<PageQuery>::from_request_parts(&mut request.into_parts().0, &())
            .await
            .map(|query| query.0)
            .map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_list_without_parameters_has_fifty_items() {
        assert_eq!(read("").await.map(|page| page.limit.get()), Ok(50));
        assert_eq!(
            read("limit=200").await.map(|page| page.limit.get()),
            Ok(200)
        );
    }

    #[tokio::test]
    async fn limits_that_make_no_sense_are_refused() {
        for bad in [
            "limit=0",
            "limit=-1",
            "limit=201",
            "limit=1000000000",
            "limit=+5",
            "limit=",
            "limit=ten",
            "limit=5&limit=6",
            "offset=3",
            "cursor=%FF",
            "cursor=a%C3%28",
        ] {
            assert_eq!(read(bad).await.err(), Some(Code::InvalidParameter), "{bad}");
        }
    }
}

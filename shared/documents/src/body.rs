//! A document, and what may be in one.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Error;
use crate::path::{MOST_LEVELS, RESERVED, check_name};

/// The fields of a document.
pub type Body = Map<String, Value>;

/// The largest document, in bytes of JSON. MongoDB ends at 16 MB; this is far from it.
const MOST_BYTES: usize = 1 << 20;

/// A document as it stood at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its name in its collection.
    pub id: String,
    /// 1 when it is inserted, one more with every change.
    pub version: i64,
    /// Its fields.
    pub body: Body,
}

impl Document {
    /// The fields as a type of the caller's.
    ///
    /// # Errors
    /// [`Error::Invalid`] when they are not those of the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_value(Value::Object(self.body.clone()))
            .map_err(|error| Error::invalid(format!("document `{}`: {error}", self.id)))
    }
}

/// The fields of a value of the caller's.
///
/// # Errors
/// [`Error::Invalid`] when it is not an object, or holds what [`check_body`] refuses.
pub fn body_of(value: &impl Serialize) -> Result<Body, Error> {
    match serde_json::to_value(value) {
        Ok(Value::Object(body)) => check_body(&body).map(|()| body),
        Ok(_) => Err(Error::invalid("a document is an object")),
        Err(error) => Err(Error::invalid(error.to_string())),
    }
}

/// Refuses what not every store keeps exactly: numbers that are not integers of 64 bits, U+0000,
/// names with dots or a leading `$`, reserved names, and documents too deep or too large.
///
/// # Errors
/// [`Error::Invalid`], saying which.
pub fn check_body(body: &Body) -> Result<(), Error> {
    for reserved in RESERVED {
        if body.contains_key(reserved) {
            let words = format!("`{reserved}` is reserved and cannot be a field of a document");
            return Err(Error::invalid(words));
        }
    }
    check_object(body, 1)?;
    let bytes = serde_json::to_vec(body).map_or(usize::MAX, |json| json.len());
    if bytes > MOST_BYTES {
        return Err(Error::invalid("the document is larger than 1 MiB"));
    }
    Ok(())
}

fn check_object(fields: &Body, level: usize) -> Result<(), Error> {
    if level > MOST_LEVELS {
        return Err(Error::invalid("the document is too deep"));
    }
    fields.iter().try_for_each(|(name, value)| {
        check_name(name)?;
        check_value(value, level)
    })
}

/// As [`check_body`], for one value at this level.
pub(crate) fn check_value(value: &Value, level: usize) -> Result<(), Error> {
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) if number.is_i64() => Ok(()),
        Value::Number(number) => Err(Error::invalid(format!(
            "{number} is not an integer of 64 bits; decimals travel as text"
        ))),
        Value::String(text) if text.contains('\0') => {
            Err(Error::invalid("a text holds the character U+0000"))
        }
        Value::String(_) => Ok(()),
        Value::Array(_) if level > MOST_LEVELS => Err(Error::invalid("the document is too deep")),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_value(item, level + 1)),
        Value::Object(fields) => check_object(fields, level + 1),
    }
}

/// Names of collections end up in namespaces, so they are plain; ids are anything that can be
/// printed in a log line.
pub(crate) fn check_place(collection: &str, id: Option<&str>) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins = collection
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_lowercase);
    if !begins || collection.len() > 60 || !collection.bytes().all(plain) {
        return Err(Error::invalid(format!(
            "`{}` is no name of a collection",
            collection.escape_debug()
        )));
    }
    match id {
        Some(id) if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) => Err(
            Error::invalid("an id has 1 to 200 bytes and no control characters"),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: Value) -> Result<(), Error> {
        body_of(&value).map(drop)
    }

    #[test]
    fn what_a_store_would_round_or_misread_is_refused() {
        for wrong in [
            json!({"amount": 1.5}),
            json!({"amount": 1.0}),
            json!({"amount": u64::MAX}),
            json!({"lines": [{"amount": 0.1}]}),
            json!({"_id": "x"}),
            json!({"_version": 1}),
            json!({"a.b": 1}),
            json!({"a": {"$set": 1}}),
            json!({"": 1}),
            json!({"text": "a\0b"}),
            json!([1]),
        ] {
            assert!(check(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(
            check(json!({"n": i64::MIN, "m": i64::MAX, "a": {"_id": null}})),
            Ok(())
        );
    }

    #[test]
    fn a_document_too_deep_or_too_large_is_refused() {
        let nested = |levels: usize| {
            let mut value = json!(1);
            for level in 0..levels {
                value = if level % 2 == 0 {
                    json!({"a": value})
                } else {
                    json!([value])
                };
            }
            json!({"a": value})
        };
        assert_eq!(check(nested(MOST_LEVELS - 1)), Ok(()));
        assert!(check(nested(MOST_LEVELS)).is_err());
        assert!(check(json!({"a": "x".repeat(MOST_BYTES)})).is_err());
    }

    #[test]
    fn collections_have_plain_names_and_ids_can_be_printed() {
        assert_eq!(check_place("stock_2", Some("gold bar, 1 oz")), Ok(()));
        for wrong in ["", "_x", "1x", "Stock", "a.b", "a$b", "a b"] {
            assert!(check_place(wrong, None).is_err(), "{wrong}");
        }
        for wrong in ["", "a\nb", &"x".repeat(201)] {
            assert!(check_place("stock", Some(wrong)).is_err(), "{wrong}");
        }
    }
}

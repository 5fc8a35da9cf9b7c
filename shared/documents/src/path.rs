//! Where in a document: names of fields with dots between them.

use std::fmt;

use serde_json::Value;

use crate::{Body, Error};

/// How deep a path and a document may go. MongoDB's limit is 100 for both together.
pub(crate) const MOST_LEVELS: usize = 32;

/// Names the store keeps for itself beside the fields of a document.
pub(crate) const RESERVED: [&str; 2] = ["_id", "_version"];

/// A path such as `stock.available`. It is checked when it is used.
///
/// A segment of digits only would be a place in an array to one store and the name of a field to
/// the other, so there is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(String);

impl Path {
    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.0.split('.').collect()
    }

    /// Refuses what the stores would understand differently.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |why: &str| Err(Error::invalid(format!("the path `{self}` {why}")));
        let segments = self.segments();
        if segments.len() > MOST_LEVELS {
            return wrong("is too deep");
        }
        if RESERVED.contains(&segments[0]) {
            return wrong("begins with a reserved name");
        }
        for segment in segments {
            check_name(segment)?;
            if segment.bytes().all(|byte| byte.is_ascii_digit()) {
                return wrong("has a segment of digits only");
            }
        }
        Ok(())
    }

    /// One path is the other, or leads through it: a change of both has no defined end.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (self.segments(), other.segments());
        let shared = one.len().min(two.len());
        one[..shared] == two[..shared]
    }

    /// The value at the end of the path, through objects only.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the path leads through an array.
    pub(crate) fn value_in<'a>(&self, body: &'a Body) -> Result<Option<&'a Value>, Error> {
        let segments = self.segments();
        let mut value = body.get(segments[0]);
        for segment in &segments[1..] {
            value = match value {
                Some(Value::Object(fields)) => fields.get(*segment),
                Some(Value::Array(_)) => {
                    let words = format!("the path `{self}` leads through an array");
                    return Err(Error::invalid(words));
                }
                _ => None,
            };
        }
        Ok(value)
    }
}

/// Refuses names of fields that MongoDB reads as something else.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let wrong = |why: &str| Err(Error::invalid(format!("a field's name {why}")));
    if name.is_empty() {
        return wrong("is empty");
    }
    if name.starts_with('$') {
        return wrong("begins with `$`");
    }
    if name.contains(['.', '\0']) {
        return wrong("holds a dot or the character U+0000");
    }
    Ok(())
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_the_stores_understand_differently_are_refused() {
        for wrong in [
            "",
            "a..b",
            ".a",
            "$a",
            "a.$b",
            "lines.0",
            "_id",
            "_version.x",
        ] {
            assert!(Path::from(wrong).check().is_err(), "{wrong}");
        }
        for right in ["a", "a.b", "a1.0b", "ä.ß", "a._id"] {
            assert_eq!(Path::from(right).check(), Ok(()), "{right}");
        }
    }

    #[test]
    fn a_path_overlaps_what_it_leads_through_and_not_what_begins_like_it() {
        let overlap = |one: &str, two: &str| Path::from(one).overlaps(&Path::from(two));
        assert!(overlap("a", "a") && overlap("a", "a.b") && overlap("a.b.c", "a.b"));
        assert!(!overlap("a", "ab") && !overlap("a.b", "a.c"));
    }
}

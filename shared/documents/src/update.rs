//! What becomes of a document: MongoDB's `$set`, `$inc` and `$unset`, as a type.

use serde_json::Value;

use crate::body::check_value;
use crate::{Body, Error, Path};

/// Changes of one document that happen together or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    changes: Vec<(Path, Change)>,
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The field has this value afterwards; objects on the way to it are made.
    Set(Value),
    /// The field is this much more; one that is not there counts as 0.
    Increment(i64),
    /// The field is not there afterwards.
    Unset,
}

impl Update {
    /// No change but of the version.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            changes: Vec::new(),
        }
    }

    /// `$set`.
    #[must_use]
    pub fn set(self, path: &str, value: impl Into<Value>) -> Self {
        self.with(path, Change::Set(value.into()))
    }

    /// `$inc`; less than 0 takes away.
    #[must_use]
    pub fn increment(self, path: &str, by: i64) -> Self {
        self.with(path, Change::Increment(by))
    }

    /// `$unset`.
    #[must_use]
    pub fn unset(self, path: &str) -> Self {
        self.with(path, Change::Unset)
    }

    fn with(mut self, path: &str, change: Change) -> Self {
        self.changes.push((Path::from(path), change));
        self
    }

    /// Each field and its change.
    #[must_use]
    pub fn changes(&self) -> &[(Path, Change)] {
        &self.changes
    }

    /// The document after the change.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a path leads through something that is not an object, what is
    /// incremented is not an integer, or the sum has no place in 64 bits.
    pub fn apply(&self, body: &Body) -> Result<Body, Error> {
        let mut body = body.clone();
        for (path, change) in &self.changes {
            apply(&mut body, path, change)?;
        }
        Ok(body)
    }

    /// Refuses changes that have no defined end: of one field twice, or of a field and a part of it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for (index, (path, change)) in self.changes.iter().enumerate() {
            path.check()?;
            if let Change::Set(value) = change {
                check_value(value, 0)?;
            }
            let others = &self.changes[..index];
            if let Some((other, _)) = others.iter().find(|(other, _)| path.overlaps(other)) {
                let words = format!("`{other}` and `{path}` cannot be changed at once");
                return Err(Error::invalid(words));
            }
        }
        Ok(())
    }
}

fn apply(body: &mut Body, path: &Path, change: &Change) -> Result<(), Error> {
    let segments = path.segments();
    let Some((last, way)) = segments.split_last() else {
        return Ok(());
    };
    match change {
        Change::Set(value) => {
            make_way(body, way, path)?.insert((*last).to_owned(), value.clone());
        }
        Change::Increment(by) => {
            let fields = make_way(body, way, path)?;
            let sum = incremented(fields.get(*last), *by, path)?;
            fields.insert((*last).to_owned(), sum.into());
        }
        Change::Unset => {
            if let Some(fields) = go(body, way) {
                fields.remove(*last);
            }
        }
    }
    Ok(())
}

fn incremented(value: Option<&Value>, by: i64, path: &Path) -> Result<i64, Error> {
    let Some(value) = value else {
        return Ok(by);
    };
    let wrong = |why: &str| Error::invalid(format!("`{path}` {why}"));
    value
        .as_i64()
        .ok_or_else(|| wrong("is not an integer"))?
        .checked_add(by)
        .ok_or_else(|| wrong("would leave 64 bits"))
}

/// The object that a path's last segment is in, made where it is not there.
fn make_way<'a>(body: &'a mut Body, way: &[&str], path: &Path) -> Result<&'a mut Body, Error> {
    let mut fields = body;
    for segment in way {
        let next = fields
            .entry(*segment)
            .or_insert_with(|| Value::Object(Body::new()));
        fields = next.as_object_mut().ok_or_else(|| {
            Error::invalid(format!("`{path}` leads through what is not an object"))
        })?;
    }
    Ok(fields)
}

/// The same, where it is there.
fn go<'a>(body: &'a mut Body, way: &[&str]) -> Option<&'a mut Body> {
    let mut fields = body;
    for segment in way {
        fields = fields.get_mut(*segment)?.as_object_mut()?;
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(update: &Update, body: Value) -> Result<Value, Error> {
        update.check()?;
        update
            .apply(body.as_object().expect("an object"))
            .map(Value::Object)
    }

    #[test]
    fn objects_on_the_way_are_made_and_what_is_not_there_counts_as_nothing() {
        let update = Update::new()
            .set("a.b", "x")
            .increment("c.d", -3)
            .unset("e.f");
        assert_eq!(
            after(&update, json!({})),
            Ok(json!({"a": {"b": "x"}, "c": {"d": -3}}))
        );
    }

    #[test]
    fn other_fields_are_left_alone() {
        let update = Update::new().set("a.b", 2).increment("n", 1).unset("g");
        let before = json!({"a": {"b": 1, "c": 3}, "n": 4, "g": [1], "h": null});
        let expected = json!({"a": {"b": 2, "c": 3}, "n": 5, "h": null});
        assert_eq!(after(&update, before), Ok(expected));
    }

    #[test]
    fn what_is_no_integer_is_not_incremented() {
        for value in [json!("1"), json!(null), json!(true), json!([1]), json!({})] {
            let done = after(&Update::new().increment("n", 1), json!({"n": value}));
            assert!(done.is_err(), "{value}");
        }
        assert!(after(&Update::new().increment("n", 1), json!({"n": i64::MAX})).is_err());
        assert!(after(&Update::new().increment("n", -1), json!({"n": i64::MIN})).is_err());
    }

    #[test]
    fn a_path_through_something_else_changes_nothing() {
        for value in [json!(1), json!(null), json!("x"), json!([{"b": 1}])] {
            let before = json!({"a": value});
            assert!(after(&Update::new().set("a.b", 1), before.clone()).is_err());
            assert!(after(&Update::new().increment("a.b", 1), before.clone()).is_err());
            assert_eq!(
                after(&Update::new().unset("a.b"), before.clone()),
                Ok(before)
            );
        }
    }

    #[test]
    fn two_changes_of_one_field_are_refused() {
        assert!(Update::new().set("a", 1).increment("a", 1).check().is_err());
        assert!(Update::new().set("a.b", 1).unset("a").check().is_err());
        assert!(Update::new().set("a", 1.5).check().is_err());
        assert_eq!(Update::new().set("a.b", 1).set("a.c", 1).check(), Ok(()));
    }
}

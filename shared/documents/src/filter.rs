//! Which documents are meant: MongoDB's comparisons, as a type.

use serde_json::Value;

use crate::{Body, Error, Path, Scalar};

/// A condition on a document.
///
/// As in MongoDB, a comparison is with values of the same type only, a path leads through the
/// elements of an array, and a condition holds for an array if it holds for the array's elements.
/// Unlike there, null behind an array of objects is not found in elements that lack the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of them; of none, every document.
    All(Vec<Self>),
    /// At least one of them; of none, no document.
    Any(Vec<Self>),
    /// Something about one field.
    Field(Path, Condition),
}

/// Something about the values at the end of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `$eq`: one of them is this. A missing field is null.
    Equal(Scalar),
    /// `$ne`: none of them is this.
    NotEqual(Scalar),
    /// `$gt`, for integers and texts.
    Greater(Scalar),
    /// `$gte`, for integers and texts.
    GreaterOrEqual(Scalar),
    /// `$lt`, for integers and texts.
    Less(Scalar),
    /// `$lte`, for integers and texts.
    LessOrEqual(Scalar),
    /// `$in`: one of them is one of these.
    In(Vec<Scalar>),
    /// `$exists`: there is one, null included; or none.
    Exists(bool),
}

/// The beginning of a condition: `field("available").at_least(3)`.
#[derive(Debug, Clone)]
pub struct Field(Path);

/// Names the field that a condition is about.
#[must_use]
pub fn field(path: &str) -> Field {
    Field(Path::from(path))
}

impl Field {
    /// `$eq`.
    #[must_use]
    pub fn equals(self, value: impl Into<Scalar>) -> Filter {
        Filter::Field(self.0, Condition::Equal(value.into()))
    }

    /// `$ne`.
    #[must_use]
    pub fn differs_from(self, value: impl Into<Scalar>) -> Filter {
        Filter::Field(self.0, Condition::NotEqual(value.into()))
    }

    /// `$gt`.
    #[must_use]
    pub fn more_than(self, value: impl Into<Scalar>) -> Filter {
        Filter::Field(self.0, Condition::Greater(value.into()))
    }

    /// `$gte`.
    #[must_use]
    pub fn at_least(self, value: impl Into<Scalar>) -> Filter {
        Filter::Field(self.0, Condition::GreaterOrEqual(value.into()))
    }

    /// `$lt`.
    #[must_use]
    pub fn less_than(self, value: impl Into<Scalar>) -> Filter {
        Filter::Field(self.0, Condition::Less(value.into()))
    }

    /// `$lte`.
    #[must_use]
    pub fn at_most(self, value: impl Into<Scalar>) -> Filter {
        Filter::Field(self.0, Condition::LessOrEqual(value.into()))
    }

    /// `$in`.
    #[must_use]
    pub fn is_one_of<S: Into<Scalar>>(self, values: impl IntoIterator<Item = S>) -> Filter {
        let values = values.into_iter().map(Into::into).collect();
        Filter::Field(self.0, Condition::In(values))
    }

    /// `$exists`.
    #[must_use]
    pub fn exists(self, exists: bool) -> Filter {
        Filter::Field(self.0, Condition::Exists(exists))
    }
}

impl Filter {
    /// Every document.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// This and that.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut all) => {
                all.push(other);
                Self::All(all)
            }
            one => Self::All(vec![one, other]),
        }
    }

    /// Whether a document is meant.
    #[must_use]
    pub fn matches(&self, body: &Body) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.matches(body)),
            Self::Any(any) => any.iter().any(|one| one.matches(body)),
            Self::Field(path, condition) => {
                let segments = path.segments();
                let mut found = Vec::new();
                if let Some(value) = body.get(segments[0]) {
                    follow(value, &segments[1..], &mut found);
                }
                condition.holds(&found)
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().try_for_each(Self::check),
            Self::Field(path, condition) => {
                path.check()?;
                condition.check(path)
            }
        }
    }
}

impl Condition {
    fn holds(&self, found: &[&Value]) -> bool {
        let any = |test: &dyn Fn(&Scalar) -> bool| {
            let of_arrays = found.iter().filter_map(|value| value.as_array()).flatten();
            found
                .iter()
                .copied()
                .chain(of_arrays)
                .filter_map(Scalar::of)
                .any(|scalar| test(&scalar))
        };
        let equals = |wanted: &Scalar| {
            let missing = found.is_empty() && *wanted == Scalar::Null;
            missing || any(&|scalar| scalar == wanted)
        };
        let alike =
            |one: &Scalar, two: &Scalar| std::mem::discriminant(one) == std::mem::discriminant(two);
        match self {
            Self::Equal(wanted) => equals(wanted),
            Self::NotEqual(wanted) => !equals(wanted),
            Self::In(wanted) => wanted.iter().any(equals),
            Self::Exists(wanted) => *wanted != found.is_empty(),
            Self::Greater(than) => any(&|scalar| alike(scalar, than) && scalar > than),
            Self::GreaterOrEqual(than) => any(&|scalar| alike(scalar, than) && scalar >= than),
            Self::Less(than) => any(&|scalar| alike(scalar, than) && scalar < than),
            Self::LessOrEqual(than) => any(&|scalar| alike(scalar, than) && scalar <= than),
        }
    }

    fn check(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Equal(value) | Self::NotEqual(value) => value.check(),
            Self::In(values) => values.iter().try_for_each(Scalar::check),
            Self::Exists(_) => Ok(()),
            Self::Greater(value)
            | Self::GreaterOrEqual(value)
            | Self::Less(value)
            | Self::LessOrEqual(value) => {
                if !value.has_an_order() {
                    let words = format!("`{path}` is compared with neither an integer nor a text");
                    return Err(Error::invalid(words));
                }
                value.check()
            }
        }
    }
}

/// The values at the end of a path: one through objects, several through arrays of objects.
fn follow<'a>(value: &'a Value, rest: &[&str], found: &mut Vec<&'a Value>) {
    let Some((name, behind)) = rest.split_first() else {
        found.push(value);
        return;
    };
    match value {
        Value::Object(fields) => {
            if let Some(value) = fields.get(*name) {
                follow(value, behind, found);
            }
        }
        Value::Array(items) => {
            for item in items.iter().filter(|item| item.is_object()) {
                follow(item, rest, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;

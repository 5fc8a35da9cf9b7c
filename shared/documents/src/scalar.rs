//! What a filter compares with.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// A value that is neither an object nor an array.
///
/// The order is that of a sorted page: null (and a field that is not there) first, then integers,
/// texts by their bytes, and booleans.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `null`; a field that is not there compares equal to it.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// True or false.
    Boolean(bool),
}

impl Scalar {
    /// The scalar that a value is, if it is one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(value) => Some(Self::Boolean(*value)),
            Value::Number(number) => number.as_i64().map(Self::Integer),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Greater and less are asked of integers and texts only.
    pub(crate) const fn has_an_order(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Text(_))
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Text(text) if text.contains('\0') => {
                Err(Error::invalid("a text holds the character U+0000"))
            }
            _ => Ok(()),
        }
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

//! A filter as SQL/JSON path, so that the server and not this program looks through a collection.
//!
//! Its lax mode goes through arrays as MongoDB does. Its comparisons know a third answer,
//! *unknown*, for values of different types, which has to become "no" before it is negated.

use crate::{Condition, Filter, Path, Scalar};

/// A path predicate that is true exactly for what [`Filter::matches`] is true for.
pub(super) fn predicate(filter: &Filter) -> String {
    match filter {
        Filter::All(filters) => joined(filters, " && ", "(0 == 0)"),
        Filter::Any(filters) => joined(filters, " || ", "(0 == 1)"),
        Filter::Field(path, condition) => about(&accessor(path), condition),
    }
}

fn joined(filters: &[Filter], between: &str, of_none: &str) -> String {
    if filters.is_empty() {
        return of_none.to_owned();
    }
    let parts: Vec<String> = filters.iter().map(predicate).collect();
    format!("({})", parts.join(between))
}

fn about(path: &str, condition: &Condition) -> String {
    let compared = |sign: &str, value: &Scalar| format!("({path} {sign} {})", literal(value));
    match condition {
        Condition::Equal(value) => equal(path, value),
        Condition::NotEqual(value) => {
            let equal = equal(path, value);
            format!("(!{equal} || ({equal} is unknown))")
        }
        Condition::In(values) => {
            let parts: Vec<String> = values.iter().map(|value| equal(path, value)).collect();
            if parts.is_empty() {
                return "(0 == 1)".to_owned();
            }
            format!("({})", parts.join(" || "))
        }
        Condition::Exists(true) => format!("(exists({path}))"),
        Condition::Exists(false) => format!("(!exists({path}))"),
        Condition::Greater(value) => compared(">", value),
        Condition::GreaterOrEqual(value) => compared(">=", value),
        Condition::Less(value) => compared("<", value),
        Condition::LessOrEqual(value) => compared("<=", value),
    }
}

fn equal(path: &str, value: &Scalar) -> String {
    match value {
        Scalar::Null => format!("({path} == null || !exists({path}))"),
        other => format!("({path} == {})", literal(other)),
    }
}

fn accessor(path: &Path) -> String {
    let names: Vec<String> = path.segments().into_iter().map(quoted).collect();
    format!("$.{}", names.join("."))
}

fn literal(value: &Scalar) -> String {
    match value {
        Scalar::Null => "null".to_owned(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Text(text) => quoted(text),
        Scalar::Boolean(value) => value.to_string(),
    }
}

/// Strings are written as in JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    #[test]
    fn nothing_in_a_text_or_a_name_becomes_part_of_the_path() {
        let filter = field("a\"b.c").equals("x\" || exists($.y) || \"\\");
        assert_eq!(
            predicate(&filter),
            r#"($."a\"b"."c" == "x\" || exists($.y) || \"\\")"#
        );
    }
}

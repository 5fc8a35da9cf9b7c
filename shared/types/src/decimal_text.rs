//! A number exactly as it was sent.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::{Amount, Change, MoneyError};

/// The digits a client sent, from a JSON string or a JSON number, before anyone has judged them.
///
/// A JSON number is kept as its text, so `0.1` never passes through a float. Judging is left to
/// the caller, who knows which error code fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecimalText(String);

impl PartialSchema for DecimalText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Number]))
            .description(Some(
                "A decimal number, best as a string; a JSON number is read exactly",
            ))
            .examples([serde_json::json!("100.00")])
            .build()
            .into()
    }
}

impl ToSchema for DecimalText {}

impl From<String> for DecimalText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl DecimalText {
    /// The exact number.
    ///
    /// # Errors
    /// [`MoneyError::NotANumber`] for anything but ASCII digits with at most one point and, as JSON
    /// numbers allow, an exponent; [`MoneyError::TooPrecise`] or [`MoneyError::TooLarge`] when the
    /// digits cannot be kept exactly.
    pub fn decimal(&self) -> Result<Decimal, MoneyError> {
        let text = self.0.as_str();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, shift(exponent)?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(MoneyError::NotANumber);
        }
        let (whole, fraction) = moved(whole, fraction, exponent);
        let (whole, fraction) = (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        );
        if whole.len() > 24 {
            return Err(MoneyError::TooLarge);
        }
        if fraction.len() > 4 {
            return Err(MoneyError::TooPrecise);
        }
        let sign = if digits.len() == text.len() { "" } else { "-" };
        let exact = format!("{sign}0{whole}.{fraction}0");
        Decimal::from_str_exact(&exact).map_err(|_| MoneyError::NotANumber)
    }

    /// The number as an amount.
    ///
    /// # Errors
    /// As [`DecimalText::decimal`], and when it is not positive or too large.
    pub fn amount(&self) -> Result<Amount, MoneyError> {
        Amount::try_from(self.decimal()?)
    }

    /// The number as a signed change.
    ///
    /// # Errors
    /// As [`DecimalText::decimal`], and when it is zero or too large.
    pub fn change(&self) -> Result<Change, MoneyError> {
        Change::try_from(self.decimal()?)
    }
}

/// How far the point moves. Beyond these bounds no digits that fit into a request come back into
/// reach, whatever the exponent says.
fn shift(exponent: &str) -> Result<i32, MoneyError> {
    const MOST: i32 = 4 * 1024 * 1024;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(MoneyError::NotANumber);
    }
    let size = digits.parse().unwrap_or(MOST).min(MOST);
    Ok(if exponent.starts_with('-') {
        -size
    } else {
        size
    })
}

/// The digits before and after the point once it has moved, to the right when `exponent` is
/// positive. Digits are moved and never computed with: nothing is rounded.
fn moved<'a>(whole: &'a str, fraction: &'a str, exponent: i32) -> (Cow<'a, str>, Cow<'a, str>) {
    if exponent == 0 {
        return (whole.into(), fraction.into());
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return ("0".into(), "0".into());
    }
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let place = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    // Where the point stands, counted from the first digit that is not zero.
    let point = place(whole.len()) - place(leading) + i64::from(exponent);
    let zeros = |count: i64| "0".repeat(usize::try_from(count.min(64)).unwrap_or(0));
    let length = place(significant.len());
    if point <= 0 {
        ("0".into(), format!("{}{significant}", zeros(-point)).into())
    } else if point >= length {
        (
            format!("{significant}{}", zeros(point - length)).into(),
            "0".into(),
        )
    } else {
        let (whole, fraction) = significant.split_at(usize::try_from(point).unwrap_or(0));
        (whole.to_owned().into(), fraction.to_owned().into())
    }
}

impl Serialize for DecimalText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str(text)
                .map(Self)
                .map_err(serde::de::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Self(text.to_owned())),
            _ => Err(serde::de::Error::custom("expected a decimal number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<String, String> {
        let text: DecimalText = serde_json::from_str(json).map_err(|e| e.to_string())?;
        text.decimal()
            .map(|d| d.normalize().to_string())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn a_number_is_read_exactly_from_a_string_or_a_number() {
        for (json, expected) in [
            ("0.1", "0.1"),
            ("\"0.1\"", "0.1"),
            ("999999999999999.9999", "999999999999999.9999"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("1.25e1", "12.5"),
            ("125e-2", "1.25"),
            ("0.0125e2", "1.25"),
            ("5e-4", "0.0005"),
            ("0.00e400", "0"),
            ("0.000000000000000000000000000000000000000000001e45", "1"),
            ("-5.25", "-5.25"),
            ("1.50000000", "1.5"),
        ] {
            assert_eq!(read(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for json in [
            "\"NaN\"",
            "\"Infinity\"",
            "\"0x10\"",
            "\"1_000\"",
            "\"+1\"",
            "\"１\"",
            "\" 1\"",
            "\"\"",
            "\".5\"",
            "\"5.\"",
            "true",
            "null",
            "[1]",
            "1e400",
            "1e99999999999999999999",
            "1e-5",
            "1e-400",
            // A library that reads exponents into 28 digits would round these.
            "0.1234000000000000000000000000000000001e0",
            "12340000000000000000000000000000000001e-37",
            "999999999999999.99990000000000000000001e0",
            "\"1e\"",
            "\"1e+\"",
            "\"e5\"",
            "\"1e5e5\"",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}

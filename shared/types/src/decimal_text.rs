//! A number exactly as it was sent.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Amount, Change, MoneyError};

/// The digits a client sent, from a JSON string or a JSON number, before anyone has judged them.
///
/// A JSON number is kept as its text, so `0.1` never passes through a float. Judging is left to
/// the caller, who knows which error code fits.
#[derive(Debug, Clone, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, example = "100.00")]
pub struct DecimalText(String);

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
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (digits, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(MoneyError::NotANumber);
        }
        if exponent.is_some() {
            return Decimal::from_scientific(text).map_err(|_| MoneyError::NotANumber);
        }
        if whole.trim_start_matches('0').len() > 24 {
            return Err(MoneyError::TooLarge);
        }
        if fraction.trim_end_matches('0').len() > 4 {
            return Err(MoneyError::TooPrecise);
        }
        let kept = &fraction[..fraction.len().min(4)];
        let sign = if digits.len() == text.len() { "" } else { "-" };
        let exact = format!("{sign}{}.{kept}", whole.trim_start_matches('0'));
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
            "\"1e\"",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}

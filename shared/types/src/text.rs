//! Text that people type: bounded, printable, and free of characters that deceive a reader.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than allowed.
    #[error("longer than {0} characters")]
    TooLong(usize),
    /// A control, invisible or direction-changing character.
    #[error("contains a control, invisible or direction-changing character")]
    Deceptive,
    /// Something other than visible ASCII where only that is allowed.
    #[error("must be 1 to 200 visible ASCII characters")]
    NotVisibleAscii,
}

/// Characters that hide text or turn it round: what a statement shows must be what was typed.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
            // Letters that show nothing: a name of these alone is empty to every reader.
            | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{3164}' | '\u{FFA0}')
}

/// One line of text of 1 to `MAX` characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        if text.trim().is_empty() {
            return Err(TextError::Empty);
        }
        if text.chars().count() > MAX {
            return Err(TextError::TooLong(MAX));
        }
        if text.chars().any(is_deceptive) {
            return Err(TextError::Deceptive);
        }
        Ok(Self(text))
    }
}

impl<const MAX: usize> FromStr for Text<MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::try_from(text.to_owned())
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> String {
        text.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A client's name for a request it may send again: 1 to 200 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = TextError;

    fn try_from(key: String) -> Result<Self, TextError> {
        if (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(key))
        } else {
            Err(TextError::NotVisibleAscii)
        }
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> String {
        key.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = TextError;

    fn from_str(key: &str) -> Result<Self, TextError> {
        Self::try_from(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_deceives_is_refused() {
        for bad in [
            "a\u{0}b",
            "a\nb",
            "a\u{202E}b",
            "a\u{200B}b",
            "\u{FEFF}a",
            "\u{3164}",
        ] {
            assert_eq!(
                bad.parse::<Text<20>>(),
                Err(TextError::Deceptive),
                "{bad:?}"
            );
        }
        assert_eq!("  ".parse::<Text<20>>(), Err(TextError::Empty));
        assert_eq!("abc".parse::<Text<2>>(), Err(TextError::TooLong(2)));
        assert!("Zoë O'Néill; DROP TABLE".parse::<Text<40>>().is_ok());
    }

    #[test]
    fn an_idempotency_key_is_short_visible_ascii() {
        assert!("order-17".parse::<IdempotencyKey>().is_ok());
        for bad in ["", "a b", "é", &"x".repeat(201)] {
            assert!(bad.parse::<IdempotencyKey>().is_err(), "{bad}");
        }
    }
}

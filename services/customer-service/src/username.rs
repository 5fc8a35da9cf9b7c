//! User names.

use crate::error::Error;

/// A user name: 3 to 64 of `a-z`, `0-9`, `-`, `_` and `.`, the first a letter or a digit. One
/// spelling each, so no two of them look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Username(String);

impl Username {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = text.as_bytes();
        let legal = (3..=64).contains(&bytes.len())
            && bytes.first().copied().is_some_and(plain)
            && bytes
                .iter()
                .all(|b| plain(*b) || matches!(b, b'-' | b'_' | b'.'));
        if legal {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Invalid(
                "A user name is 3 to 64 of a-z, 0-9, '-', '_' and '.', and begins with a letter or a digit.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_has_one_plain_spelling() {
        for good in ["alice-customer", "x.1", "0_0"] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "al",
            "Alice",
            "-alice",
            "al ice",
            "älice",
            "a\u{0}b",
            &"a".repeat(65),
        ] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
    }
}

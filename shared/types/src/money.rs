//! Money: exact decimals with at most four places, never a float.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::DecimalText;

/// The number of places kept after the decimal point.
const PLACES: u32 = 4;

/// Amounts and balances stay below this, so that `numeric(19,4)` always holds an amount.
const LIMIT: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// Why a number is not money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// More than four places; money is never rounded.
    #[error("more than four decimal places")]
    TooPrecise,
    /// 10^15 or more.
    #[error("10^15 or more")]
    TooLarge,
    /// Zero where something must move.
    #[error("zero")]
    Zero,
    /// Negative where only a positive amount makes sense.
    #[error("negative")]
    Negative,
}

/// Checks precision and size; the sign is the caller's business.
fn checked(value: Decimal) -> Result<Decimal, MoneyError> {
    let value = value.normalize();
    if value.scale() > PLACES {
        return Err(MoneyError::TooPrecise);
    }
    if value.abs() >= LIMIT {
        return Err(MoneyError::TooLarge);
    }
    Ok(value)
}

/// Writes at least two places and at most four: `100.00`, `0.1234`.
fn write(value: Decimal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut value = value.normalize();
    if value.scale() < 2 {
        value.rescale(2);
    }
    f.pad(&value.to_string())
}

macro_rules! money {
    ($(#[$doc:meta])* $name:ident, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
        #[schema(value_type = String, example = $example)]
        pub struct $name(Decimal);

        impl $name {
            /// The number itself, for the database driver.
            #[must_use]
            pub const fn decimal(self) -> Decimal {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = DecimalText::deserialize(deserializer)?;
                text.decimal()
                    .and_then(Self::try_from)
                    .map_err(serde::de::Error::custom)
            }
        }

        impl std::str::FromStr for $name {
            type Err = MoneyError;

            fn from_str(text: &str) -> Result<Self, MoneyError> {
                DecimalText::from(text.to_owned())
                    .decimal()
                    .and_then(Self::try_from)
            }
        }
    };
}

money!(
    /// How much: more than zero, at most four places, below 10^15.
    Amount,
    "100.00"
);
money!(
    /// A signed change to one account, never zero: negative is a debit.
    Change,
    "-100.00"
);
money!(
    /// What stands on an account, or a total of changes: signed, may be zero.
    Balance,
    "1000.00"
);

impl TryFrom<Decimal> for Amount {
    type Error = MoneyError;

    fn try_from(value: Decimal) -> Result<Self, MoneyError> {
        if value.is_zero() {
            return Err(MoneyError::Zero);
        }
        if value.is_sign_negative() {
            return Err(MoneyError::Negative);
        }
        checked(value).map(Self)
    }
}

impl TryFrom<Decimal> for Change {
    type Error = MoneyError;

    fn try_from(value: Decimal) -> Result<Self, MoneyError> {
        if value.is_zero() {
            return Err(MoneyError::Zero);
        }
        checked(value).map(Self)
    }
}

impl TryFrom<Decimal> for Balance {
    type Error = MoneyError;

    fn try_from(value: Decimal) -> Result<Self, MoneyError> {
        let value = value.normalize();
        if value.scale() > PLACES {
            return Err(MoneyError::TooPrecise);
        }
        // 10^24: what `numeric(28,4)` holds.
        if value.abs() >= LIMIT.saturating_mul(Decimal::from(1_000_000_000_u64)) {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self(value))
    }
}

impl Amount {
    /// The change that takes this amount away.
    #[must_use]
    pub fn debit(self) -> Change {
        Change(-self.0)
    }

    /// The change that adds this amount.
    #[must_use]
    pub const fn credit(self) -> Change {
        Change(self.0)
    }
}

impl Change {
    /// Whether money leaves the account.
    #[must_use]
    pub const fn is_debit(self) -> bool {
        self.0.is_sign_negative()
    }

    /// How much moves, without its direction.
    #[must_use]
    pub fn amount(self) -> Amount {
        Amount(self.0.abs())
    }
}

impl Balance {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The bound no customer's balance reaches: 10^15.
    pub const LIMIT: Self = Self(LIMIT);

    /// Adds; `None` when the result no longer is a balance.
    #[must_use]
    pub fn plus(self, other: impl Into<Self>) -> Option<Self> {
        let sum = self.0.checked_add(other.into().0)?;
        Self::try_from(sum).ok()
    }

    /// Subtracts; `None` when the result no longer is a balance.
    #[must_use]
    pub fn minus(self, other: impl Into<Self>) -> Option<Self> {
        let difference = self.0.checked_sub(other.into().0)?;
        Self::try_from(difference).ok()
    }

    /// Exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self < Self::ZERO
    }

    /// The same as a change; `None` for zero or what a single change cannot be.
    #[must_use]
    pub fn change(self) -> Option<Change> {
        Change::try_from(self.0).ok()
    }

    /// Adds up any number of changes; `None` on overflow.
    #[must_use]
    pub fn sum(changes: impl IntoIterator<Item = Change>) -> Option<Self> {
        changes
            .into_iter()
            .try_fold(Self::ZERO, |sum, change| sum.plus(change))
    }
}

impl From<Amount> for Balance {
    fn from(amount: Amount) -> Self {
        Self(amount.0)
    }
}

impl From<Change> for Balance {
    fn from(change: Change) -> Self {
        Self(change.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_positive_exact_and_bounded() {
        let parse = |text: &str| text.parse::<Amount>();
        assert_eq!(parse("0"), Err(MoneyError::Zero));
        assert_eq!(parse("-0"), Err(MoneyError::Zero));
        assert_eq!(parse("-1"), Err(MoneyError::Negative));
        assert_eq!(parse("0.00001"), Err(MoneyError::TooPrecise));
        assert_eq!(parse("1000000000000000"), Err(MoneyError::TooLarge));
        assert_eq!(parse("NaN"), Err(MoneyError::NotANumber));
        assert_eq!(
            parse("999999999999999.9999").map(|a| a.to_string()),
            Ok("999999999999999.9999".to_owned())
        );
    }

    #[test]
    fn money_is_written_with_two_to_four_places() {
        for (text, written) in [("100", "100.00"), ("0.1", "0.10"), ("1.2340", "1.234")] {
            assert_eq!(
                text.parse::<Amount>().map(|a| a.to_string()),
                Ok(written.to_owned())
            );
        }
        assert_eq!(Balance::ZERO.to_string(), "0.00");
    }

    #[test]
    fn the_limit_is_ten_to_the_fifteenth() {
        assert_eq!(Balance::LIMIT.to_string(), "1000000000000000.00");
    }

    #[test]
    fn a_debit_and_its_credit_cancel() {
        let amount: Amount = "12.3456".parse().expect("an amount");
        assert_eq!(
            Balance::sum([amount.debit(), amount.credit()]),
            Some(Balance::ZERO)
        );
        assert!(amount.debit().is_debit());
        assert_eq!(amount.debit().amount(), amount);
    }
}

//! Money as a whole number of ten-thousandths, for sums over long histories.

use types::{Balance, Change};

/// A number of ten-thousandths. An i128 holds 10^18 times the largest balance, so sums of any
/// history that fits on a disk cannot overflow.
pub(crate) type Units = i128;

const PLACES: u32 = 4;

pub(crate) fn of_balance(balance: Balance) -> Units {
    let decimal = balance.decimal();
    // Money never has more than four places.
    decimal.mantissa() * 10_i128.pow(PLACES.saturating_sub(decimal.scale()))
}

pub(crate) fn of_change(change: Change) -> Units {
    of_balance(Balance::from(change))
}

/// In words, with the point where people expect it.
pub(crate) fn written(units: Units) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.unsigned_abs() / 10_000, units.unsigned_abs() % 10_000);
    let fraction = format!("{rest:04}");
    let kept = fraction.trim_end_matches('0').len().max(2);
    format!("{sign}{whole}.{}", &fraction[..kept])
}
